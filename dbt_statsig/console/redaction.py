"""Keeps the key out of the debug logs of httpx and httpcore while a client is open."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt_statsig.console.key import ApiKey

LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
"""Every logger that httpx 0.28 and httpcore 1.0 write to. Filters do not reach child loggers, so each is named."""


class RedactingFilter(logging.Filter):
    """Lets every record pass, with the key hidden in its message and in its exception's text."""

    def __init__(self, key: ApiKey) -> None:
        """Redact as `key` does."""
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """True; the record is rewritten first."""
        record.msg = self._key.redact(record.getMessage())
        record.args = ()
        record.exc_info = None
        return True

    def attach(self) -> None:
        """Begin."""
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self)

    def detach(self) -> None:
        """End; to be called once for each `attach`."""
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)
