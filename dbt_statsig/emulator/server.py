"""The emulator as a server: in a thread for tests, or in the foreground for people."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.routing import Mount

from dbt_statsig.emulator.api import PREFIX
from dbt_statsig.emulator.control import Control
from dbt_statsig.emulator.core import Emulator
from dbt_statsig.emulator.failures import CannotStart
from dbt_statsig.emulator.options import Options
from dbt_statsig.emulator.visitors import Visitors
from dbt_statsig.emulator.wire import Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from types import FrameType

    from starlette.types import ASGIApp

    from dbt_statsig.emulator.console import Exchange
    from dbt_statsig.emulator.state import State

__all__ = ["Running", "create_app", "running", "serve"]

# Longer than any client keeps an idle connection, so that it is never the server that closes one under a request.
_KEEP_ALIVE = 75
_LAST_ANSWERS = 2
_TICK = 0.02


class Running(Struct, frozen=True, kw_only=True):
    """A server that answers at `url`."""

    url: str
    key: str
    emulator: Emulator

    @property
    def state(self) -> State:
        """What it holds now."""
        return self.emulator.state

    @property
    def requests(self) -> list[Exchange]:
        """The API requests so far, in the order of their answers."""
        return list(self.emulator.console.log)

    def inject(self, *faults: Mapping[str, Any]) -> None:
        """Put these faults in force, instead of those before. Raises `CannotStart` for a plan that is not valid."""
        self.emulator.faults.replace(faults)

    def reset(self) -> None:
        """Go back to the start: the seed's objects, no faults, an empty log, fresh rate windows."""
        self.emulator.reset()


class _Server(uvicorn.Server):
    """uvicorn's server, which looks ten times a second whether to stop: too slow for one server a test."""

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            await asyncio.sleep(_TICK)


def create_app(**options: Any) -> ASGIApp:
    """The emulator as an ASGI application that answers to loopback addresses; see `Options` for `options`.

    Faults that drop connections need `running` or `serve`. Raises `CannotStart`.
    """
    return _app(Emulator(Options(**options)))


@contextmanager
def running(*, host: str = "127.0.0.1", port: int = 0, **options: Any) -> Iterator[Running]:
    """A server in a thread, on a free port unless one is given, until the context ends; see `Options` for `options`.

    Raises `CannotStart`.
    """
    emulator = Emulator(Options(**options))
    with _listening(host, port) as listener:
        server = _Server(_config(_app(emulator, host)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="emulator", daemon=True)
        thread.start()
        try:
            shown = f"[{host}]" if ":" in host else host
            yield Running(
                url=f"http://{shown}:{listener.getsockname()[1]}", key=emulator.options.key, emulator=emulator
            )
        finally:
            emulator.console.closing = True
            server.should_exit = True
            thread.join()


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    on_ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    **options: Any,
) -> None:
    """Serve until SIGINT, SIGTERM or `stop`; `on_ready` is called with the URL. See `Options` for `options`.

    Raises `CannotStart`.
    """
    stop = stop or threading.Event()
    with running(host=host, port=port, **options) as server, _stopped_by_signals(stop):
        if on_ready is not None:
            on_ready(server.url)
        stop.wait()


def _app(emulator: Emulator, host: str = "") -> ASGIApp:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        emulator.console.closing = True
        await emulator.console.stop()

    app = Starlette(routes=[Mount(PREFIX, app=emulator.console), *Control(emulator).routes()], lifespan=lifespan)
    # A redirect would send clients, and their key, to a path that they did not ask for.
    app.router.redirect_slashes = False
    return Visitors(app, host)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_LAST_ANSWERS,
    )


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, as asyncio switches Nagle's delay off only then: each answer would wait 0.04 s for the client's kernel.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(socket.SOMAXCONN)
        except (OSError, OverflowError) as fault:
            reason = getattr(fault, "strerror", None) or fault
            raise CannotStart(
                f"Cannot listen on {host} port {port}: {reason}. Give another --port (0: any)."
            ) from fault
        yield listener


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before: Sequence[tuple[signal.Signals, Any]] = [
        (number, signal.signal(number, handle)) for number in (signal.SIGINT, signal.SIGTERM)
    ]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
