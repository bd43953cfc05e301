"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll(".group > details")];
  const chunks = [...document.querySelectorAll("script.data")], size = Number(byId("list").dataset.chunk);
  const parsed = [];
  const item = (at) => {
    const place = Math.floor(at / size);
    parsed[place] ??= JSON.parse(chunks[place].textContent);
    return parsed[place][at % size];
  };
  const PRESENCE = [["good", "✓", "present"], ["bad", "✗", "absent"], ["warn", "?", "not proven"]];
  const EVIDENCE = ["contract", "catalog", "inferred", "documented", ""];
  const SVG = "http://www.w3.org/2000/svg";

  /* Every text of the project goes through a text node: nothing of it is ever read as markup. */
  const fill = (made, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
    made.append(...children.flat().filter((child) => child !== undefined && child !== ""));
    return made;
  };
  const tag = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const shape = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

  const proof = ([, , , presence, evidence]) => {
    const known = EVIDENCE[evidence];
    if (presence === 0) return known;
    if (presence === 1) return known ? `absent (${known})` : "absent";
    return known === "documented" ? "documented only" : "not proven";
  };
  const roleName = (role) => role.replace(/^(id_type_mapping|custom_field_mapping)\./, "")
    .replace(/_column$/, "").replaceAll("_", " ").replace(/\bid\b/, "ID");
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  /* ---- the picture: what stands above, the node with its columns, the Statsig source with its fields ---- */
  const ROW = 24, HEAD = 46, GAP = 52, SMALL = 40, STEP = 52;
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

  function picture(item, kindClass) {
    const nodes = item.l ?? [];
    const mapped = (item.c ?? []).filter((use) => use[6]);
    const layers = layersOf(nodes);
    const nodeWidth = columnWidth(nodes.map((node) => node[0]), 110, 190);
    const ownName = item.u.split(".").slice(2).join(".") || item.u;
    const ownWidth = columnWidth([ownName, ...mapped.map((use) => use[2] || use[1])], 150, 240);
    const roles = mapped.map((use) => roleName(use[0]));
    const targetWidth = columnWidth([item.n, ...roles, `Statsig ${item.k}`], 150, 260);
    const boxHeight = HEAD + mapped.length * ROW + (mapped.length ? 8 : 0);
    const last = layers.length - 1;
    const heightOf = (layer, depth) => layer.length * STEP - 12 + (item.m && depth === last ? 24 : 0);
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
      const { x, y } = at[place];
      for (const reader of readers) {
        const end = reader < 0 ? { x: ownX, y: top + HEAD / 2 } : { x: at[reader].x, y: at[reader].y + SMALL / 2 };
        edges.push(curve(x + nodeWidth, y + SMALL / 2, end.x, end.y, "edge"));
      }
      boxes.push(shape("g", {}, shape("rect", { x, y, width: nodeWidth, height: SMALL, rx: 8, class: "box" }),
        label(x + 12, y + 17, name, "m", Math.floor((nodeWidth - 24) / 7)), label(x + 12, y + 32, type, "s", 24)));
    });
    if (item.m && last >= 0) {
      const { x, y } = at[layers[last].at(-1)];
      boxes.push(label(x + 12, y + SMALL + 17, `and ${item.m} more above`, "s", 40));
    }
    boxes.push(shape("rect", { x: ownX, y: top, width: ownWidth, height: boxHeight, rx: 8, class: "box own" }),
      label(ownX + 14, top + 20, ownName, "h m", Math.floor((ownWidth - 26) / 7.2)),
      label(ownX + 14, top + 36, item.u.split(".")[0], "s", 24),
      shape("rect", { x: targetX, y: top, width: targetWidth, height: boxHeight, rx: 8, class: `box target ${kindClass}` }),
      label(targetX + 14, top + 20, item.n, "h", Math.floor((targetWidth - 26) / 6.6)),
      label(targetX + 14, top + 36, `Statsig ${item.k}`, "s", 40));
    if (!mapped.length) edges.push(curve(ownX + ownWidth, top + HEAD / 2, targetX, top + HEAD / 2, "edge"));
    mapped.forEach((use, place) => {
      const [look, sign] = PRESENCE[use[3]], y = top + HEAD + place * ROW + 12;
      edges.push(curve(ownX + ownWidth, y, targetX, y, `link ${look}`));
      boxes.push(
        shape("g", {}, shape("line", { x1: ownX, x2: ownX + ownWidth, y1: y - 12, y2: y - 12, class: "rule" }),
          label(ownX + 14, y + 4, use[2] || use[1], "m", Math.floor((ownWidth - 44) / 6.9)),
          shape("text", { x: ownX + ownWidth - 22, y: y + 4, class: `sign ${look}` }, sign),
          shape("line", { x1: targetX, x2: targetX + targetWidth, y1: y - 12, y2: y - 12, class: "rule" }),
          shape("circle", { cx: targetX, cy: y, r: 3.2, class: `dot ${look}` }),
          label(targetX + 14, y + 4, roles[place], "", Math.floor((targetWidth - 26) / 6.4)),
          shape("text", { x: (ownX + ownWidth + targetX) / 2, y: y - 4, class: "s", "text-anchor": "middle" }, proof(use))));
    });
    const told = `${nodes.length ? `${nodes.map((node) => node[0]).join(", ")} feed ` : ""}${ownName}, which is the Statsig ${item.k} ${item.n}. The columns are listed below.`;
    return shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": told }, edges, boxes);
  }

  /* ---- the parts of an opened row ---- */
  const SIGNS = { "+": "plus", "-": "minus", " ": "", "⋮": "fold" };
  const lines = (marked, plain) => tag("pre", { class: "code", tabindex: "0" }, tag("code", {}, marked.map((line) => {
    const sign = line[0] === "⋮" ? "⋮ " : plain ? "" : `${line[0]} `;
    const look = plain && line[0] !== "⋮" ? "" : SIGNS[line[0]];
    return tag("span", look ? { class: look } : {}, `${sign}${line.slice(1)}\n`);
  })));
  const isLong = (marked) => marked.some((line) => line.length > 60) || marked.length > 12;
  function value([name, before, after], plain) {
    if (Array.isArray(before) && name === "description" && plain) {
      return tag("dd", { class: "prose" }, before.map((line) => `${line.slice(1)}\n`).join(""));
    }
    if (Array.isArray(before)) {
      const list = name !== "sql" && name !== "description" && !isLong(before);
      return tag("dd", list ? { class: "list" } : {}, lines(before, plain));
    }
    return plain || !before ? tag("dd", {}, plain ? after : tag("ins", {}, after))
      : tag("dd", {}, tag(before === "not set" ? "span" : "del", { class: "quiet" }, before), tag("span", { class: "arrow", "aria-label": "becomes" }, "→"), tag("ins", {}, after));
  }
  const fields = (entries, plain) => tag("dl", { class: "fields" },
    entries.map((entry) => tag("div", { class: "field" }, tag("dt", {}, entry[0]), value(entry, plain))));
  const part = (heading, ...content) => tag("section", {}, tag("h3", {}, heading), ...content);

  function columns(item) {
    const line = (use) => {
      const [look, sign] = PRESENCE[use[3]];
      const stored = use[2] ? tag("span", { class: "quiet" }, ` stored as ${use[2]}`) : "";
      return tag("tr", {}, tag("td", {}, use[0]), tag("td", {}, tag("code", {}, use[1]), stored),
        tag("td", {}, tag("span", { class: `proof ${look}` }, `${sign} ${proof(use)}`)), tag("td", {}, tag("code", {}, use[5])));
    };
    const head = tag("tr", {}, ["role", "column", "proof", "type"].map((text) => tag("th", { scope: "col" }, text)));
    const table = tag("div", { class: "scroll" }, tag("table", {}, tag("thead", {}, head), tag("tbody", {}, item.c.map(line))));
    return part("Columns", table, item.s ? tag("p", { class: "quiet" }, `Selects ${item.s}`) : "");
  }
  const findings = (item) => part("Findings", tag("ul", { class: "findings" }, item.w.map(([weight, code, place, key, message, fix]) =>
    tag("li", { class: weight },
      tag("p", {}, tag("b", {}, weight), " ", tag("code", {}, code), " ", tag("span", { class: "quiet" }, [place, key].filter(Boolean).join(" · "))),
      tag("p", {}, message), fix ? tag("p", { class: "fix" }, fix) : ""))));

  function draw(row, item) {
    const kindClass = row.querySelector(".kind").classList[1];
    const body = tag("div", { class: "body" });
    const where = [item.p, item.r && `reads ${item.r}`].filter(Boolean);
    if (where.length) body.append(tag("p", { class: "where" }, where.map((text) => tag("span", {}, text))));
    for (const [tone, ...texts] of item.t ?? []) body.append(tag("div", { class: `notice ${tone}` }, texts.map((text) => tag("p", {}, text))));
    if (item.w) body.append(findings(item));
    if (item.f) body.append(part("What changes", fields(item.f, false)));
    if (item.c || item.l) body.append(tag("figure", { tabindex: "0", "aria-label": "Lineage" }, picture(item, kindClass)));
    if (item.c) body.append(columns(item));
    if (item.q) body.append(part("SQL", lines(item.q, true)));
    if (item.d) {
      const all = fields(item.d, true);
      body.append(item.f ? tag("details", {}, tag("summary", {}, "Everything declared"), all) : part("Declared", all));
    }
    if (!body.childElementCount) body.append(tag("p", { class: "quiet" }, "Nothing more is known of it."));
    row.append(body);
    const figure = body.querySelector("figure");
    /* Measuring costs a layout; only a narrow screen has to scroll to the source's own end of the picture. */
    if (figure && matchMedia("(max-width: 62rem)").matches) figure.scrollLeft = figure.scrollWidth;
  }
  const ensure = (at) => { if (rows[at].childElementCount < 2) draw(rows[at], item(at)); };

  /* ---- filters ---- */
  const search = byId("search"), kind = byId("kind"), count = byId("count"), none = byId("none");
  const tiles = [...document.querySelectorAll(".tile")], groups = [...document.querySelectorAll(".group")];
  let states, kinds, groupOf, text;
  /* What filters compare, made when somebody filters: opening the page stays quick. */
  function prepare() {
    states = rows.map((row) => row.firstElementChild.firstElementChild.textContent);
    groupOf = rows.map((row) => groups.indexOf(row.parentElement));
    kinds = rows.map((_, at) => item(at).k);
    text = rows.map((_, at) => {
      const { n, k, u, p, r, s, c = [], w = [], l = [] } = item(at);
      return [n, k, u, p, r, states[at], s, ...c.flatMap((use) => [use[0], use[1]]), ...w.map((found) => found[1]),
        ...l.map((node) => node[0])].join("\n").toLowerCase();
    });
  }
  function filter() {
    if (!text) prepare();
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Set(tiles.filter((tile) => tile.getAttribute("aria-pressed") === "true").map((tile) => tile.dataset.state));
    const shown = groups.map(() => 0);
    rows.forEach((row, at) => {
      const fits = (!chosen.size || chosen.has(states[at])) && (!kind?.value || kinds[at] === kind.value)
        && words.every((word) => text[at].includes(word));
      if (row.hidden === fits) row.hidden = !fits;
      if (fits) shown[groupOf[at]] += 1;
    });
    groups.forEach((group, at) => {
      group.hidden = !shown[at];
      group.querySelector("h2 .quiet").textContent = shown[at].toLocaleString("en");
    });
    const total = shown.reduce((sum, some) => sum + some, 0);
    count.textContent = `${total.toLocaleString("en")} shown`;
    none.hidden = total > 0;
  }
  let waiting = 0;
  const soon = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(filter); };

  function openAll(button) {
    const opening = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(opening));
    button.textContent = opening ? "Close all" : "Open all";
    const todo = [...rows.keys()].filter((at) => rows[at].open !== opening && (!opening || !rows[at].hidden));
    const step = () => {
      const end = performance.now() + 24;
      while (todo.length && performance.now() < end) {
        const at = todo.shift();
        if (opening) ensure(at);
        rows[at].open = opening;
      }
      if (todo.length && button.getAttribute("aria-pressed") === String(opening)) setTimeout(step, 16);
    };
    step();
  }
  function follow() {
    const at = rows.findIndex((row) => `#${row.id}` === location.hash);
    if (at < 0) return;
    ensure(at);
    rows[at].open = true;
    rows[at].scrollIntoView();
  }

  document.addEventListener("toggle", ({ target }) => {
    if (target.open && target.parentElement.className === "group") ensure(Number(target.id.slice(1)));
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
  addEventListener("hashchange", follow);
  follow();
})();
