"""The plugin that dbt-core 1.x loads: the only file that imports dbt.

It gives macros `modules.statsig` and writes target/statsig.json. dbt aborts a command on anything that a plugin
raises, so nothing is: what goes wrong is one warning. How dbt 1.8 to 1.12 behaves was seen by running each.
"""

from __future__ import annotations

import copy
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import dbt.context.base
import jinja2
from dbt.events.types import JinjaLogInfo, JinjaLogWarning
from dbt.plugins.manager import dbt_hook, dbtPlugin
from dbt_common.events.functions import fire_event
from dbt_common.exceptions import DbtBaseException, DbtRuntimeError

from dbt_statsig import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dbt_statsig.dbt_runtime.call import Call

MODULE = "statsig"
FAILING_SQL = "dbt_statsig_could_not_push"
VARIABLE = "statsig_enabled"
RELOAD = "statsig_reload"
_PATCHED = "dbt_statsig_patched"


def warn(text: str) -> None:
    """One warning in dbt's log, and never more: our trouble is not the project's.

    Under `--warn-error` dbt 1.12 (1.10 with a flag) raises for any event of that level, before anything is logged: then
    it is an event of the level below.
    """
    from dbt_statsig.console.key import redacted  # only where something went wrong

    message = f"[WARNING]: dbt-statsig: {redacted(text, os.environ)}"
    try:
        fire_event(JinjaLogWarning(msg=message))
    except Exception:  # noqa: BLE001 - dbt would abort the user's command
        fire_event(JinjaLogInfo(msg=message))


class DbtStatsigPlugin(dbtPlugin):
    """What dbt makes one of for each command."""

    def initialize(self) -> None:
        """Give macros `modules.statsig`."""
        try:
            _add_module()
        except Exception as error:  # noqa: BLE001 - dbt would abort the user's command
            warn(f"macros cannot use it with this dbt ({type(error).__name__}: {error}).")

    @dbt_hook  # type: ignore[untyped-decorator]  # dbt's
    def get_manifest_artifacts(self, manifest: Any) -> dict[str, Any]:
        """target/statsig.json, for dbt to write."""
        try:
            from dbt.adapters.factory import FACTORY  # not there before dbt has a profile

            from dbt_statsig.dbt_runtime.artifact import FILE_NAME, DeclaredArtifact  # only at a parse

            adapter: Any = next(iter(FACTORY.adapters.values()))
            config = adapter.config
            root = Path(config.project_root)
            artifact = DeclaredArtifact(manifest, project_dir=root, target=config.target_name, warn=warn)
            return {str(root / config.project_target_path / FILE_NAME): artifact}
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"statsig.json was not written ({type(error).__name__}: {error}).")
            return {}


plugins = [DbtStatsigPlugin]


def _add_module() -> None:
    """Let dbt's `modules` hold ours. It has no hook for that, so the function that makes them is wrapped, once."""
    original = dbt.context.base.get_context_modules
    if hasattr(original, _PATCHED):
        return

    @functools.wraps(original)
    def with_ours() -> dict[str, dict[str, Any]]:
        return {**original(), MODULE: dict(FUNCTIONS)}

    setattr(with_ours, _PATCHED, True)
    dbt.context.base.get_context_modules = with_ours


