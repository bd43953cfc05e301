"""The API's two answer forms, success and error, and what each means for the caller.

Facts: Statsig's published Console API description (`{message, data}`, `{status, message}`); some of its documents and
clients also show `errors: [{property, errorMessage}]`.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from dbt_statsig.errors import AuthenticationFailed, Forbidden, NotFound, Refused

if TYPE_CHECKING:
    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.console.wire import Answer

_LONGEST_MESSAGE = 2000
_MOST_PROBLEMS = 50
_NO_WORDS = "Bad Request Exception"
"""The message beside a list of problems, as published: it adds nothing to them."""
_ERROR = 400


class Envelope(Struct, frozen=True):
    """A successful answer; its parts are plain JSON values, read by whoever knows their form.

    `fault` is what a body with a success's status reports as an error all the same, or is empty.
    """

    data: Any = None
    pagination: Any = None
    fault: str = ""


def envelope(answer: Answer, key: ApiKey) -> Envelope | str:
    """The parts of a success, or in words why the body is none."""
    try:
        content = _plain(answer.body)
    except (ValueError, RecursionError) as error:
        why = f": {error}"
    else:
        if isinstance(content, dict):
            fault = _reported(answer, content, key)
            return Envelope(data=content.get("data"), pagination=content.get("pagination"), fault=fault)
        why = ": no object"
    kind = answer.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
    why = why if "json" in kind else ""
    return f"answer {answer.status} is not the JSON that the API publishes ({kind}, {len(answer.body)} bytes{why})"


def said(answer: Answer, key: ApiKey) -> str:
    """The status of an answer, and what its body says, for the middle of a sentence."""
    return f"answer {answer.status}{_said(*_texts(answer.body, key)).removesuffix('.')}"


def _plain(body: bytes) -> Any:
    """The JSON values of a body; also of one in which some object has numbers or texts that the standard does not know.

    Raises ValueError or RecursionError.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(body)


def _reported(answer: Answer, content: dict[str, Any], key: ApiKey) -> str:
    """The error that a body with a success's status reports."""
    status = content.get("status")
    is_error = isinstance(status, int) and not isinstance(status, bool) and status >= _ERROR
    if not (is_error or content.get("success") is False or (content.get("errors") and not content.get("data"))):
        return ""
    words = _said(*_texts(answer.body, key)).removesuffix(".")
    return f"answer {answer.status} reports an error{f' ({status})' if is_error else ''}{words}"


def refusal(answer: Answer, key: ApiKey, what: str) -> AuthenticationFailed | Refused:
    """The error that a 4xx answer stands for, its texts redacted: a 401 of this API quotes the key."""
    message, problems = _texts(answer.body, key)
    words = _said(message, problems)
    if answer.status == 403:  # noqa: PLR2004  # a status says more as a number than by a name
        return Forbidden(
            f"{what}: Statsig does not allow this to the key from {key.origin} (403){words}",
            status=403,
            problems=problems,
            fix="Use a Console API key whose permissions cover this object.",
        )
    if answer.status == 401:  # noqa: PLR2004  # the same
        return AuthenticationFailed(
            f"Statsig refused the key from {key.origin} ({answer.status}){words}",
            fix="Use a Console API key (console-…) of this project that may write; SDK keys do not work here.",
        )
    if answer.status == 404:  # noqa: PLR2004  # the same
        return NotFound(f"{what}: Statsig does not have it (404){words}", status=404, problems=problems)
    return Refused(f"{what}: Statsig refused it ({answer.status}){words}", status=answer.status, problems=problems)


def _said(message: str, problems: tuple[str, ...]) -> str:
    """The end of a sentence that quotes the message, and each problem that the message does not hold already."""
    texts = [message] if message and not (problems and message == _NO_WORDS) else []
    texts += [problem for problem in problems if problem not in message]
    if not texts:
        return "."
    quoted = "; ".join(text.rstrip(".") for text in texts)
    return f": {quoted}" if quoted.endswith(("!", "?", "…")) else f": {quoted}."


def _texts(body: bytes, key: ApiKey) -> tuple[str, tuple[str, ...]]:
    try:
        content = _plain(body)
    except (ValueError, RecursionError):
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
    """A string in one line, a list of strings joined, nothing for all else."""
    if isinstance(value, list):
        value = "; ".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    lines = (line.strip() for line in key.redact(value).splitlines())
    redacted = " ".join(line for line in lines if line)
    return redacted if len(redacted) <= _LONGEST_MESSAGE else f"{redacted[:_LONGEST_MESSAGE]}…"
