"""The macros where dbt runs no Python, as on dbt 2: what they say, and what switches them off."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import Environment, FileSystemLoader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MACROS = Path(__file__).resolve().parents[2] / "macros"


class _Returned(Exception):
    """How dbt's `return` ends a macro."""


class _Failed(Exception):
    """What dbt raises for a macro that fails with a message."""


def call(
    name: str, *arguments: Any, which: str = "build", variables: Mapping[str, Any], environ: Mapping[str, str]
) -> str:
    """What a macro logs, or fails with, in a dbt without our plugin."""
    logged: list[str] = []

    def give(value: object) -> None:
        raise _Returned(value)

    def fail(text: str) -> None:
        raise _Failed(text)

    package = SimpleNamespace()
    names = {
        "execute": True,
        "modules": SimpleNamespace(),
        "flags": SimpleNamespace(WHICH=which),
        "target": SimpleNamespace(name="prod"),
        "var": variables.get,
        "env_var": environ.get,
        "return": give,
        "log": lambda text, *, info: logged.append(text) if info else None,
        "exceptions": SimpleNamespace(raise_compiler_error=fail),
        "dbt_statsig": package,
    }
    templates = Environment(loader=FileSystemLoader(MACROS), extensions=["jinja2.ext.do"])  # noqa: S701 - no HTML
    for file in MACROS.glob("*.sql"):
        setattr(
            package, file.stem, _returning(getattr(templates.get_template(file.name, globals=names).module, file.stem))
        )
    try:
        getattr(package, name)(*arguments)
    except _Failed as failed:
        return str(failed)
    return " ".join(logged)


def _returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _Returned as returned:
            return returned.args[0]

    return called


OFF = [({"statsig_enabled": False}, {}), ({"statsig_enabled": "false"}, {}), ({}, {"DBT_STATSIG_ENABLED": "0"})]
OPERATIONS = ("statsig_validate", "statsig_plan", "statsig_sync")


@pytest.mark.parametrize("which", ["build", "run"])
def test_the_hook_says_what_pushes(which: str) -> None:
    """After `dbt build` and `dbt run` the hook names the command that pushes: true inside `dbt-statsig run` too."""
    output = call("statsig_sync_results", [], which=which, variables={}, environ={})
    assert "this hook pushes nothing" in output
    assert f"dbt-statsig run -- dbt {which} --target prod" in output
    output = call("statsig_sync_results", [], which=which, variables={"statsig_reload": True}, environ={})
    assert f"dbt-statsig run --reload -- dbt {which} --target prod" in output


@pytest.mark.parametrize("which", ["compile", "test", "seed"])
def test_the_hook_is_silent_after_other_commands(which: str) -> None:
    """After a command that the hook would not follow it says nothing."""
    assert call("statsig_sync_results", [], which=which, variables={}, environ={}) == ""


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_names_the_command(name: str) -> None:
    """A run-operation fails with the command to run instead."""
    output = call(name, variables={"statsig_enabled": True}, environ={"DBT_STATSIG_ENABLED": "1"})
    assert f"run: dbt-statsig {name.removeprefix('statsig_')} --target prod" in output


@pytest.mark.parametrize(("variables", "environ"), OFF)
def test_switched_off(variables: dict[str, Any], environ: dict[str, str]) -> None:
    """The var and the environment switch off every macro, also where dbt runs no Python."""
    assert call("statsig_sync_results", [], variables=variables, environ=environ) == ""
    assert [call(name, variables=variables, environ=environ) for name in OPERATIONS] == ["", "", ""]
