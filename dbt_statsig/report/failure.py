"""Why a command could not run, in every form that its answer could have had: no report is silent or of yesterday."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dbt_statsig.report.escape import no_commands, one_line
from dbt_statsig.report.run_findings import COULD_NOT_RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from dbt_statsig.vocabulary.results import Failure

# A comment on GitHub has room for 65,536 characters; a longer text helps nobody there.
_LONGEST = 4_000


def failure_report(form: str, failure: Failure) -> str:
    """The whole report in one of `FORMATS`; each says the same, and that nothing else is known of the run."""
    return _RENDERERS[form](failure)


def _text(failure: Failure) -> str:
    lines = ["Error: " + "\n  ".join(map(one_line, failure.message.splitlines()))]
    lines += ["  → " + "\n    ".join(map(one_line, failure.fix.splitlines()))] if failure.fix else []
    return no_commands("\n".join(lines) + "\n")


def _json(failure: Failure) -> str:
    from dbt_statsig.report.json import error_json

    return error_json(failure.type, failure.message, failure.fix, command=failure.command, exit_code=failure.exit_code)


def _markdown(failure: Failure) -> str:
    from dbt_statsig.report.markdown import MARKER, prose

    told = [prose(line) for line in failure.message[:_LONGEST].splitlines() if line.strip()]
    fixes = [prose(line) for line in failure.fix[:_LONGEST].splitlines() if line.strip()]
    return (
        "\n\n".join(
            [
                f"{MARKER}\n<!-- dbt-statsig {failure.command} {COULD_NOT_RUN} -->",
                f"### Statsig: `{failure.command or 'dbt-statsig'}` could not run",
                "\n".join(f"> {line}  " for line in told).rstrip(),
                *fixes,
            ]
        )
        + "\n"
    )


def _github(failure: Failure) -> str:
    from dbt_statsig.report.github import annotation

    return annotation("error", "dbt-statsig", failure.text) + "\n"


def _junit(failure: Failure) -> str:
    from dbt_statsig.report.junit import junit_error

    return junit_error(failure.command, COULD_NOT_RUN, " ".join(failure.message.splitlines()), failure.text)


def _sarif(failure: Failure) -> str:
    from dbt_statsig.report.sarif import sarif_error

    return sarif_error(failure.command, failure.text, exit_code=failure.exit_code, root=failure.root)


def _html(failure: Failure) -> str:
    from dbt_statsig.report.html import html_failure  # with it comes Jinja

    return html_failure(failure)


_RENDERERS: dict[str, Callable[[Failure], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
    "junit": _junit,
    "sarif": _sarif,
    "html": _html,
}
