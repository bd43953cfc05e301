"""One request, one result: the only module that calls httpx.

httpx's exceptions hold the request with its headers, so none leaves this module, not even as a context: what went
wrong is handed on as a value that holds redacted text only.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx
from msgspec import Struct

from dbt_statsig import __version__
from dbt_statsig.console.base_url import is_clear_text
from dbt_statsig.console.key import RedactingFilter
from dbt_statsig.errors import Refused, SettingsError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from dbt_statsig.console.key import ApiKey

API_VERSION = "20240601"
LARGEST_ANSWER = 64 * 2**20
LONGEST_URL = 60_000
_CONNECT_SECONDS = 10.0
_KEPT_HEADERS = ("retry-after", "date", "location", "content-type")
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_NAME = re.compile(r"(?P<name>[\w.-]+)(:(?P<port>\d+))?")
_SLICE = 65_536
_due = threading.local()


class Answer(Struct, frozen=True, kw_only=True):
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Trouble(Enum):
    """How a request ended without a whole answer."""

    NOT_SENT = "not sent"
    TLS = "certificate not accepted"
    LOST = "sent, but got no complete answer"


class Failure(Struct, frozen=True, kw_only=True):
    """A request without a whole answer, and why, in words that hold no secret."""

    trouble: Trouble
    detail: str


class Service(Struct, frozen=True, kw_only=True):
    """What an API wants in the headers of each request: the key, after the words of its scheme, and the fixed ones."""

    key_header: str = "Authorization"
    scheme: str = ""
    headers: Mapping[str, str]


STATSIG = Service(key_header="STATSIG-API-KEY", headers={"STATSIG-API-VERSION": API_VERSION})


class Wire:
    """An open connection pool to one base URL; safe to use from several threads."""

    def __init__(
        self,
        key: ApiKey,
        base_url: str,
        *,
        service: Service = STATSIG,
        respect_review_settings: bool = False,
        transport: httpx.BaseTransport | None = None,
        largest_answer: int = LARGEST_ANSWER,
    ) -> None:
        """Open it. Raises SettingsError where the environment's proxy or certificate settings cannot be used."""
        self._key = key
        self._base_url = base_url
        self._largest_answer = largest_answer
        self._requests = 0
        self._under_way = 0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        headers = {
            "Accept": "application/json",
            "User-Agent": f"dbt-statsig/{__version__}",
            **service.headers,
        }
        if respect_review_settings:
            headers["x-respect-review-settings"] = "true"
        # Clear text stays on this machine: a proxy from the environment would carry it off.
        found = {} if is_clear_text(base_url) else urllib.request.getproxies()
        proxy, self.unread_no_proxy = chosen_proxy(base_url, found)
        auth = _KeyHeader(key, service)
        client = _open_client(auth, base_url, headers, transport, proxy)
        if isinstance(client, SettingsError):
            raise client
        self._client = client
        self._filter = RedactingFilter(key)
        self._filter.attach()

    @property
    def requests(self) -> int:
        """How many requests were begun, repeated ones included."""
        return self._requests

    def close(self) -> None:
        """Send nothing more, and close all connections once the last request under way has ended."""
        with self._lock:
            self._closed.set()
            is_idle = not self._under_way
        if is_idle:
            self._shut()

    def _shut(self) -> None:
        self._client.close()
        self._filter.detach()

    def exchange(self, method: str, path: str, body: bytes | None, *, timeout: float) -> Answer | Failure:
        """Send one request and read its answer to the end, all in `timeout` seconds.

        Raises Refused (status 0) where the path would not go out as it is written here.
        """
        url = self._url(path)
        with self._lock:
            if self._closed.is_set():
                return Failure(trouble=Trouble.NOT_SENT, detail="the connection was closed here")
            self._requests += 1
            self._under_way += 1
        try:
            return self._send(method, url, body, timeout)
        except httpx.HTTPError as error:
            failure = _failure(error, self._key)
        except UnicodeError:
            failure = Failure(trouble=Trouble.NOT_SENT, detail="the host's name is malformed")
        finally:
            with self._lock:
                self._under_way -= 1
                is_last = self._closed.is_set() and not self._under_way
            if is_last:
                self._shut()
        return failure

    def _url(self, path: str) -> httpx.URL:
        text = f"{self._base_url}{path}"
        if len(text) > LONGEST_URL:
            raise Refused("A name is too long to be sent in an address.", status=0, fix="Choose a shorter name.")
        url = httpx.URL(text)
        if not url.raw_path.decode("ascii").endswith(path):
            raise Refused("A name cannot be sent unchanged in an address.", status=0, fix="Choose another name.")
        return url

    def _send(self, method: str, url: httpx.URL, body: bytes | None, timeout: float) -> Answer | Failure:
        headers = {} if body is None else {"Content-Type": "application/json"}
        limits = httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS))
        request = self._client.build_request(method, url, content=body, headers=headers, timeout=limits)
        with deadline(timeout):
            response = self._client.send(request, stream=True, follow_redirects=False)
            try:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > self._largest_answer:
                        detail = f"the answer is larger than {self._largest_answer} bytes"
                        return Failure(trouble=Trouble.LOST, detail=detail)
            finally:
                response.close()
        kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        return Answer(status=response.status_code, headers=kept, body=bytes(content))


class _KeyHeader(httpx.Auth):
    """Adds the key to each request as it goes out, so that no client's or transport's own headers hold it."""

    def __init__(self, key: ApiKey, service: Service) -> None:
        self._key = key
        self._service = service

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._service.key_header] = f"{self._service.scheme}{self._key.reveal()}"
        yield request


def _open_client(
    auth: httpx.Auth,
    base_url: str,
    headers: Mapping[str, str],
    transport: httpx.BaseTransport | None,
    proxy: str | None,
) -> httpx.Client | SettingsError:
    """The client, or why there is none, without the proxy's address: it can hold a password."""
    try:
        httpx.URL(base_url)
        transport = transport or Transport(proxy, trust_env=not is_clear_text(base_url))
        return httpx.Client(auth=auth, headers=headers, transport=transport, trust_env=False)
    except ImportError:
        return SettingsError(
            "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy, which needs the extra `socks`.",
            fix="Run pip install 'dbt-statsig[socks]', or name an HTTP proxy.",
        )
    except (httpx.InvalidURL, OSError, ValueError) as error:
        return SettingsError(
            f"The connection cannot be set up ({type(error).__name__}).",
            fix="Check `base_url`, SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY and ALL_PROXY.",
        )


def _failure(error: httpx.HTTPError, key: ApiKey) -> Failure:
    detail = key.redact(f"{type(error).__name__}: {error}".rstrip(": "))
    if not isinstance(error, _NOT_SENT):
        return Failure(trouble=Trouble.LOST, detail=detail)
    trouble = Trouble.TLS if _is_tls(error) else Trouble.NOT_SENT
    return Failure(trouble=trouble, detail=detail)


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


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
