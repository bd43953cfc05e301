"""A secret in the spellings that a text may give it."""

from __future__ import annotations

import ipaddress
import re
import socket
from base64 import b64encode
from urllib.parse import urlsplit

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
    utf8 = "".join(f"%(?:25){{0,2}}{byte:02x}" for byte in character.encode())
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


STATSIG_HOSTS = ("statsigapi.net", "api.statsig.com")
"""Where Statsig serves the Console API."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(host: str) -> Address | None:
    """The IP address that a host is written as; None for a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _legacy_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else ipaddress.IPv4Address(mapped)


def is_this_machine(host: str) -> bool:
    """Whether a host is loopback."""
    address = address_of(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_own(url: str) -> bool:
    """Whether an address is Statsig's own (https only) or on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    return (parts.scheme == "https" and host in STATSIG_HOSTS) or is_this_machine(host)


def _legacy_address(host: str) -> ipaddress.IPv4Address | None:
    """IPv4 in the old notations (one number, octal, hex) that system resolvers still take."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError, ValueError):
        return None
