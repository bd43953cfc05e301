"""A dbt command line as we read it, against dbt's own reading."""

from __future__ import annotations

import warnings

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dbt_statsig.project import dbt_command as dbt_line
from dbt_statsig.project.dbt_command import DbtLine, place_of_dbt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # dbt 1.8 uses what click has renamed since
    from dbt.cli.main import cli
    from dbt.cli.options import MultiOption

pytestmark = [pytest.mark.dbt, pytest.mark.engines]

WORDS = (
    "--target -t -tprod -xtprod -qft --target=ci -x -s -sa --select --exclude a prod --empty --no-empty --full-refresh "
    "--vars {} --threads 4 -mb --defer"
)


def options(group: click.Command) -> set[click.Option]:
    """The options of a dbt command and of all commands below it."""
    found = {one for one in group.params if isinstance(one, click.Option)}
    for command in (group.commands if isinstance(group, click.Group) else {}).values():
        found |= options(command)
    return found


def test_every_option_of_dbt_is_known() -> None:
    """For each option of this dbt we know whether it takes no word, one, or all up to the next option."""
    for option in options(cli):
        takes = "none" if option.is_flag else "many" if isinstance(option, MultiOption) else "one"
        for name in (one for one in option.opts if one.startswith("--")):
            known = "many" if name in dbt_line._MANY_WORDS else "one" if name in dbt_line._ONE_WORD else "none"
            assert known == takes, name


def test_every_command_of_dbt_is_known() -> None:
    """The words that dbt takes for a command are known, so that dbt is found behind whatever starts it."""
    assert set(cli.commands) <= dbt_line.COMMANDS


@given(
    before=st.lists(st.sampled_from(("-x", "-q", "-qt", "prod"))), after=st.lists(st.sampled_from(WORDS), max_size=6)
)
@settings(max_examples=150)
def test_any_line_is_read_as_dbt_reads_it(before: list[str], after: list[str]) -> None:
    """Whatever is on a command line that dbt takes, we find the command, the target and `--empty` as dbt does."""
    words = [*before, "build", *after]
    try:
        outer = cli.make_context("dbt", list(words), resilient_parsing=False)
        first = vars(outer).get("_protected_args") or vars(outer).get("protected_args") or []
        rest = [*first, *outer.args]
        if not rest:
            return  # `-qt build`: a target, and no command
        name, command, rest = cli.resolve_command(outer, rest)
        assert command is not None
        inner = command.make_context(name, list(rest), parent=outer)
    except (click.ClickException, click.exceptions.Exit):
        return
    if inner.params.get("target") and outer.params.get("target"):
        return  # dbt itself refuses two
    read = dbt_line.dbt_line(words)
    assert read.command == name
    assert read.value("--target", {}) == (inner.params.get("target") or outer.params.get("target") or "")
    assert read.is_on("--empty", {}) == inner.params["empty"]
    assert place_of_dbt(["uvx", "--from", "dbt", "dbt", *words]) == 3


def test_variables_of_dbt() -> None:
    """The newer variable of an option comes before the older, and the command line before both."""
    both = {"DBT_ENGINE_TARGET": "new", "DBT_TARGET": "old"}
    assert DbtLine().value("--target", both) == "new"
    assert DbtLine().value("--target", {"DBT_TARGET": "old"}) == "old"
    assert DbtLine(options={"--target": "given"}).value("--target", both) == "given"
