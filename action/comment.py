"""Keeps one comment of a pull request up to date: `comment.py REPORT`.

The comment is known by two hidden lines, ours and one with $COMMENT_KEY, and by its author being the token's own: what
somebody else wrote is never changed. A comment that cannot be written is a notice or a warning, and fails nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

PAGE = 100
MOST_PAGES = 50
FORBIDDEN = (401, 403, 404)
ATTEMPTS = 4
LONGEST_WAIT = 60.0


def pull_request() -> int | None:
    """The number of the pull request that this run is for; None where it is for none."""
    event = os.environ.get("GITHUB_EVENT_PATH")
    content = json.loads(Path(event).read_text(encoding="utf-8")) if event else {}
    number = content.get("pull_request", {}).get("number")
    return number if isinstance(number, int) else None


def body_of(report: str) -> str:
    """The report with the line that tells this comment from others below its first, and the artifact's address."""
    marker, _, rest = report.partition("\n")
    key = quote(os.environ.get("COMMENT_KEY", ""), safe=" /._")
    artifact = os.environ.get("ARTIFACT_URL", "")
    link = f"\n[The whole report as an HTML page]({artifact})\n" if artifact else ""
    return f"{marker}\n<!-- comment-key: {key} -->\n{rest.rstrip()}\n{link}"


def author(client: httpx.Client) -> str | None:
    """The login of a personal token; None for the token of an app, such as GitHub Actions, which has no user."""
    answer = client.get("/user")
    if answer.status_code in FORBIDDEN:
        return None
    return str(answer.raise_for_status().json()["login"])


def ours(client: httpx.Client, path: str, head: list[str]) -> dict[str, Any] | None:
    """The comment that begins with these lines and is by the token's own author; None where there is none yet."""
    login = author(client)
    for page in range(1, MOST_PAGES + 1):
        answer = client.get(path, params={"per_page": PAGE, "page": page}).raise_for_status()
        comments = answer.json()
        for comment in comments:
            user = comment.get("user") or {}
            is_own = user.get("login") == login if login else user.get("type") == "Bot"
            if is_own and (comment.get("body") or "").splitlines()[: len(head)] == head:
                return dict(comment)
        if len(comments) < PAGE:
            break
    return None


def keep(client: httpx.Client, repository: str, number: int, body: str) -> str:
    """What was done to the comment: created, updated, or unchanged."""
    path = f"/repos/{repository}/issues/{number}/comments"
    comment = ours(client, path, body.splitlines()[:2])
    if comment is None:
        client.post(path, json={"body": body}).raise_for_status()
        return "created"
    if comment.get("body", "").replace("\r\n", "\n").rstrip() == body.rstrip():
        return "unchanged"
    client.patch(f"/repos/{repository}/issues/comments/{comment['id']}", json={"body": body}).raise_for_status()
    return "updated"


def wait_after(attempt: int, error: httpx.HTTPError) -> float | None:
    """How many seconds to wait before another attempt; None where another one cannot help."""
    first = float(os.environ.get("COMMENT_WAIT", "2"))
    if not isinstance(error, httpx.HTTPStatusError):
        return first * 2 ** (attempt - 1)
    asked = error.response.headers.get("Retry-After", "")
    status = error.response.status_code
    limited = status == httpx.codes.TOO_MANY_REQUESTS or (status == httpx.codes.FORBIDDEN and asked)
    if not limited and status < httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    return min(float(asked), LONGEST_WAIT) if asked.isdecimal() else first * 2 ** (attempt - 1)


def keep_trying(client: httpx.Client, repository: str, number: int, body: str, attempt: int = 1) -> str:
    """As `keep`, again after an outage. Each attempt looks first: the one before may have been carried out."""
    try:
        return keep(client, repository, number, body)
    except httpx.HTTPError as error:
        wait = wait_after(attempt, error)
        if wait is None or attempt == ATTEMPTS:
            raise
    time.sleep(wait)
    return keep_trying(client, repository, number, body, attempt + 1)


def main(report: str) -> None:
    """One line about what became of the comment."""
    number = pull_request()
    if number is None:
        say("No pull request: no comment.")
        return
    headers = {
        "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    address = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    body = body_of(Path(report).read_text(encoding="utf-8"))
    lost = "title=dbt-statsig::The comment was not written"
    try:
        with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
            say(f"Comment {keep_trying(client, os.environ['GITHUB_REPOSITORY'], number, body)}.")
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in FORBIDDEN:
            say(f"::notice {lost}: GitHub refused the token ({status}). It needs `pull-requests: write`.")
        else:
            say(f"::warning {lost}: GitHub answered {status}. The report is in the summary of the job.")
    except (httpx.HTTPError, ValueError) as error:
        say(f"::warning {lost}: {type(error).__name__}. The report is in the summary of the job.")


def say(line: str) -> None:
    """One line of the job's log."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
