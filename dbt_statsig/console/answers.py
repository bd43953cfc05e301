"""The API's two answer forms, success and error, and what each means for the caller.

Facts: Statsig's published Console API description (`{message, data}`, `{status, message}`); some of its documents and
clients also show `errors: [{property, errorMessage}]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from dbt_statsig.errors import AuthenticationFailed, NotFound, Refused

if TYPE_CHECKING:
    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.console.wire import Answer

_LONGEST_MESSAGE = 2000
_MOST_PROBLEMS = 50
_NOTHING = Raw(b"null")


class Envelope(Struct, frozen=True):
    """A successful answer; each part is decoded by whoever knows its form."""

    data: Raw = _NOTHING
    pagination: Raw = _NOTHING


def envelope(answer: Answer) -> Envelope | str:
    """The parts of a success, or in words why the body is none."""
    try:
        return msgspec.json.decode(answer.body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
        why = f": {error}" if "json" in kind else ""
        return f"answer {answer.status} is not the JSON that the API publishes ({kind}, {len(answer.body)} bytes{why})"


def refusal(answer: Answer, key: ApiKey, what: str) -> AuthenticationFailed | Refused:
    """The error that a 4xx answer stands for, its texts redacted: a 401 of this API quotes the key."""
    message, problems = _texts(answer.body, key)
    said = _said(message, problems)
    if answer.status in {401, 403}:
        return AuthenticationFailed(
            f"Statsig refused the key from {key.origin} ({answer.status}){said}",
            fix="Use a Console API key (console-…) of this project that may write; SDK keys do not work here.",
        )
    if answer.status == 404:  # noqa: PLR2004  # a status says more as a number than by a name
        return NotFound(f"{what}: Statsig does not have it (404){said}", status=404, problems=problems)
    return Refused(f"{what}: Statsig refused it ({answer.status}){said}", status=answer.status, problems=problems)


def _said(message: str, problems: tuple[str, ...]) -> str:
    """The end of a sentence that quotes the message, and each problem that the message does not hold already."""
    texts = [message] if message else []
    texts += [problem for problem in problems if problem not in message]
    if not texts:
        return "."
    quoted = "; ".join(text.rstrip(".") for text in texts)
    return f": {quoted}" if quoted.endswith(("!", "?", "…")) else f": {quoted}."


def _texts(body: bytes, key: ApiKey) -> tuple[str, tuple[str, ...]]:
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "", ()
    if not isinstance(content, dict):
        return "", ()
    message = _text(content.get("message") or content.get("error"), key)
    entries = content.get("errors")
    problems = (_problem(entry, key) for entry in (entries if isinstance(entries, list) else [])[:_MOST_PROBLEMS])
    return message, tuple(problem for problem in problems if problem)


def _problem(entry: Any, key: ApiKey) -> str:
    if not isinstance(entry, dict):
        return _text(entry, key)
    message = _text(entry.get("errorMessage") or entry.get("message"), key)
    name = _text(entry.get("property"), key)
    return f"{name}: {message}" if name and message else name or message


def _text(value: Any, key: ApiKey) -> str:
    """A string as it is, a list of strings joined, nothing for all else."""
    if isinstance(value, list):
        value = "; ".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    redacted = key.redact(value).strip()
    return redacted if len(redacted) <= _LONGEST_MESSAGE else f"{redacted[:_LONGEST_MESSAGE]}…"
