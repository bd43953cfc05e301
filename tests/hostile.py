"""Texts on which a careless scanner or parser takes for ever: each is made at about the length that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ENDLESS: dict[str, Callable[[int], str]] = {
    "tags": lambda size: "".join(f"$t{number}$ " for number in range(size // 7)),
    "escaped quotes": lambda size: "'\\" * (size // 2),
    "open comments": lambda size: "/*" * (size // 2),
    "dollars": lambda size: "$a" * (size // 2),
    "quotes": lambda size: "'" * (size + 1),
    "blanks": lambda size: " " * size + "x",
    "brackets": lambda size: "(" * size,
    "closed brackets": lambda size: "(" * (size // 2) + "1" + ")" * (size // 2),
    "dots": lambda size: "a." * (size // 2),
    "exponents": lambda size: "1e" * (size // 2),
    "wrappers": lambda size: "nullable(" * (size // 9),
    "joins": lambda size: "select * from a" + " join b" * min(40, size // 7),
    "laterals": lambda size: "select * from a" + ", lateral flatten(b) c" * (size // 22),
    "macros": lambda size: "{statsig_x} " * (size // 12),
    "markup": lambda size: "<!--" * (size // 8) + "[" * (size // 4) + "`*_" * (size // 12),
    "lines": lambda size: "x\n" * (size // 2),
}
"""By name."""
