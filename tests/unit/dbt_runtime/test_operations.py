"""Macros' calls with a stand-in for dbt where the real one would not behave so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from dbt_statsig.dbt_runtime import hooks, operations
from dbt_statsig.dbt_runtime import hooks as marks
from dbt_statsig.dbt_runtime.artifact import DeclaredArtifact
from dbt_statsig.dbt_runtime.call import Call
from dbt_statsig.errors import DbtStatsigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Failed(Exception):
    """What this dbt raises for a failed operation."""


class Dbt:
    """A dbt that keeps what it is given."""

    def __init__(self) -> None:
        self.output: list[str] = []
        self.warned: list[str] = []

    def selected(self, select: list[str], exclude: list[str]) -> frozenset[str]:
        """Take each word for a unique ID."""
        return frozenset([*select, *exclude])

    def compiled(self, unique_ids: Iterable[str]) -> dict[str, str]:
        """The same SQL for all."""
        return dict.fromkeys(unique_ids, "select 1")

    def say(self, text: str) -> None:
        """Keep it."""
        self.output.append(text)

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warned.append(text)

    def failing_sql(self, text: str) -> str:
        """No SQL, with the text in it."""
        return f"fail: {text}"

    def fail(self, text: str) -> None:
        """Raise, as dbt does."""
        raise Failed(text)


class Explosive:
    """A manifest that nothing can be read from."""

    def __getattr__(self, name: str) -> Any:
        """Fail."""
        raise RuntimeError(name)


def call(folder: Path, **fields: Any) -> Call:
    """A call during `dbt run`, unless given otherwise."""
    given: dict[str, Any] = {
        "dbt": Dbt(),
        "manifest": SimpleNamespace(nodes={}),
        "which": "run",
        "invocation_id": "run-9",
        "target": "dev",
        "project_dir": folder,
        "target_path": folder / "target",
        **fields,
    }
    return Call(**given)


def test_hooks_raise_nothing(tmp_path: Path) -> None:
    """Whatever is wrong within, the hook gives its text and a warning that says no more than the kind of fault."""
    results = [SimpleNamespace(node=SimpleNamespace(unique_id="model.a.b"), status="success")]
    broken = call(tmp_path, manifest=Explosive())
    assert hooks.push_results(broken, results) == ""
    assert broken.dbt.warned == ["internal error (RuntimeError)."]  # type: ignore[attr-defined]  # the stand-in's
    (tmp_path / "dbt_statsig.yml").write_text("on_failure: fail", encoding="utf-8")
    assert hooks.push_results(broken, results) == "fail: internal error (RuntimeError)."


def test_faulty_settings_are_reported(tmp_path: Path) -> None:
    """Settings that cannot be read are one warning; the job is not failed by what nobody could set."""
    (tmp_path / "dbt_statsig.yml").write_text("on_failure: perhaps", encoding="utf-8")
    faulty = call(tmp_path)
    assert hooks.push_results(faulty, []) == ""
    assert "on_failure" in faulty.dbt.warned[0]  # type: ignore[attr-defined]  # the stand-in's


@pytest.mark.parametrize("off", [{"is_on": False}, {"is_empty": True}, {"which": "test"}, {"unique_id": ""}])
def test_a_hook_that_has_nothing_to_do(tmp_path: Path, off: dict[str, Any]) -> None:
    """Switched off, without rows, in another command or without a model: nothing is marked and nothing pushed."""
    idle = call(tmp_path, **{"unique_id": "model.a.b", **off})
    assert hooks.mark_model(idle) == ""
    assert marks.take("run-9") == frozenset()
    if "unique_id" not in off:
        assert hooks.push_results(idle, [Explosive()]) == ""


def test_switched_off_by_the_settings(tmp_path: Path) -> None:
    """`enabled: false` in the project's settings switches hooks off too."""
    (tmp_path / "dbt_statsig.yml").write_text("enabled: false", encoding="utf-8")
    assert hooks.push_results(call(tmp_path), [Explosive()]) == ""


def test_an_operation_in_a_hook(tmp_path: Path) -> None:
    """An operation called from a hook fails with the name of the macro for hooks."""
    with pytest.raises(Failed, match="statsig_sync_results"):
        operations.sync_operation(call(tmp_path))


def test_a_dbt_that_does_not_raise(tmp_path: Path) -> None:
    """Where dbt let a failure pass, the error itself is raised: nothing goes on after it."""
    patient = Dbt()
    patient.fail = patient.say  # type: ignore[method-assign]  # that is the point
    with pytest.raises(DbtStatsigError):
        operations.plan_operation(call(tmp_path, dbt=patient))


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The artifact raises nothing: what is wrong is reported once."""
    shown: list[str] = []
    DeclaredArtifact(Explosive(), project_dir=tmp_path, target="dev", warn=shown.append).write(
        str(tmp_path / "target" / "statsig.json")
    )
    assert shown == ["statsig.json was not written (RuntimeError: metadata)."]
