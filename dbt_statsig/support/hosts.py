"""Hosts: which are Statsig's own, and which are this machine, however their address is written."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

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
