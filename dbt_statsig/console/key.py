"""The Console API key: read from the environment only, checked before use, shown nowhere."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from typing import TYPE_CHECKING, NoReturn

from dbt_statsig.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_VARIABLES = ("STATSIG_CONSOLE_API_KEY", "STATSIG_API_KEY", "DBT_ENV_SECRET_STATSIG_CONSOLE_API_KEY")
"""The environment variables that may hold the key; the first that is set and not empty wins."""

HIDDEN = "<key hidden>"
_ANY_KEY = re.compile(r"(?<![A-Za-z0-9])console-[A-Za-z0-9_-]+", re.IGNORECASE)
_SHORTEST = 8
_SDK_PREFIXES = ("secret-", "client-", "server-")
_AS_GIVEN = "Copy the key again from Statsig (Settings > Keys & Environments), without quotes or blanks around it."
_RUN = re.compile(r"[A-Za-z0-9]+")
_BITS = 6


class Spellings:
    """Finds a secret that is written plainly, escaped as JSON, URLs, Python and HTML do, as hex, or within base64."""

    def __init__(self, secret: str) -> None:
        """Prepare the search for one secret, which must not be empty."""
        data = secret.encode()
        whole = [data.hex(), *_base64(data)]
        pieces = ["".join(map(_character, secret)), *map(re.escape, dict.fromkeys(whole))]
        self._pattern = re.compile("|".join(pieces), re.IGNORECASE)
        self._clues = _clues(secret, whole)

    def hide(self, text: str, mask: str) -> str:
        """The text with the mask wherever the secret is."""
        # The pattern takes half a second for a megabyte; hardly any text holds a clue.
        lower = text.lower()
        return self._pattern.sub(mask, text) if any(clue in lower for clue in self._clues) else text


def _character(character: str) -> str:
    r"""One character in any of its forms; what is escaped twice has more backslashes, or `%25` for `%`."""
    code = ord(character)
    # Markdown reports put a zero-width space after a percent sign, which else is a reference in GitLab.
    utf8 = "".join(rf"%(?:&\#8203;)?(?:25){{0,2}}{byte:02x}" for byte in character.encode())
    named = {"&": "|&amp;", '"': "|&quot;", "<": "|&lt;", ">": "|&gt;", " ": r"|\+"}.get(character, "")
    escaped = rf"\\{{1,4}}u{code:04x}|\\{{1,4}}x{code:02x}|&\#0{{0,4}}{code};|&\#x0{{0,4}}{code:x};"
    return rf"(?:\\{{0,4}}{re.escape(character)}|{utf8}|{escaped}{named})"


def _base64(data: bytes) -> list[str]:
    """The characters that depend on the data alone, for each of the three places where it can begin."""
    found = []
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode().rstrip("=")
        own = encoded[-(-before * 8 // _BITS) : (before + len(data)) * 8 // _BITS]
        found += [own, own.translate(str.maketrans("+/", "-_"))]
    return found


def _clues(secret: str, whole: list[str]) -> list[str]:
    """Texts, in lower case, of which each spelling holds one: letters and digits are escaped all or not at all."""
    run = max(_RUN.findall(secret), key=len, default="")
    if not run:
        return [""]
    code = ord(run[0])
    escaped = [
        f"%{code:02x}",
        f"%25{code:02x}",
        f"u{code:04x}",
        f"x{code:02x}",
        f"&#{code};",
        f"0{code};",
        f"{code:x};",
    ]
    return [text.lower() for text in (run, *escaped, *whole)]


class ApiKey:
    """A key that no repr, format, log or pickle shows; `origin` is the variable that it came from."""

    __slots__ = ("__spellings", "__value", "origin")

    def __init__(self, value: str, *, origin: str) -> None:
        """Keep a key that can stand in an HTTP header. Raises SettingsError, without the key, for any other."""
        self.origin = origin
        self.__value = value
        fault = _fault(value)
        if fault:
            raise SettingsError(f"The key in {origin} {fault}", fix=_AS_GIVEN)
        self.__spellings = Spellings(value)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ApiKey | None:
        """The key of the first variable that holds one; None where none does.

        Raises SettingsError where that variable's value cannot be a key.
        """
        origin = next((name for name in KEY_VARIABLES if environ.get(name)), None)
        return None if origin is None else cls(environ[origin], origin=origin)

    def reveal(self) -> str:
        """The key itself, for the one header that carries it."""
        return self.__value

    def redact(self, text: str) -> str:
        """The text with this key, in any form an answer may quote it, and all that looks like a Console key hidden."""
        return _ANY_KEY.sub(HIDDEN, self.__spellings.hide(text, HIDDEN))

    def __repr__(self) -> str:
        """Where the key came from, never what it is."""
        return f"ApiKey(origin={self.origin!r})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied to another process."""
        raise TypeError("an ApiKey cannot be pickled")


def _fault(value: str) -> str:
    """Why this cannot be a key, without quoting it; empty for one that can."""
    faults = (
        (not value, "is empty."),
        (any(character in "\r\n" for character in value), "contains a line break."),
        (any(character.isspace() for character in value), "contains a blank."),
        (
            not value.isascii() or not value.isprintable(),
            "contains a character that a key cannot have (a typographic quote, an accent or a control character).",
        ),
        (value.startswith(_SDK_PREFIXES), "is an SDK key; a Console API key (console-…) is needed."),
        (len(value) < _SHORTEST, "is too short to be a key."),
    )
    return next((words for applies, words in faults if applies), "")


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


_KEY_NAMES = re.compile(r"STATSIG.*KEY", re.IGNORECASE)
_SECRET_NAMES = re.compile(r"STATSIG.*KEY|^DBT_ENV_SECRET", re.IGNORECASE)
_CONSOLE_KEY = re.compile(r"(?<![A-Za-z0-9])console-[A-Za-z0-9_-]{6,}", re.IGNORECASE)
# Shorter values ("1", "true") stand in innocent text by chance.
_SHORTEST_SECRET = 6


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """The text without the values of secret environment variables and without anything like a Console key."""
    return _CONSOLE_KEY.sub(HIDDEN, _without(text, environ, _SECRET_NAMES, HIDDEN))


def without_keys(text: str, environ: Mapping[str, str]) -> str:
    """A whole report without the Console key, which an object in the console or a declared text may hold.

    The mask has no character that means something in Markdown, HTML, XML or JSON.
    """
    return _without(text, environ, _KEY_NAMES, HIDDEN.strip("<>").join("()"))


def _without(text: str, environ: Mapping[str, str], names: re.Pattern[str], mask: str) -> str:
    secrets = {value.strip() for name, value in environ.items() if names.search(name)}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = Spellings(secret).hide(text, mask)
    return text
