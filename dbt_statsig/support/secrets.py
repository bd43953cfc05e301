"""A secret in the spellings that a text may give it."""

from __future__ import annotations

import re
from base64 import b64encode

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
