"""Which addresses the key may be sent to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dbt_statsig.errors import SettingsError
from dbt_statsig.support.hosts import STATSIG_HOSTS, address_of, is_this_machine
from dbt_statsig.vocabulary.sources import API_PREFIX

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from dbt_statsig.support.hosts import Address

DEFAULT_BASE_URL = f"https://{STATSIG_HOSTS[0]}"
_FIX = f"Set base_url to a plain https address such as {DEFAULT_BASE_URL} (http is for this machine only)."
_METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})


def checked_base_url(text: str) -> str:
    """The address without its last slash.

    Raises SettingsError for all but https (http on loopback), and for user info, a query, a fragment, the API's own
    prefix, or an address where clouds serve credentials. The message never repeats the user info.
    """
    parts, host = _split(text)
    fault = _form_fault(text, parts, host) or _host_fault(parts.scheme, host)
    if fault:
        raise SettingsError(f"base_url {fault}", fix=_FIX)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_clear_text(base_url: str) -> bool:
    """True for http, which a checked address has on loopback only."""
    return base_url.startswith("http:")


def _split(text: str) -> tuple[SplitResult, str]:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None:
        raise SettingsError("`base_url` is not an address: its host or port cannot be read.", fix=_FIX)
    return parts, (parts.hostname or "").rstrip(".")


def _form_fault(text: str, parts: SplitResult, host: str) -> str:
    path = parts.path
    faults = (
        (
            not text.isprintable() or any(character.isspace() or character in '\\"<>' for character in text),
            "contains a blank or a character that an address cannot have.",
        ),
        (parts.scheme not in {"https", "http"}, "must begin with https://."),
        ("@" in parts.netloc, "contains a user name or password."),
        (not host, "names no host."),
        ("?" in text or "#" in text, "contains a query or a fragment."),
        (
            "%" in path or "//" in path or any(segment in {".", ".."} for segment in path.split("/")),
            "contains an ambiguous path.",
        ),
        (path.rstrip("/").endswith(API_PREFIX), f"must not contain {API_PREFIX}: that part is added."),
    )
    return next((words for applies, words in faults if applies), "")


def _host_fault(scheme: str, host: str) -> str:
    address = address_of(host)
    if host in _METADATA_HOSTS or (address is not None and _gives_credentials(address)):
        return f"names {host}, where a cloud machine serves its own credentials."
    if scheme == "http" and not is_this_machine(host):
        return "begins with http://: the key would cross the network in clear text."
    return ""


def _gives_credentials(address: Address) -> bool:
    return address.is_link_local or str(address) == "fd00:ec2::254"
