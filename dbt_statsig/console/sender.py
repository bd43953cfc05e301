"""Requests until there is something to go by: retries what is safe to repeat, and says what is not known."""

from __future__ import annotations

import codecs
import json
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from dbt_statsig.console.waiting import duration, seconds_asked
from dbt_statsig.console.wire import Answer, Failure, Trouble
from dbt_statsig.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    Forbidden,
    NotFound,
    ProtocolError,
    Refused,
    Throttled,
)

if TYPE_CHECKING:
    from dbt_statsig.console.key import ApiKey
    from dbt_statsig.console.pace import Turn
    from dbt_statsig.console.waiting import Turns, WaitBudget
    from dbt_statsig.console.wire import Wire

_LONGEST_MESSAGE = 2000
_MOST_PROBLEMS = 50
_NO_WORDS = "Bad Request Exception"
"""The message beside a list of problems, as published: it adds nothing to them."""
_ERROR = 400


_ACCEPTED = 202


class Envelope(Struct, frozen=True):
    """A successful answer; its parts are plain JSON values, read by whoever knows their form.

    `fault` is what a body with a success's status reports as an error all the same, or is empty. `is_pending`: it was
    accepted, and not done. `is_empty`: the body says nothing.
    """

    data: Any = None
    pagination: Any = None
    fault: str = ""
    is_pending: bool = False
    is_empty: bool = False


def envelope(answer: Answer, key: ApiKey) -> Envelope | str:
    """The parts of a success, or in words why the body is none."""
    try:
        content = _decoded_json(answer.body)
    except (ValueError, RecursionError) as error:
        why = f": {error}"
    else:
        if isinstance(content, dict):
            fault = _reported(answer, content, key)
            return Envelope(
                data=content.get("data"),
                pagination=content.get("pagination"),
                fault=fault,
                is_pending=answer.status == _ACCEPTED,
                is_empty=not content,
            )
        why = ": no object"
    kind = answer.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
    why = why if "json" in kind else ""
    return f"answer {answer.status} is not the JSON that the API documents ({kind}, {len(answer.body)} bytes{why})"


def described(answer: Answer, key: ApiKey) -> str:
    """The status of an answer, and what its body says, for the middle of a sentence."""
    return f"answer {answer.status}{_in_words(*_texts(answer.body, key)).removesuffix('.')}"


def _decoded_json(body: bytes) -> Any:
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
    words = _in_words(*_texts(answer.body, key)).removesuffix(".")
    return f"answer {answer.status} reports an error{f' ({status})' if is_error else ''}{words}"


