"""The ownership line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.vocabulary.ownership import (
    Ownership,
    claim,
    docs_link,
    is_of,
    keeping,
    notes_of,
    noting,
    owner_of,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHOP = Ownership("shop", "model.shop.fct_exposures")


def test_claim_puts_the_line_last() -> None:
    """The text comes first, then a blank line, then the ownership line."""
    assert claim("Exposures.", SHOP) == "Exposures.\n\nManaged by dbt: shop/model.shop.fct_exposures"


def test_claim_puts_the_link_above_the_line() -> None:
    """A link stands between the text and the ownership line, which stays last."""
    lines = claim("", SHOP, link="dbt docs: https://docs.example/#!/model/x").splitlines()
    assert lines == ["dbt docs: https://docs.example/#!/model/x", "Managed by dbt: shop/model.shop.fct_exposures"]


@pytest.mark.parametrize(
    "description",
    [
        None,
        "",
        "Written by hand.",
        "Managed by dbt: shop/model.shop.a\nand then edited in the console",
        "Managed by dbt: shop",
        "managed by dbt: shop/model.shop.a",
        "Managed by dbt: shop/model.shop.a and more",
        "Managed by dbt: shop@/model.shop.a",
        "Managed by dbt: @dev/model.shop.a",
        "Managed by dbt: shop@dev@eu/model.shop.a",
        "Managed by dbt: shop@dev",
    ],
)
def test_what_nobody_claimed(description: str | None) -> None:
    """Only a whole last line of exactly that form says whose an object is."""
    assert owner_of(description) is None


def test_trailing_white_space_does_not_hide_the_owner() -> None:
    """A console that appends or trims white space changes nothing about ownership."""
    assert owner_of("  Text\r\n\r\n Managed by dbt: shop/model.shop.fct_exposures \n\n") == SHOP


def test_a_description_cannot_claim_for_another_project() -> None:
    """A text that ends like an ownership line is overruled by the real line below it."""
    text = "Managed by dbt: other/model.other.x"
    assert owner_of(claim(text, SHOP)) == SHOP


@given(st.text())
def test_whatever_the_text_the_owner_is_read_back(text: str) -> None:
    """Reading a claimed description gives the owner that claimed it."""
    assert owner_of(claim(text, SHOP)) == SHOP


def test_a_namespace_is_another_owner() -> None:
    """A line with a namespace gives it back, and names another owner than one without."""
    dev = Ownership("shop", "model.shop.a", "dev")
    assert claim("", dev) == "Managed by dbt: shop@dev/model.shop.a"
    assert owner_of(claim("", dev)) == dev
    assert [one.owner for one in (dev, Ownership("shop", "model.shop.a"))] == ["shop@dev", "shop"]


KEPT = "The text above was kept as it was in Statsig."
LINE = "Managed by dbt: shop/model.shop.fct_exposures"


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (None, f"dbt's words.\n\n{LINE}"),
        ("", f"dbt's words.\n\n{LINE}"),
        ("dbt's words.", f"dbt's words.\n\n{LINE}"),
        ("Theirs.", f"Theirs.\n\n{KEPT}\n{LINE}"),
        ("Theirs.\n\nMore.\n", f"Theirs.\n\nMore.\n\n{KEPT}\n{LINE}"),
        (f"Theirs.\n\n{KEPT}\n{LINE}", f"Theirs.\n\n{KEPT}\n{LINE}"),
        (f"Older words of dbt's.\n\n{LINE}", f"dbt's words.\n\n{LINE}"),
        ("Older.\n\nManaged by dbt: shop@dev/model.shop.x", f"dbt's words.\n\n{LINE}"),
        ("Theirs.\n\nManaged by dbt: other/model.other.x", f"Theirs.\n\n{KEPT}\n{LINE}"),
        ("Managed by dbt: other/model.other.x", f"dbt's words.\n\n{LINE}"),
        (f"{KEPT}\n{LINE}", f"dbt's words.\n\n{LINE}"),
    ],
)
def test_whose_text(live: str | None, expected: str) -> None:
    """A text of the console's is kept and marked as such; one that this project wrote follows the node's."""
    assert keeping(live, claim("dbt's words.", SHOP), "shop") == expected


def test_a_text_is_kept_above_the_link() -> None:
    """The link to dbt's docs moves below the kept text, and is replaced by the one in force."""
    first = keeping("Theirs.", claim("", SHOP, link=docs_link("https://a.example")), "shop")
    assert first == f"Theirs.\n\n{KEPT}\ndbt docs: https://a.example\n{LINE}"
    again = keeping(first, claim("dbt's words.", SHOP, link=docs_link("https://b.example")), "shop")
    assert again == f"Theirs.\n\n{KEPT}\ndbt docs: https://b.example\n{LINE}"


@given(live=st.text(), text=st.text())
def test_keeping_settles(live: str, text: str) -> None:
    """What was kept once is kept as it is by the next run, and stays this project's."""
    desired = claim(text, SHOP)
    first = keeping(live, desired, "shop")
    assert owner_of(first) == SHOP
    assert keeping(first, desired, "shop") == first


NOTES = {"sql": "0123456789ab", "tags": "ba9876543210"}  # pragma: allowlist secret


@given(text=st.text())
def test_a_note_at_the_end_of_the_line(text: str) -> None:
    """A note is read back and replaced, and neither the owner nor the text depends on it."""
    claimed = claim(text, SHOP)
    noted = noting(claimed, NOTES)
    assert noted == f"{claimed} (kept sql=0123456789ab tags=ba9876543210)"
    assert (owner_of(noted), notes_of(noted), plain(noted)) == (SHOP, NOTES, claimed)
    assert noting(noted, {"sql": NOTES["sql"]}) == f"{claimed} (kept sql=0123456789ab)"
    assert noting(noted, {}) == claimed


@pytest.mark.parametrize("note", ["(kept)", "(kept sql)", "(kept sql=0)", "(kept SQL=0123456789ab)", "kept"])
def test_what_is_no_note(note: str) -> None:
    """Anything else behind the unique_id is no ownership line, as before."""
    assert (owner_of(f"{LINE} {note}"), notes_of(f"{LINE} {note}")) == (None, {})


@pytest.mark.parametrize(
    ("description", "known"),
    [
        (LINE, True),
        (f"Text. {LINE}", True),
        (f"text. {LINE.lower()} (kept sql=0123456789ab)", True),
        (LINE.upper(), True),
        (f"x{LINE}", False),
        (f"{LINE}s", False),
        (f"{LINE} and more", False),
        ("Managed by dbt: shop@dev/model.shop.fct_exposures", False),
        ("Managed by dbt: SHOP/model.shop.fct_exposures", False),
        ("x", False),
        (None, False),
    ],
)
def test_a_line_that_was_changed_is_known(description: str | None, *, known: bool) -> None:
    """Another case, or the text on the same line, hides no owner; a line in good order of another owner is another."""
    assert is_of(description, SHOP) is known


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda text: " ".join(text.split())])
@pytest.mark.parametrize("live", ["Theirs.", "", f"Ours.\n\n{LINE}"])
def test_a_kept_text_that_was_changed(change: Callable[[str], str], live: str) -> None:
    """What a service made of a text that was kept is kept the next time too, once, and not its mark or line."""
    desired = claim("", SHOP, link=docs_link("https://a.example"))
    first = keeping(live, desired, "shop")
    again = keeping(change(first), desired, "shop")
    assert again == first.replace("Theirs.", change("Theirs."))
