"""The page that shows what the emulator holds: no script, nothing from elsewhere, every value escaped."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

from dbt_statsig.emulator.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["page", "page_headers"]

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --dim: #777; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { color: var(--dim); } .wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid var(--line); padding: .5rem .75rem .5rem 0; text-align: left; vertical-align: top; }
td:first-child { font-weight: 600; min-width: 10rem; overflow-wrap: anywhere; }
pre { background: var(--soft); border-radius: 4px; font-size: .85rem; margin: 0; max-height: 16rem; overflow: auto;
  padding: .5rem; white-space: pre-wrap; }
ul { list-style: none; margin: 0; padding: 0; } small { color: var(--dim); white-space: pre-line; }
"""

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Console emulator</title><style>{{ style | safe }}</style></head><body>
<h1>Console emulator</h1>
<p>Objects that this local Console API holds.</p>
{% for kind, sources in kinds %}
<h2>{{ kind.title }}s ({{ sources | length }})</h2>
{% if sources %}<div class="wide"><table>
<thead><tr><th>Name</th><th>Columns</th><th>Query or table</th><th>Description</th></tr></thead><tbody>
{% for source in sources %}<tr>
<td>{{ source.name }}{% for tag in source.tags %} <small>#{{ tag }}</small>{% endfor %}</td>
<td><ul>{% for label, value in columns(source) %}<li>{{ label }} <code>{{ value }}</code></li>{% endfor %}</ul></td>
<td><pre>{{ source.tableName if source.sourceType == "table" else source.sql }}</pre></td>
<td><small>{{ source.description }}</small></td>
</tr>{% endfor %}
</tbody></table></div>{% else %}<p>None.</p>{% endif %}
{% endfor %}
<h2>Metrics ({{ metrics | length }})</h2>
{% if metrics %}<div class="wide"><table>
<thead><tr><th>Name</th><th>Value over all rows</th><th>Definition</th><th>Description</th></tr></thead><tbody>
{% for metric, value in metrics %}<tr>
<td>{{ metric.name }}{% for tag in metric.tags %} <small>#{{ tag }}</small>{% endfor %}</td>
<td>{{ "" if value is none else value }}</td>
<td><pre>{{ (metric.warehouseNative or {}) | tojson(2) }}</pre></td>
<td><small>{{ metric.description }}</small></td>
</tr>{% endfor %}
</tbody></table></div>{% else %}<p>None.</p>{% endif %}
{% for title, items in lists %}<h2>{{ title }} ({{ items | length }})</h2>
<p>{% for item in items %}{{ item.name or item.id }}{% if not loop.last %}, {% endif %}{% else %}None.{% endfor %}</p>
{% endfor %}
</body></html>
"""

_COLUMNS = {
    "timestampColumn": "time",
    "experimentIDColumn": "experiment",
    "groupIDColumn": "group",
    "groupNameColumn": "group name",
    "datePartitionColumn": "partition",
}
_LISTS = {"tags": "Tags", "unit_id_types": "Unit IDs", "experiments": "Experiments"}


def page(content: Mapping[str, Any], value_of: Callable[[Mapping[str, Any]], Any] | None = None) -> str:
    """The whole page for what `State.as_seed` gives; `value_of` gives a metric's value."""
    template = Environment(autoescape=True, trim_blocks=True).from_string(_TEMPLATE)
    return template.render(
        style=_STYLE,
        kinds=[(kind, content[kind.collection]) for kind in KINDS.values()],
        lists=[(title, content[name]) for name, title in _LISTS.items()],
        columns=_columns,
        metrics=[(one, None if value_of is None else value_of(one)) for one in content["metrics"]],
    )


def page_headers() -> dict[str, str]:
    """Headers that let the page's own style in, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }


def _columns(source: Mapping[str, Any]) -> list[tuple[str, str]]:
    named = [(label, source[field]) for field, label in _COLUMNS.items() if source.get(field)]
    units = [(item.get("statsigUnitID"), item.get("column")) for item in source.get("idTypeMapping") or []]
    formulas = [(item.get("key"), item.get("formula")) for item in source.get("customFieldMapping") or []]
    return named + units + formulas