class _RunningDbt:
    """The dbt that a macro was called from."""

    def __init__(self, context: Any, config: Any, manifest: Any) -> None:
        self._context = context
        self._config = config
        self._manifest = manifest

    def selected(self, select: list[str], exclude: list[str]) -> frozenset[str]:
        from dbt.artifacts.resources.types import NodeType  # only where something is selected
        from dbt.compilation import Linker
        from dbt.graph.cli import parse_difference
        from dbt.graph.graph import Graph
        from dbt.graph.selector import ResourceTypeSelector

        from dbt_statsig.errors import UsageError

        try:
            linker = Linker()
            linker.link_graph(self._manifest)
            selector = ResourceTypeSelector(
                graph=Graph(linker.graph),
                manifest=self._manifest,
                previous_state=None,
                resource_types=[NodeType.Model, NodeType.Snapshot, NodeType.Seed, NodeType.Source],
                include_empty_nodes=True,
            )
            return frozenset(selector.get_selected(parse_difference(select or None, exclude or None)))
        except DbtBaseException as error:
            raise UsageError(f"dbt cannot answer the selection: {error}") from error

    def compiled(self, unique_ids: Iterable[str]) -> Mapping[str, str]:
        from dbt.compilation import Compiler  # only where something is not compiled

        compiler = Compiler(self._config)
        result = {unique_id: self._compiled(compiler, unique_id) for unique_id in unique_ids}
        return {unique_id: sql for unique_id, sql in result.items() if sql}

    def _compiled(self, compiler: Any, unique_id: str) -> str | None:
        try:
            # A copy: dbt takes a node for compiled where its own holds the code.
            node = copy.deepcopy(self._manifest.nodes[unique_id])
            sql: str | None = compiler.compile_node(node, self._manifest, write=False).compiled_code
        except Exception as error:  # noqa: BLE001 - a model's own SQL may raise anything; its columns stay unknown
            warn(f"{unique_id} could not be compiled ({type(error).__name__}).")
            return None
        return sql

    def say(self, text: str) -> None:
        from dbt_statsig.console.key import without_keys  # only where something is written

        text = without_keys(text, os.environ)
        if self._context["flags"].WHICH in ("run", "build"):
            self._context["log"](text, info=True)
        else:
            self._context["print"](text)

    def warn(self, text: str) -> None:
        warn(text)

    def failing_sql(self, text: str) -> str:
        from dbt.adapters.factory import get_adapter  # only where something went wrong

        from dbt_statsig.console.key import redacted

        return _failing_sql(get_adapter(self._config), f"dbt-statsig: {redacted(text, os.environ)}")

    def fail(self, text: str) -> None:
        from dbt_statsig.console.key import redacted  # only where something went wrong

        raise DbtRuntimeError(redacted(text, os.environ))


def _failing_sql(adapter: Any, text: str) -> str:
    """A text that is no SQL on any warehouse: where the adapter is to run it, dbt's own error says why instead.

    A hook that raises by itself costs dbt its summary and its exit code 1 (seen on 1.8 to 1.12).
    """
    execute = adapter.execute

    def failing(sql: str, *given: Any, **named: Any) -> Any:
        if sql.strip() != FAILING_SQL:
            return execute(sql, *given, **named)
        adapter.execute = execute
        raise DbtRuntimeError(text)

    adapter.execute = failing
    return FAILING_SQL


def _call(context: Any) -> Call:
    """What dbt knows at this moment. The resolver behind `ref` holds the live manifest, on every dbt 1.x."""
    from dbt_statsig.dbt_runtime.call import Call, switch  # only when a macro calls

    ref = context["builtins"]["ref"]
    config, flags = ref.config, context["flags"]
    root = Path(config.project_root)
    return Call(
        dbt=_RunningDbt(context, config, ref.manifest),
        manifest=ref.manifest,
        which=flags.WHICH,
        invocation_id=context["invocation_id"],
        target=context["target"]["name"],
        project_dir=root,
        target_path=root / config.project_target_path,
        is_on=switch(context["var"](VARIABLE, default=True), VARIABLE),
        is_empty=_is_empty(flags),
        reloads=switch(context["var"](RELOAD, default=False), RELOAD),
        full_refresh=bool(getattr(flags, "FULL_REFRESH", False)),
        unique_id=context["model"].get("unique_id", "") if "model" in context else "",
    )


def _is_empty(flags: Any) -> bool:
    """Whether dbt builds without rows. dbt 1.8.0 has no flag of that name, but the option that was given."""
    command = click.get_current_context(silent=True)
    return bool(getattr(flags, "EMPTY", False) or (command is not None and command.params.get("empty")))


def _for_operation(name: str) -> Callable[..., dict[str, Any]]:
    @jinja2.pass_context
    def operation(context: Any, **given: Any) -> dict[str, Any]:
        from dbt_statsig.dbt_runtime import operations  # only when a macro calls

        function: Callable[..., dict[str, Any]] = getattr(operations, f"{name}_operation")
        return function(_call(context), **given)

    return operation


@jinja2.pass_context
def _sync_model(context: Any) -> str:
    from dbt_statsig.dbt_runtime.hooks import mark_model  # only when a macro calls

    return _quietly(lambda: mark_model(_call(context)))


@jinja2.pass_context
def _sync_results(context: Any, results: Iterable[Any]) -> str:
    from dbt_statsig.dbt_runtime.hooks import push_results  # only when a macro calls

    return _quietly(lambda: push_results(_call(context), results))


def _quietly(work: Callable[[], str]) -> str:
    """For hooks: a model must not fail, nor a run lose its summary, for our sake."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - see above
        warn(f"the hook did nothing ({type(error).__name__}: {error}).")
        return ""


FUNCTIONS: dict[str, Any] = {
    "version": __version__,
    "validate": _for_operation("validate"),
    "plan": _for_operation("plan"),
    "sync": _for_operation("sync"),
    "sync_model": _sync_model,
    "sync_results": _sync_results,
}
