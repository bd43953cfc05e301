"""The columns that `dbt seed` makes of a CSV file's header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.columns.expand import Known

if TYPE_CHECKING:
    from dbt_statsig.artifacts.nodes import Node
    from dbt_statsig.columns.adapters import Adapter

# Whether names are quoted where `quote_columns` does not say: dbt's documentation of that setting. Other adapters
# that fold names may differ.
QUOTED = {"postgres": True, "snowflake": False}


def seed_columns(adapter: Adapter, node: Node, names: tuple[str, ...] | str) -> Known:
    """The columns of a seed with these names in its file; nothing where there is a reason instead."""
    if isinstance(names, str):
        return Known(reasons=(f"{node.name}: a seed {names}",))
    said = node.config.get("quote_columns")
    choices = {said} if isinstance(said, bool) else {QUOTED.get(adapter.name, True), QUOTED.get(adapter.name, False)}
    stored = {tuple(adapter.stored(name, quoted=quoted) for name in names) for quoted in choices}
    if len(stored) > 1:
        return Known(reasons=(f"{node.name}: a seed whose `quote_columns` is not set",))
    return Known(names=stored.pop())
