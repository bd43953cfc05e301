"""The comment of a pull request with a report: what became of it, as a line for the job's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from dbt_statsig.comments.api import Unanswered
from dbt_statsig.comments.keeping import is_safe, keep, place_of
from dbt_statsig.comments.place import Wanted
from dbt_statsig.console.key import ApiKey
from dbt_statsig.console.waiting import SystemClock
from dbt_statsig.errors import DbtStatsigError, UsageError
from dbt_statsig.report.comment import MARKS, asks_for_something, comment_text, is_report
from dbt_statsig.report.escape import is_web_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dbt_statsig.comments.place import Place
    from dbt_statsig.console.waiting import Clock


class Commented(Struct, frozen=True):
    """What became of it, and how much that weighs: nothing, or what a notice or a warning does."""

    line: str
    weight: Literal["", "notice", "warning"] = ""


def comment(report: str, *, key: str, link: str, environ: Mapping[str, str], clock: Clock | None = None) -> Commented:
    """Write or update the comment of this CI job's pull request; where that fails, the line says why.

    Raises UsageError for a text that is no report, and outside of the CI systems that are known.
    """
    if not is_report(report):
        raise UsageError(
            "The file is not a Markdown report of dbt-statsig.", fix="Write one with `--report markdown:FILE`."
        )
    place = place_of(environ)
    if place is None:
        raise UsageError(
            "This is not a job of GitHub Actions, GitLab CI or Azure Pipelines.",
            fix="Run `comment` in such a job: it reads the pull request from the job's variables.",
        )
    if isinstance(place, str):
        return Commented(place)
    value = environ.get(place.token, "")
    # Azure passes on the name of a variable that is not set, in place of a value.
    if not value or value.startswith("$("):
        return Commented(f"No comment: {place.token} is not set. {place.needs}", "notice")
    if not is_safe(place):
        return _lost(f"the address of {place.name} is not an https:// address", "Serve its API by https.")
    text = comment_text(report, key=key, link=link, limit=place.limit, written=place.written)
    wanted = Wanted(text=text, is_open=asks_for_something(report))
    done = _kept(place, wanted, value, clock or SystemClock())
    if link and not is_web_address(link):
        return Commented(f"{done.line} It has no link: --link is not an http(s) address.", done.weight or "notice")
    return done


def _kept(place: Place, wanted: Wanted, value: str, clock: Clock) -> Commented:
    try:
        token = ApiKey(value, origin=place.token)
        return Commented(f"Comment {keep(place, wanted, marks=MARKS, key=token, clock=clock)}.")
    except Unanswered as error:
        if error.is_refusal:
            return _lost(f"{place.name} refused the token ({error})", place.needs, "notice")
        return _lost(f"{place.name}: {error}", "Run the job again to write it.")
    except DbtStatsigError as error:
        return _lost(error.message.removesuffix("."), "")


def _lost(why: str, fix: str, weight: Literal["notice", "warning"] = "warning") -> Commented:
    return Commented(f"The comment was not written: {why}. {fix}".rstrip(), weight)
