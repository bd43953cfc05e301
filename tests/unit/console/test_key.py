"""Tests of the API key."""

from __future__ import annotations

import base64
import copy
import html
import json
import pickle
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbt_statsig.console.key import HIDDEN, KEY_VARIABLES, ApiKey, redacted
from dbt_statsig.errors import SettingsError
from tests.unit.console.service import KEY, SECRET

ODD = "console-a/b\"c'd&e%f+g\\h"


def test_the_first_variable_that_holds_a_key_wins() -> None:
    """The three variables are read in their order, empty ones passed over, and the origin is kept."""
    environ = {KEY_VARIABLES[0]: "", KEY_VARIABLES[1]: "console-second1", KEY_VARIABLES[2]: "console-third11"}
    key = ApiKey.from_environment(environ)
    assert key is not None
    assert (key.reveal(), key.origin) == ("console-second1", "STATSIG_API_KEY")


def test_no_variable_is_no_key() -> None:
    """Without any of the variables there is no key, and no error."""
    assert ApiKey.from_environment({"HOME": "/"}) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("console-Abc\n", "line break"),
        ("console-Abc 123", "blank"),
        (" console-Abc123", "blank"),
        ("\u201cconsole-Abc123\u201d", "typographic quote"),
        ("console-Abc\x07123", "control character"),
        ("secret-Abc123Def", "an SDK key"),
        ("client-Abc123Def", "an SDK key"),
        ("conso", "too short"),
    ],
)
def test_31_what_cannot_be_a_key_is_refused_unseen(value: str, fault: str) -> None:
    """Fault 31: a key that no header can carry, or of another sort, is refused by its variable's name alone."""
    with pytest.raises(SettingsError, match=fault) as caught:
        ApiKey.from_environment({"STATSIG_API_KEY": value})
    assert "STATSIG_API_KEY" in str(caught.value)
    assert value.strip() not in str(caught.value)


def test_an_empty_key_is_refused() -> None:
    """A key made of nothing is refused."""
    with pytest.raises(SettingsError, match="is empty"):
        ApiKey("", origin="X")


def test_no_form_of_display_shows_the_key() -> None:
    """Neither repr, str, format, attributes nor pickling give the key away."""
    shown = [repr(KEY), str(KEY), f"{KEY}", f"{KEY!r:>50}", "%s" % KEY, repr([KEY]), repr({"key": KEY})]  # noqa: UP031  # one more way to show it
    assert not any(SECRET in text for text in shown)
    assert "STATSIG_CONSOLE_API_KEY" in repr(KEY)
    assert not hasattr(KEY, "__dict__")
    for copier in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled"):
            copier(KEY)


@pytest.mark.parametrize(
    "spelling",
    [
        ODD,
        ODD.upper(),
        json.dumps(ODD)[1:-1],
        json.dumps(ODD)[1:-1].replace("/", r"\/"),
        quote(ODD),
        quote(ODD, safe=""),
        quote(ODD, safe="").lower(),
        repr(ODD)[1:-1],
        "".join(f"\\u{ord(character):04x}" for character in ODD),
        "".join(f"%{ord(character):02X}" for character in ODD),
        quote(quote(ODD, safe=""), safe=""),
        json.dumps(json.dumps(ODD))[3:-3],
        html.escape(ODD),
        "".join(f"&#{ord(character)};" for character in ODD),
        ODD.encode().hex(),
    ],
)
def test_the_key_is_hidden_in_every_spelling(spelling: str) -> None:
    """A key that an answer quotes raw, escaped or percent-encoded is hidden."""
    assert ApiKey(ODD, origin="X").redact(f"Invalid key <{spelling}>!") == f"Invalid key <{HIDDEN}>!"


@given(st.binary(max_size=8), st.binary(max_size=8), st.booleans())
def test_the_key_is_hidden_within_base64(before: bytes, after: bytes, urls: bool) -> None:  # noqa: FBT001 - hypothesis hands it in
    """A key within any text in base64 is hidden, wherever in it it begins."""
    encoded = (base64.urlsafe_b64encode if urls else base64.b64encode)(before + ODD.encode() + after).decode()
    redacted = ApiKey(ODD, origin="X").redact(f"Authorization: Basic {encoded}")
    assert HIDDEN in redacted
    assert encoded not in redacted


def test_hiding_takes_no_time() -> None:
    """A megabyte without the key is searched at once, and one full of escapes in linear time."""
    started = time.process_time()
    for text in ("select a from b\n" * 60_000, "\\" * 500_000 + "%63", "&#0" * 300_000 + "x63", "\\c%63" * 200_000):
        ApiKey(ODD, origin="X").redact(text)
    assert time.process_time() - started < 10


def test_other_console_keys_are_hidden_too() -> None:
    """What looks like a Console key is hidden even if it is not the one in use; other words are not."""
    assert KEY.redact("console-Zzz999 and the console-") == f"{HIDDEN} and the console-"
    assert KEY.redact("metaconsole-x, the console, Statsig console") == "metaconsole-x, the console, Statsig console"


@given(
    st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_no_key_survives_redaction(tail: str, before: str, after: str) -> None:
    """Whatever the key and whatever stands around it, the redacted text does not hold it."""
    value = f"console-{tail}"
    hidden = ApiKey(value, origin="X").redact(f"{before}{value}{after}")
    assert value.casefold() not in hidden.casefold()


def test_a_secret_without_letters_and_digits_is_hidden() -> None:
    """A secret of signs only has no part that a quick search could look for; it is found all the same."""
    assert redacted("before %2B-+_%2B-+_ after", {"DBT_ENV_SECRET_PASSWORD": "+-+_+-+_"}) == f"before {HIDDEN} after"
