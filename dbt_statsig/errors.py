"""The error tree and the exit codes.

::

    DbtStatsigError               could not run                              exit 2
    ├── UsageError                arguments that make no sense               exit 2
    ├── SettingsError             dbt_statsig.yml, environment or flags      exit 2
    ├── ArtifactError             manifest, catalog or run results           exit 2
    ├── TargetRefused             this target must not be pushed             exit 1
    │   └── TargetNotAllowed      the settings do not list it
    ├── QueryFailed               the warehouse refused a query, or is away  exit 2
    ├── AnswerLost                done, but the answer could not be given    exit 2
    └── ConsoleError              the Console API                            exit 2
        ├── ConnectionFailed      no answer; nothing was written
        ├── AuthenticationFailed  401, or 403 for a whole list
        ├── Throttled             429 until the budget was spent
        ├── ProtocolError         an answer that the API does not publish
        ├── OutcomeUnknown        a write that may or may not have happened
        ├── Stopped               a write that was not started: the run is ending
        └── Refused               one object was refused (4xx)               exit 1
            ├── NotFound          404
            ├── Forbidden         403: the key may be good for other objects
            └── Conflict          somebody else's value came in between

Findings about a project are not errors but values (`findings.py`): all of them are collected first.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_DONE = 0
EXIT_FINDINGS = 1
EXIT_CANNOT_RUN = 2
EXIT_PENDING = 3


class DbtStatsigError(Exception):
    """Base of everything that this package raises on purpose.

    `message` says what is wrong in one sentence, `fix` the next step. Neither ever holds a secret.
    """

    exit_code: ClassVar[int] = EXIT_CANNOT_RUN

    def __init__(self, message: str, *, fix: str = "") -> None:
        """Keep the two sentences apart so that each output can place them."""
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        """Both sentences, for logs and for callers that only print."""
        return f"{self.message} {self.fix}".rstrip()


class UsageError(DbtStatsigError):
    """Arguments are wrong or contradict each other, or a selection cannot be answered."""


class SettingsError(DbtStatsigError):
    """A setting in dbt_statsig.yml, the environment or a flag cannot be used."""


class ArtifactError(DbtStatsigError):
    """A file of dbt is missing, damaged, of another project, or too new."""


class TargetRefused(DbtStatsigError):
    """The dbt target, database or schema is not one that may be pushed."""

    exit_code = EXIT_FINDINGS


class TargetNotAllowed(TargetRefused):
    """The dbt target is known, but is not one of `allowed_targets`."""


class QueryFailed(DbtStatsigError):
    """A query that dbt could not run; the message is the warehouse's own, as far as dbt gives it."""


class AnswerLost(DbtStatsigError):
    """The run ended, but its answer could not be made or written. Writes are not undone."""


class ConsoleError(DbtStatsigError):
    """The Console API cannot be used, or refused something."""


class ConnectionFailed(ConsoleError):
    """No connection, DNS, TLS or time-out before anything was sent: nothing was written."""


class AuthenticationFailed(ConsoleError):
    """401, or 403 for a whole list: the key is missing, wrong, no Console key, or may not read."""


class Throttled(ConsoleError):
    """429 until the whole waiting budget was spent."""


class ProtocolError(ConsoleError):
    """An answer of another form than the published one (HTML, truncated JSON, a redirect)."""


class OutcomeUnknown(ConsoleError):
    """A write was sent and no usable answer came back: it may or may not have happened."""


class Stopped(ConsoleError):
    """A write that was not sent, because the run is ending."""


class Refused(ConsoleError):
    """The API refused one object (4xx). `status` is the HTTP status, `problems` the per-field texts.

    Status 0: refused before sending, because the API cannot express it.
    """

    exit_code = EXIT_FINDINGS

    def __init__(self, message: str, *, status: int, problems: tuple[str, ...] = (), fix: str = "") -> None:
        """`problems` holds one "property: message" for each entry of the API's `errors` list."""
        super().__init__(message, fix=fix)
        self.status = status
        self.problems = problems


class NotFound(Refused):
    """404: the object does not exist."""


class Forbidden(Refused):
    """403: the key may not do this; permissions can be per object."""


class Conflict(Refused):
    """An answer was lost, and what the console holds now is neither the old value nor ours."""
