"""The page that shows what the emulator holds: every value escaped, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from dbt_statsig.emulator.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["page", "page_headers"]

_STYLE = """
:root { color-scheme: light dark; --line: #d0d5dd; --soft: #f2f4f7; --dim: #545c69; --good: #13693b; --bad: #a3211a;
  --paper: #fff; --ink: #1b1f24; }
@media (prefers-color-scheme: dark) {
  :root { --line: #3b424e; --soft: #21262e; --dim: #a9b1bd; --good: #6fd39b; --bad: #ff9a92;
    --paper: #14171c; --ink: #e6e9ee; } }
html { background: var(--paper); color: var(--ink); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { color: var(--dim); margin: .25rem 0; } .wide { overflow-x: auto; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0; } a { color: inherit; }
table { border-collapse: collapse; width: 100%; }
th { font-weight: 600; color: var(--dim); }
th, td { border-top: 1px solid var(--line); padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: top; }
td:first-child { font-weight: 600; min-width: 10rem; overflow-wrap: anywhere; }
code, pre { background: var(--soft); border-radius: 4px; font-size: .85rem; } code { padding: .1rem .3rem; }
pre { margin: 0; max-height: 16rem; overflow: auto; padding: .5rem; white-space: pre-wrap; }
ul { list-style: none; margin: 0; padding: 0; } small { color: var(--dim); white-space: pre-line; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
"""

# Asks again every two seconds, and draws only what has changed. Values of metrics are queries of the warehouse, which
# another process may want to write: they are asked for again only where a metric has changed.
_SCRIPT = """
setInterval(async () => {
  try {
    const answer = await fetch("/?values=no");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of fresh.querySelectorAll("main > section")) {
      const shown = document.getElementById(part.id);
      if (part.dataset.of !== shown.dataset.of) location.reload();
      if (!part.dataset.of && shown.innerHTML !== part.innerHTML) shown.innerHTML = part.innerHTML;
    }
    document.getElementById("state").textContent = "";
  } catch { document.getElementById("state").textContent = "The emulator does not answer."; }
}, 2000);
"""

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%23325d88'/%3E"
    "%3Cpath d='M3 12V8m4 4V4m4 8V6' stroke='white' stroke-width='2' fill='none'/%3E%3C/svg%3E"
)

_TEMPLATE = """{% macro scrolled(label) %}<div class="wide" tabindex="0" role="region" aria-label="{{ label }}">
{{ caller() }}</div>{% endmacro %}
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Console emulator</title><link rel="icon" href="{{ icon }}"><style>{{ style | safe }}</style></head><body>
<header><h1>Console emulator</h1>
<p>A Console API on this machine. Address <code>{{ address }}</code>, key <code>{{ key }}</code>.
What changes here is shown within seconds.</p>
<p id="state" role="status" class="bad"></p>
<nav aria-label="Parts">
{% for id, title in parts %}<a href="#{{ id }}">{{ title }}</a>
{% endfor %}</nav></header><main>
{% for kind, sources in kinds %}
<section id="{{ kind.collection }}"><h2>{{ kind.title }}s ({{ sources | length }})</h2>
{% if sources %}{% call scrolled(kind.title + "s") %}<table>
<thead><tr><th>Name</th><th>Columns</th><th>Query or table</th><th>Description</th></tr></thead><tbody>
{% for source in sources %}<tr>
<td>{{ source.name }}{% for tag in source.tags %} <small>#{{ tag }}</small>{% endfor %}</td>
<td><ul>{% for label, value in columns(source) %}<li>{{ label }} <code>{{ value }}</code></li>{% endfor %}</ul></td>
<td><pre tabindex="0">{{ source.tableName if source.sourceType == "table" else source.sql }}</pre></td>
<td><small>{{ source.description }}</small></td>
</tr>{% endfor %}
</tbody></table>{% endcall %}{% else %}<p>None.</p>{% endif %}</section>
{% endfor %}
<section id="metrics" data-of="{{ version }}"><h2>Metrics ({{ metrics | length }})</h2>
{% if metrics %}{% call scrolled("Metrics") %}<table>
<thead><tr><th>Name</th><th>Value over all rows</th><th>Definition</th><th>Description</th></tr></thead><tbody>
{% for metric, value in metrics %}<tr>
<td>{{ metric.name }}{% for tag in metric.tags %} <small>#{{ tag }}</small>{% endfor %}</td>
<td>{{ "" if value is none else value }}</td>
<td><pre tabindex="0">{{ (metric.warehouseNative or {}) | tojson(2) }}</pre></td>
<td><small>{{ metric.description }}</small></td>
</tr>{% endfor %}
</tbody></table>{% endcall %}{% else %}<p>None.</p>{% endif %}</section>
<section id="experiments"><h2>Experiments ({{ experiments | length }})</h2>
{% if experiments %}{% call scrolled("Experiments") %}<table>
<thead><tr><th>Name</th><th>Status</th><th>Assignment source</th><th>Metrics</th><th>Loads of results</th></tr></thead>
<tbody>
{% for one in experiments %}<tr>
<td>{{ one.name or one.id }}</td><td>{{ one.status }}</td><td>{{ one.assignmentSourceName or "" }}</td>
<td>{% for name in measured(one) %}<code>{{ name }}</code> {% endfor %}</td>
<td>{% for load in loads(one) %}{{ load.reloadType }}: {{ load.finishedState or "under way" }}<br>{% endfor %}</td>
</tr>{% endfor %}
</tbody></table>{% endcall %}{% else %}<p>None.</p>{% endif %}</section>
<section id="lists">{% for title, items in lists %}<h2>{{ title }} ({{ items | length }})</h2>
<p>{% for item in items %}{{ item.name or item.id }}{% if not loop.last %}, {% endif %}{% else %}None.{% endfor %}</p>
{% endfor %}</section>
<section id="faults"><h2>Faults ({{ faults | length }})</h2>
{% if faults %}{% call scrolled("Faults") %}<table>
<thead><tr><th>Fault</th><th>Requests</th><th>Hit</th></tr></thead><tbody>
{% for fault in faults %}<tr><td>{{ fault.action }}</td>
<td><code>{{ fault.match.method or "any method" }} {{ fault.match.path or "any path" }}</code></td>
<td>{{ fault.hits }}{% if fault.times %} of {{ fault.times }}{% endif %}</td></tr>{% endfor %}
</tbody></table>{% endcall %}{% else %}<p>None.</p>{% endif %}</section>
<section id="requests"><h2>Requests ({{ count }})</h2>
{% if requests %}{% if count > requests | length %}<p>The newest {{ requests | length }}.</p>{% endif %}
{% call scrolled("Requests") %}<table>
<thead><tr><th>Request</th><th>Answer</th><th>Body</th></tr></thead><tbody>
{% for one in requests %}<tr>
<td><code>{{ one.method }} {{ one.path }}{% if one.query %}?{{ one.query }}{% endif %}</code></td>
<td class="{{ "good" if 200 <= one.status < 300 else "bad" }}">{{ one.status or "dropped" }}</td>
<td>{% if one.body %}<pre tabindex="0">{{ one.body | tojson(2) if one.body is not string else one.body }}</pre>
{% endif %}</td></tr>{% endfor %}
</tbody></table>{% endcall %}{% else %}<p>None.</p>{% endif %}</section>
</main><script>{{ script | safe }}</script></body></html>
"""

_COLUMNS = {
    "timestampColumn": "time",
    "experimentIDColumn": "experiment",
    "groupIDColumn": "group",
    "groupNameColumn": "group name",
    "datePartitionColumn": "partition",
}
_LISTS = {"tags": "Tags", "unit_id_types": "Unit IDs"}
_PARTS = (
    ("metrics", "Metrics"),
    ("experiments", "Experiments"),
    ("lists", "Tags and unit IDs"),
    ("faults", "Faults"),
    ("requests", "Requests"),
)
_MEASURED = ("primaryMetrics", "secondaryMetrics", "otherMetrics")
_SHOWN_REQUESTS = 50
_SHOWN_LOADS = 3


def page(
    content: Mapping[str, Any],
    value_of: Callable[[Mapping[str, Any]], Any] | None = None,
    *,
    address: str = "",
    key: str = "",
    faults: Sequence[Mapping[str, Any]] = (),
    log: Sequence[Any] = (),
) -> str:
    """The whole page for what `State.as_seed` gives; `value_of` gives a metric's value (None: not asked)."""
    loads: dict[str, list[Mapping[str, Any]]] = {}
    for load in content["pulse_loads"]:
        loads.setdefault(load["experimentID"], []).insert(0, load)
    kinds = [(kind, content[kind.collection]) for kind in KINDS.values()]
    parts = [(kind.collection, f"{kind.title}s") for kind, _ in kinds]
    return (
        Environment(autoescape=True, trim_blocks=True)
        .from_string(_TEMPLATE)
        .render(
            style=_STYLE,
            script=_SCRIPT,
            icon=_ICON,
            address=address,
            key=key,
            parts=[*parts, *_PARTS],
            kinds=kinds,
            lists=[(title, content[name]) for name, title in _LISTS.items()],
            columns=_columns,
            metrics=[(one, None if value_of is None else value_of(one)) for one in content["metrics"]],
            version=hashlib.sha256(repr(content["metrics"]).encode()).hexdigest(),
            experiments=content["experiments"],
            measured=_measured,
            loads=lambda one: loads.get(one["id"], [])[:_SHOWN_LOADS],
            faults=faults,
            requests=list(reversed(log))[:_SHOWN_REQUESTS],
            count=len(log),
        )
    )


def page_headers() -> dict[str, str]:
    """Headers that let the page's own style, script and icon in, and nothing else."""
    policy = (
        f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _measured(experiment: Mapping[str, Any]) -> list[str]:
    return [metric["name"] for field in _MEASURED for metric in experiment.get(field) or [] if metric.get("name")]


def _columns(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    named = [(label, source[field]) for field, label in _COLUMNS.items() if source.get(field)]
    units = [(item.get("statsigUnitID"), item.get("column")) for item in source.get("idTypeMapping") or []]
    formulas = [(item.get("key"), item.get("formula")) for item in source.get("customFieldMapping") or []]
    return named + units + formulas