def refusal(answer: Answer, key: ApiKey, what: str) -> AuthenticationFailed | Refused:
    """The error that a 4xx answer stands for, its texts redacted: a 401 of this API quotes the key."""
    message, problems = _texts(answer.body, key)
    words = _in_words(message, problems)
    if answer.status == 403:  # noqa: PLR2004  # a status says more as a number than by a name
        return Forbidden(
            f"{what}: Statsig does not allow this with the key from {key.origin} (403){words}",
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


def _in_words(message: str, problems: tuple[str, ...]) -> str:
    """The end of a sentence that quotes the message, and each problem that the message does not hold already."""
    texts = [message] if message and not (problems and message == _NO_WORDS) else []
    texts += [problem for problem in problems if problem not in message]
    if not texts:
        return "."
    quoted = "; ".join(text.rstrip(".") for text in texts)
    return f": {quoted}" if quoted.endswith(("!", "?", "…")) else f": {quoted}."


def _texts(body: bytes, key: ApiKey) -> tuple[str, tuple[str, ...]]:
    try:
        content = _decoded_json(body)
    except (ValueError, RecursionError):
        return "", ()
    if not isinstance(content, dict):
        return "", ()
    message = _redacted(content.get("message") or content.get("error"), key)
    entries = content.get("errors")
    problems = (_problem(entry, key) for entry in (entries if isinstance(entries, list) else [])[:_MOST_PROBLEMS])
    return message, tuple(problem for problem in problems if problem)


def _problem(entry: Any, key: ApiKey) -> str:
    if not isinstance(entry, dict):
        return _redacted(entry, key)
    message = _redacted(entry.get("errorMessage") or entry.get("message"), key)
    name = _redacted(entry.get("property"), key)
    return f"{name}: {message}" if name and message else name or message


def _redacted(value: Any, key: ApiKey) -> str:
    """A string in one line, a list of strings joined, nothing for all else."""
    if isinstance(value, list):
        value = "; ".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return ""
    lines = (line.strip() for line in key.redact(value).splitlines())
    redacted = " ".join(line for line in lines if line)
    return redacted if len(redacted) <= _LONGEST_MESSAGE else f"{redacted[:_LONGEST_MESSAGE]}…"


ATTEMPTS = 5
"""How often a request without an answer, or a read that met a 5xx, is tried in all (some ten seconds)."""

_TOO_MANY = 429
_TIMED_OUT = 408


class Request(Struct, frozen=True, kw_only=True):
    """One call: `what` names its object in messages; `repeatable` where doing it twice does no harm."""

    method: str
    path: str
    what: str
    body: bytes | None = None
    repeatable: bool = False

    @property
    def is_read(self) -> bool:
        """True for what counts against no limit and may go on while a run ends."""
        return self.method == "GET"


class NoAnswer(Struct, frozen=True, kw_only=True):
    """A write was sent, and nothing tells whether it happened."""

    detail: str


class Sender:
    """Sends requests of several threads within one budget for waiting, at one pace and with one key."""

    def __init__(
        self,
        wire: Wire,
        *,
        key: ApiKey,
        host: str,
        wait_budget: WaitBudget,
        turns: Turns,
        read_timeout: float,
        write_timeout: float,
    ) -> None:
        """Use what the client has opened."""
        self._wire = wire
        self._key = key
        self._host = host
        self._wait_budget = wait_budget
        self._turns = turns
        self._read_timeout = read_timeout
        self._write_timeout = write_timeout
        self._key_refused = threading.Event()

    def read(self, path: str, what: str, *, once: bool = False) -> Envelope:
        """What a GET answers, which with `once` is not repeated after a failure.

        Raises ConsoleError in all its forms but OutcomeUnknown and Stopped.
        """
        result = self._interpret(Request(method="GET", path=path, what=what, repeatable=not once))
        if isinstance(result, NoAnswer):
            raise ConnectionFailed(
                f"{what}: {self._host} gave no usable answer ({result.detail}).", fix="Try again later."
            )
        if result.fault:
            raise ProtocolError(f"{what}: {result.fault}.", fix="Try again later.")
        return result

    def write(self, request: Request) -> Envelope | NoAnswer:
        """What a write answers, or that it is not known whether it happened.

        Raises ConsoleError in all its forms but OutcomeUnknown; then nothing was written.
        """
        return self._interpret(request)

    def _interpret(self, request: Request) -> Envelope | NoAnswer:
        result = self._send_with_retries(request)
        if isinstance(result, Failure):
            return self._transport_failure(request, result)
        if 200 <= result.status < 300:  # noqa: PLR2004  # a status says more as a number than by a name
            return self._success(request, result)
        if 400 <= result.status < 500 and result.status != _TIMED_OUT:  # noqa: PLR2004  # the same
            error = refusal(result, self._key, request.what)
            if isinstance(error, AuthenticationFailed):
                self._key_refused.set()
            raise error
        detail = described(result, self._key)
        if 300 <= result.status < 400:  # noqa: PLR2004  # the same
            detail = f"{detail}, a redirect, which is not followed because it would send the key"
            if request.is_read:
                raise ProtocolError(f"{request.what}: {detail}.", fix="Check `base_url` and any proxy in between.")
        return self._unusable(request, detail)

    def _success(self, request: Request, answer: Answer) -> Envelope | NoAnswer:
        if not answer.body and request.method == "DELETE":
            return Envelope()
        parts = envelope(answer, self._key)
        if isinstance(parts, Envelope):
            return parts
        if request.is_read:
            parts = self._key.redact(parts)
            raise ProtocolError(f"{request.what}: {parts}.", fix="Check `base_url` and any proxy in between.")
        return self._unusable(request, parts)

    def _unusable(self, request: Request, detail: str) -> NoAnswer:
        detail = self._key.redact(detail)
        if request.repeatable and not request.is_read:
            raise ConnectionFailed(f"{request.what}: {self._host} gave no usable answer ({detail}).")
        return NoAnswer(detail=detail)

    def _transport_failure(self, request: Request, failure: Failure) -> NoAnswer:
        if failure.trouble is Trouble.LOST:
            return self._unusable(request, failure.detail)
        if failure.trouble is Trouble.TLS:
            raise ConnectionFailed(
                f"The certificate of {self._host} was not accepted ({failure.detail}).",
                fix="If your network has its own certificate authority, set SSL_CERT_FILE to its bundle.",
            )
        raise ConnectionFailed(
            f"No connection to {self._host} ({failure.detail}).",
            fix="Check `base_url`, the network, and the proxy settings HTTPS_PROXY and NO_PROXY.",
        )

    def _send_with_retries(self, request: Request) -> Answer | Failure:
        """The first result that is not worth another attempt. Raises Throttled, Stopped, AuthenticationFailed."""
        throttled = failed = 0
        while True:
            result, turn = self._attempt(request)
            if isinstance(result, Answer) and result.status == _TOO_MANY:
                throttled += 1
                self._throttle(result, turn, throttled)
                continue
            reason = _worth_repeating(result, request)
            failed += 1
            if not reason or failed >= ATTEMPTS:
                return result
            if not self._wait_budget.pause(self._pause_for(result, failed), reason, stoppable=not request.is_read):
                return result

    def _attempt(self, request: Request) -> tuple[Answer | Failure, Turn | None]:
        """What one attempt gives; a write waits for its turn, which is still to end where the answer is 429."""
        if request.is_read:
            self._wait_budget.pass_gate(stoppable=False)
            return self._exchange(request, self._read_timeout), None
        turn = self._turns.begin()
        result: Answer | Failure | None = None
        try:
            result = self._exchange(request, self._write_timeout)
        finally:
            if not isinstance(result, Answer):
                self._turns.lost(turn)
            elif result.status != _TOO_MANY:
                self._turns.taken(turn)
        return result, turn

    def _exchange(self, request: Request, timeout: float) -> Answer | Failure:
        if self._key_refused.is_set():
            raise AuthenticationFailed(
                f"Not sent: Statsig refused the key from {self._key.origin} before.", fix="Use a valid Console API key."
            )
        return self._wire.exchange(request.method, request.path, request.body, timeout=timeout)

    def _throttle(self, answer: Answer, turn: Turn | None, attempt: int) -> None:
        too_long = self._turns.refused(turn, self._asked(answer), attempt)
        if too_long is not None:
            raise Throttled(
                f"Statsig asks to wait {duration(too_long)} more (429), and {self._wait_budget.spent:.0f} s "
                f"of the {self._wait_budget.budget:.0f} s for waiting (`wait_budget`) are used up.",
                fix="Run it again later. What was written is not written again.",
            )

    def _pause_for(self, result: Answer | Failure, attempt: int) -> float:
        asked = self._asked(result) if isinstance(result, Answer) else None
        return max(asked or 0.0, self._wait_budget.backoff(attempt))

    def _asked(self, answer: Answer) -> float | None:
        return seconds_asked(answer.headers, wall=self._wait_budget.clock.wall())


def _worth_repeating(result: Answer | Failure, request: Request) -> str:
    """Why one more attempt is both safe and promising; empty where it is not."""
    if isinstance(result, Failure):
        if result.trouble is Trouble.NOT_SENT:
            return f"no connection ({result.detail})"
        return f"no complete answer ({result.detail})" if result.trouble is Trouble.LOST and request.repeatable else ""
    is_their_fault = result.status >= 500 or result.status == _TIMED_OUT  # noqa: PLR2004  # the same
    return f"answer {result.status}" if is_their_fault and request.repeatable else ""
