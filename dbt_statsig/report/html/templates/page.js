"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll(".row")];
  const SVG = "http://www.w3.org/2000/svg";

  /* In the picture every text of the project goes through a text node: nothing of it is read as markup. */
  const fill = (made, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
    made.append(...children.flat().filter((child) => child !== undefined && child !== ""));
    return made;
  };
  const shape = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
  const roleName = (role) => role.replace(/^(id_type_mapping|custom_field_mapping)\./, "")
    .replace(/_column$/, "").replaceAll("_", " ").replace(/\bid\b/, "ID");
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  /* ---- the picture: what stands above, the node with its columns, the Statsig source with its fields ---- */
  const ROW = 24, HEAD = 46, GAP = 52, SMALL = 40, STEP = 52, MOST_LAYERS = 3, LEAST_SCALE = 0.8;
  const label = (x, y, text, look, most) => shape("text", { x, y, class: look }, shape("title", {}, text), cut(text, most));
  const curve = (x1, y1, x2, y2, look) => {
    const middle = (x1 + x2) / 2;
    return shape("path", { d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, class: look });
  };
  const columnWidth = (texts, least, most) => Math.max(least, Math.min(most, 34 + 7.1 * Math.max(0, ...texts.map((text) => text.length))));

  function layersOf(nodes) {
    const depth = nodes.map(() => 0);
    const depthOf = (at, seen) => {
      if (depth[at]) return depth[at];
      if (seen.has(at)) return 1;
      const onward = new Set(seen).add(at);
      depth[at] = 1 + Math.max(0, ...nodes[at][2].filter((to) => to >= 0).map((to) => depthOf(to, onward)));
      return depth[at];
    };
    nodes.forEach((_, at) => depthOf(at, new Set()));
    const layers = [];
    nodes.forEach((_, at) => (layers[depth[at] - 1] ??= []).push(at));
    return layers;
  }

  function picture({ name, kind, kindClass, id, nodes, more, mapped }) {
    /* Of a long chain the far end is counted: the Statsig source is what has to be seen. */
    const whole = layersOf(nodes), layers = whole.slice(0, MOST_LAYERS);
    more = (more || 0) + whole.slice(MOST_LAYERS).flat().length;
    const nodeWidth = columnWidth(nodes.map((node) => node[0]), 110, 190);
    const ownName = id.split(".").slice(2).join(".") || id;
    const ownWidth = columnWidth([ownName, ...mapped.map((use) => use.stored)], 150, 240);
    const roles = mapped.map((use) => roleName(use.role));
    const targetWidth = columnWidth([name, ...roles, `Statsig ${kind}`], 150, 260);
    const boxHeight = HEAD + mapped.length * ROW + (mapped.length ? 8 : 0);
    const last = layers.length - 1;
    const heightOf = (layer, depth) => layer.length * STEP - 12 + (more && depth === last ? 24 : 0);
    const tallest = Math.max(boxHeight, ...layers.map(heightOf));
    const ownX = layers.length * (nodeWidth + GAP), targetX = ownX + ownWidth + 122;
    const width = targetX + targetWidth + 2, height = tallest + 4;
    const top = 2 + (tallest - boxHeight) / 2;
    const at = {};
    layers.forEach((layer, depth) => layer.forEach((node, place) => {
      at[node] = { x: ownX - (depth + 1) * (nodeWidth + GAP), y: 2 + (tallest - heightOf(layer, depth)) / 2 + place * STEP };
    }));
    const edges = [], boxes = [];
    nodes.forEach(([name, type, readers], place) => {
      if (!at[place]) return;
      const { x, y } = at[place];
      for (const reader of readers) {
        const end = reader < 0 ? { x: ownX, y: top + HEAD / 2 } : { x: at[reader].x, y: at[reader].y + SMALL / 2 };
        edges.push(curve(x + nodeWidth, y + SMALL / 2, end.x, end.y, "edge"));
      }
      boxes.push(shape("g", {}, shape("rect", { x, y, width: nodeWidth, height: SMALL, rx: 8, class: "box" }),
        label(x + 12, y + 17, name, "m", Math.floor((nodeWidth - 24) / 7)), label(x + 12, y + 32, type, "s", 24)));
    });
    if (more && last >= 0) {
      const { x, y } = at[layers[last].at(-1)];
      boxes.push(label(x + 12, y + SMALL + 17, `and ${more} more upstream`, "s", 40));
    }
    boxes.push(shape("rect", { x: ownX, y: top, width: ownWidth, height: boxHeight, rx: 8, class: "box own" }),
      label(ownX + 14, top + 20, ownName, "h m", Math.floor((ownWidth - 26) / 7.2)),
      label(ownX + 14, top + 36, id.split(".")[0], "s", 24),
      shape("rect", { x: targetX, y: top, width: targetWidth, height: boxHeight, rx: 8, class: `box target ${kindClass}` }),
      label(targetX + 14, top + 20, name, "h", Math.floor((targetWidth - 26) / 6.6)),
      label(targetX + 14, top + 36, `Statsig ${kind}`, "s", 40));
    if (!mapped.length) edges.push(curve(ownX + ownWidth, top + HEAD / 2, targetX, top + HEAD / 2, "edge"));
    mapped.forEach((use, place) => {
      const { look, sign } = use, y = top + HEAD + place * ROW + 12;
      edges.push(curve(ownX + ownWidth, y, targetX, y, `link ${look}`));
      boxes.push(
        shape("g", {}, shape("line", { x1: ownX, x2: ownX + ownWidth, y1: y - 12, y2: y - 12, class: "rule" }),
          label(ownX + 14, y + 4, use.stored, "m", Math.floor((ownWidth - 44) / 6.9)),
          shape("text", { x: ownX + ownWidth - 22, y: y + 4, class: `sign ${look}` }, sign),
          shape("line", { x1: targetX, x2: targetX + targetWidth, y1: y - 12, y2: y - 12, class: "rule" }),
          shape("circle", { cx: targetX, cy: y, r: 3.2, class: `dot ${look}` }),
          label(targetX + 14, y + 4, roles[place], "", Math.floor((targetWidth - 26) / 6.4)),
          shape("text", { x: (ownX + ownWidth + targetX) / 2, y: y - 4, class: "s", "text-anchor": "middle" }, use.proof)));
    });
    const told = `${nodes.length ? `${nodes.map((node) => node[0]).join(", ")} feed ` : ""}${ownName}, which is the Statsig ${kind} ${name}. The columns are listed below.`;
    const drawn = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told }, edges, boxes);
    Object.assign(drawn.style, { maxWidth: `${width}px`, minWidth: `${width * LEAST_SCALE}px` });
    return drawn;
  }

  /* ---- an opened row: what a browser without scripts would read, escaped when the page was made ---- */
  const below = (row) => (row.lastElementChild.localName === "noscript" ? row.lastElementChild : undefined);
  function ensure(row) {
    const unread = below(row);
    if (!unread) return;
    const holder = document.createElement("template");
    holder.innerHTML = unread.textContent;
    const figure = holder.content.querySelector("figure");
    if (figure) draw(row, figure, holder.content);
    unread.replaceWith(holder.content);
  }
  function draw(row, figure, body) {
    const [who, kind] = [row.querySelector(".who"), row.querySelector(".kind")];
    const nodes = [...figure.querySelectorAll("li[data-to]")].map((node) =>
      [node.firstElementChild.textContent, node.lastElementChild.textContent, node.dataset.to.split(" ").map(Number)]);
    const mapped = [...body.querySelectorAll("tr.m")].map(({ cells }) => ({
      role: cells[0].textContent,
      stored: (cells[1].querySelector("i") ?? cells[1].firstElementChild).textContent,
      look: cells[2].className,
      sign: cells[2].textContent[0],
      proof: cells[2].textContent.slice(2),
    }));
    figure.setAttribute("role", "group");
    figure.replaceChildren(picture({
      name: who.firstElementChild.textContent, id: who.lastElementChild.textContent,
      kind: kind.textContent, kindClass: kind.classList[1], nodes, mapped,
      more: Number(figure.querySelector("li.more")?.textContent.match(/\d+/)),
    }));
  }

  /* ---- filters: in slices, so that a page of any size answers at once ---- */
  const SLICE = 16, MOST_CHANGES = 300;
  const search = byId("search"), kind = byId("kind"), count = byId("count"), none = byId("none"), list = byId("list");
  const tiles = [...document.querySelectorAll(".tile")], groups = [...document.querySelectorAll(".group")];
  const loose = [...document.querySelectorAll(".loose")];
  const entities = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
  const plain = (markup) => markup.replace(/<[^>]*>/g, "\n").replace(/&(amp|lt|gt);/g, (found) => entities[found]);
  const known = [];
  /* What filters compare, made when somebody filters: opening the page stays quick. */
  const about = (at) => (known[at] ??= {
    state: rows[at].dataset.state,
    kind: rows[at].querySelector(".kind").textContent,
    group: groups.indexOf(rows[at].closest(".group")),
    text: `${[...rows[at].firstElementChild.children].map((part) => part.textContent).join("\n")}
      ${below(rows[at]) ? plain(below(rows[at]).textContent) : rows[at].textContent}`.toLowerCase(),
  });
  let asked = 0;
  function filter() {
    const mine = (asked += 1), shown = groups.map(() => 0);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(tiles.filter((tile) => tile.getAttribute("aria-pressed") === "true").map((tile) => tile.dataset.state));
    const choosing = chosen.size > 0 || Boolean(kind?.value), filtering = choosing || words.length > 0;
    const found = choosing ? hideLoose() : filterLoose(words);
    list.setAttribute("aria-busy", "true");
    let at = 0;
    const step = () => {
      if (mine !== asked) return;
      const end = performance.now() + SLICE;
      for (let changes = 0; at < rows.length && changes < MOST_CHANGES && performance.now() < end; at += 1) {
        const row = about(at);
        const fits = (!chosen.size || chosen.has(row.state)) && (!kind?.value || row.kind === kind.value)
          && words.every((word) => row.text.includes(word));
        if (rows[at].hidden === fits) {
          rows[at].hidden = !fits;
          changes += 1;
        }
        if (fits) shown[row.group] += 1;
      }
      if (at < rows.length) setTimeout(step);
      else finish(shown, filtering, found);
    };
    step();
  }
  /* Findings that belong to no source have words, but neither a state nor a kind. */
  function filterLoose(words) {
    let found = 0;
    for (const section of loose) {
      let some = 0;
      for (const item of section.querySelectorAll(".findings > li")) {
        item.hidden = !words.every((word) => item.textContent.toLowerCase().includes(word));
        if (!item.hidden) some += 1;
      }
      section.hidden = !some;
      found += some;
    }
    return found;
  }
  function hideLoose() {
    for (const section of loose) section.hidden = true;
    return 0;
  }
  let unfolded;
  function finish(shown, filtering, found) {
    /* What is folded opens for what somebody looks for, and is as it was after that. */
    const fold = document.querySelector(".fold");
    if (fold && filtering) { unfolded ??= fold.open; fold.open = true; }
    else if (fold && unfolded !== undefined) { fold.open = unfolded; unfolded = undefined; }
    groups.forEach((group, at) => {
      group.hidden = !shown[at];
      group.querySelector("h2 .quiet").textContent = shown[at].toLocaleString("en");
    });
    const total = shown.reduce((sum, some) => sum + some, 0);
    count.textContent = `${total.toLocaleString("en")} shown`;
    none.hidden = total + found > 0;
    list.removeAttribute("aria-busy");
  }
  let waiting = 0;
  const soon = () => {
    list.setAttribute("aria-busy", "true");
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(filter);
  };

  function openAll(button) {
    const opening = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(opening));
    button.textContent = opening ? "Close all" : "Open all";
    const fold = document.querySelector(".fold");
    if (fold) fold.open = opening;
    const todo = [...rows.keys()].filter((at) => rows[at].open !== opening && (!opening || !rows[at].hidden));
    const step = () => {
      const end = performance.now() + 24;
      while (todo.length && performance.now() < end) {
        const at = todo.shift();
        if (opening) ensure(rows[at]);
        rows[at].open = opening;
      }
      if (todo.length && button.getAttribute("aria-pressed") === String(opening)) setTimeout(step, 16);
    };
    step();
  }
  function follow() {
    const plainName = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
    const asked = plainName(location.hash.slice(1));
    const at = asked ? rows.findIndex((row) => plainName(row.id) === asked) : -1;
    if (at < 0) return;
    const fold = rows[at].closest(".fold");
    if (fold) fold.open = true;
    ensure(rows[at]);
    rows[at].open = true;
    rows[at].scrollIntoView();
  }

  document.addEventListener("toggle", ({ target }) => {
    if (target.open && target.classList.contains("row")) ensure(target);
  }, true);
  if (search) {
    search.addEventListener("input", soon);
    kind?.addEventListener("change", soon);
    tiles.forEach((tile) => tile.addEventListener("click", () => {
      tile.setAttribute("aria-pressed", String(tile.getAttribute("aria-pressed") !== "true"));
      soon();
    }));
    byId("open").addEventListener("click", (event) => openAll(event.currentTarget));
    byId("clear").addEventListener("click", () => {
      search.value = "";
      if (kind) kind.value = "";
      tiles.forEach((tile) => tile.setAttribute("aria-pressed", "false"));
      filter();
      search.focus();
    });
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); search.focus(); }
      if (event.key === "Escape" && event.target === search) { search.value = ""; soon(); }
    });
  }
  const theme = byId("theme"), root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
  name();
  /* On paper everything that is shown is open; what is folded is a heading. */
  let forPaper = [];
  addEventListener("beforeprint", () => {
    const printed = (one) => !one.open && !one.closest("[hidden], .fold:not([open])");
    rows.filter(printed).forEach(ensure);
    forPaper = [...document.querySelectorAll(".row, .about")].filter(printed);
    for (const one of forPaper) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of forPaper.splice(0)) one.open = false; });
  for (const row of rows) if (row.open) ensure(row);
  const runFacts = document.querySelector(".about");
  if (matchMedia("(max-width: 40rem)").matches) runFacts.open = false;
  addEventListener("hashchange", follow);
  follow();
})();
