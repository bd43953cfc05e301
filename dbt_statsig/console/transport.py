"""The way to the service: through which proxy, and how long one request may take in all.

httpx limits each read, so that an answer of one byte a second never ends: here every read of a request gets what is
left of the request's time. httpx also refuses a NO_PROXY with an entry that it cannot read: the proxy is chosen here.
"""

from __future__ import annotations

import ipaddress
import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"(?P<name>[\w.-]+)(:(?P<port>\d+))?")
_SLICE = 65_536
_due = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let whatever this thread reads and writes meanwhile end in so many seconds."""
    _due.at = time.monotonic() + seconds
    try:
        yield
    finally:
        del _due.at


class Transport(httpx.HTTPTransport):
    """httpx's own, keeping the deadline. Raises ValueError and ImportError for a proxy that it cannot use."""

    def __init__(self, proxy: str | None, *, trust_env: bool) -> None:
        """With `trust_env`, certificates are taken from where SSL_CERT_FILE and SSL_CERT_DIR say."""
        super().__init__(trust_env=trust_env, proxy=proxy)
        self._pool._network_backend = _Backend()  # noqa: SLF001  # httpx has no option for what every pool has


def chosen_proxy(base_url: str, proxies: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    """The proxy to this address, and the entries of NO_PROXY that cannot be read.

    `proxies` is what urllib finds in the environment: `https`, `http`, `all` and `no`.
    """
    parts = urlsplit(base_url)
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy:
        return None, ()
    entries = [entry for entry in map(str.strip, proxies.get("no", "").split(",")) if entry]
    covers = {entry: _covers(entry, parts.hostname or "", parts.port) for entry in entries}
    unreadable = tuple(entry for entry, covered in covers.items() if covered is None)
    return None if any(covers.values()) else proxy if "://" in proxy else f"http://{proxy}", unreadable


def _covers(entry: str, host: str, port: int | None) -> bool | None:
    """Whether an entry means this host: itself, a domain above it, or its network. None: it cannot be read."""
    network = _network(entry)
    if network is not None:
        address = _network(host)
        return address is not None and address.network_address in network
    found = _NAME.fullmatch(entry.lower().lstrip("*"))
    if found is None:
        return True if entry == "*" else None
    name = found["name"].strip(".")
    return f".{host}".endswith(f".{name}") and found["port"] in (None, str(port))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return None


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, *address: Any, **options: Any) -> httpcore.NetworkStream:
        options["timeout"] = _left(options.get("timeout"))
        return _Stream(super().connect_tcp(*address, **options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, real: httpcore.NetworkStream) -> None:
        self._real = real

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._real.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The real one gives the whole time to each part that the other side takes.
        for start in range(0, len(buffer), _SLICE):
            self._real.write(buffer[start : start + _SLICE], _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._real.start_tls(ssl_context, server_hostname, _left(timeout)))

    def close(self) -> None:
        self._real.close()

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)


def _left(timeout: float | None, late: type[httpcore.TimeoutException] | None = None) -> float:
    """The part of a time limit that the deadline leaves. Raises `late` where there is none."""
    left: float = _due.at - time.monotonic()
    if late is not None and left <= 0:
        raise late("the request took longer than its time limit")
    return max(0.001, left if timeout is None else min(timeout, left))
