"""Keeps one comment of a pull request up to date: `comment.py REPORT`.

The comment is known by the first line of the report, a hidden marker, and by its author being a bot: what a person
wrote is never changed. Where the token may not write, as in pull requests from forks, a notice is all there is.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx

PAGE = 100
MOST_PAGES = 50
FORBIDDEN = (401, 403, 404)


def pull_request() -> int | None:
    """The number of the pull request that this run is for; None where it is for none."""
    event = os.environ.get("GITHUB_EVENT_PATH")
    content = json.loads(Path(event).read_text(encoding="utf-8")) if event else {}
    number = content.get("pull_request", {}).get("number")
    return number if isinstance(number, int) else None


def ours(client: httpx.Client, path: str, marker: str) -> dict[str, Any] | None:
    """The comment that bears the marker; None where there is none yet."""
    for page in range(1, MOST_PAGES + 1):
        answer = client.get(path, params={"per_page": PAGE, "page": page}).raise_for_status()
        comments = answer.json()
        for comment in comments:
            is_bot = (comment.get("user") or {}).get("type") == "Bot"
            if is_bot and (comment.get("body") or "").startswith(marker):
                return dict(comment)
        if len(comments) < PAGE:
            break
    return None


def keep(client: httpx.Client, repository: str, number: int, body: str) -> str:
    """What was done to the comment: created, updated, or unchanged."""
    path = f"/repos/{repository}/issues/{number}/comments"
    comment = ours(client, path, body.partition("\n")[0])
    if comment is None:
        client.post(path, json={"body": body}).raise_for_status()
        return "created"
    if comment.get("body", "").replace("\r\n", "\n").rstrip() == body.rstrip():
        return "unchanged"
    client.patch(f"/repos/{repository}/issues/comments/{comment['id']}", json={"body": body}).raise_for_status()
    return "updated"


def main(report: str) -> int:
    """The exit code: 1 only where GitHub failed in another way than by refusing the token."""
    number = pull_request()
    if number is None:
        say("No pull request: no comment.")
        return 0
    headers = {
        "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    address = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    body = Path(report).read_text(encoding="utf-8")
    try:
        with httpx.Client(base_url=address, headers=headers, timeout=30) as client:
            done = keep(client, os.environ["GITHUB_REPOSITORY"], number, body)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status in FORBIDDEN:
            say(f"::notice title=dbt-statsig::The comment was not written: GitHub refused the token ({status}).")
            return 0
        say(f"::warning title=dbt-statsig::The comment was not written: GitHub answered {status}.")
        return 1
    except httpx.TransportError as error:
        say(f"::warning title=dbt-statsig::The comment was not written: {type(error).__name__}.")
        return 1
    say(f"Comment {done}.")
    return 0


def say(line: str) -> None:
    """One line of the job's log."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
