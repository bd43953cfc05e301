"""`dbt-statsig comment`: a report as the comment of a pull request."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dbt_statsig.cli.terminal import write_out
from dbt_statsig.errors import UsageError
from dbt_statsig.report.escape import no_commands, one_line
from dbt_statsig.report.github import annotation
from dbt_statsig.support.files import read_regular


@click.command("comment")
@click.argument("report", type=click.Path(path_type=Path))
@click.option(
    "--key",
    default="",
    metavar="TEXT",
    help="What distinguishes this comment from others of the same pull request, such as project and target.",
)
@click.option("--link", default="", metavar="URL", help="Where the HTML report is; the comment ends with this link.")
def command(*, report: Path, key: str, link: str) -> int:
    """Keep one comment of a pull request up to date with a report in Markdown.

    For jobs of GitHub Actions (GITHUB_TOKEN), GitLab CI (GITLAB_TOKEN, a project access token) and Azure Pipelines
    (SYSTEM_ACCESSTOKEN). A comment that cannot be written is one line in the log, and the exit code is 0.

    Example: dbt-statsig comment target/statsig.md --key "shop ci"
    """
    from dbt_statsig.commands.comment import comment  # brings httpx

    try:
        text = read_regular(report).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(
            f"{report} cannot be read: {error.strerror}.", fix="Write it with `--report markdown:FILE`."
        ) from None
    done = comment(text, key=key, link=link, environ=os.environ)
    write_out(_log_line(done.line, done.weight) + "\n")
    return 0


def _log_line(line: str, weight: str) -> str:
    """The line in the form that this CI system shows with its weight."""
    if weight and os.environ.get("GITHUB_ACTIONS"):
        return annotation(weight, "dbt-statsig", line)
    plain = no_commands(one_line(line))
    if weight == "warning":
        return f"##vso[task.logissue type=warning]{plain}" if os.environ.get("TF_BUILD") else f"Warning: {plain}"
    return plain
