"""`dbt` and `dbt-statsig` as commands that start in milliseconds: each is a fork of a process that has imported it.

What a test gets of such a command is what the real one gives: the streams that it was started with, the folder,
environment, arguments, exit code and signals. `program` gives the command's path; `BIN / name` is the real one.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import marshal
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BIN = Path(sys.executable).parent
ENTRIES = {"dbt": ("dbt.cli.main", "cli"), "dbt-statsig": ("dbt_statsig.cli", "main")}
IMPORTED = {
    "dbt": ("dbt.cli.main", "dbt.task.*", "dbt.adapters.sql.impl", "dbt_common.clients.agate_helper"),
    "dbt-statsig": (
        *("httpx", "sqlglot.dialects.duckdb", "dbt_statsig.cli.*", "dbt_statsig.applying.*"),
        *("dbt_statsig.columns.*", "dbt_statsig.commands.*", "dbt_statsig.console.*", "dbt_statsig.impact.*"),
        *("dbt_statsig.importing.*", "dbt_statsig.payloads.*", "dbt_statsig.planning.*", "dbt_statsig.project.*"),
        "dbt_statsig.report.*",
    ),
}
"""What a command imports sooner or later; a star is for all modules below. No duckdb: its threads survive no fork."""
_MEASURED = "COVERAGE_PROCESS_"
MEASURED = "MEASURED_COMMANDS"
"""Coverage doubles what a command takes: it counts only where a test sets this variable."""

# Without the site packages: ten milliseconds. Other settings of Python's or the language take the real command.
_CLIENT = """#!{python} -IS
import sys, os, marshal, _signal, _socket
given = {{name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "LANG", "LC_"))}}
if given != {python_names!r}:
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
link.connect({place!r})
message = marshal.dumps((sys.argv[1:], os.getcwd(), dict(os.environ)))
streams = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
link.sendmsg([len(message).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
rest = memoryview(message)
while rest:
    rest = rest[link.send(rest):]
for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
    if _signal.getsignal(number) != _signal.SIG_IGN:
        _signal.signal(number, lambda number, _: link.send(bytes([number])))
code = int(link.recv(16) or 70)
if code < 0:
    _signal.signal(-code, _signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


def unmeasured(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a dbt command that only prepares a test: without coverage it takes half the time."""
    return {name: value for name, value in environ.items() if not name.startswith(_MEASURED)}


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="forked")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def program(name: str) -> Path:
    """The command, with a process behind it that this one ends with; what is no Python command is the real one."""
    real = BIN / name
    module = ENTRIES[name][0].encode()
    if not real.exists() or module not in real.read_bytes()[:1000] or not hasattr(socket, "send_fds"):
        return real
    place = _folder() / f"{name}.socket"
    environ = {key: value for key, value in unmeasured().items() if not key.startswith(("DBT_", "STATSIG_"))}
    # As a text, so that the tests' folder is not where it looks for modules first.
    command = [sys.executable, "-c", Path(__file__).read_text(encoding="utf-8"), name, str(place)]
    server = subprocess.Popen(command, cwd=BIN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ)
    assert server.stdin is not None
    assert server.stdout is not None
    atexit.register(server.wait)
    atexit.register(server.stdin.close)
    assert server.stdout.readline() == b"ready\n"
    server.stdout.close()
    path = _folder() / "bin" / name
    path.parent.mkdir(exist_ok=True)
    names = {key: value for key, value in environ.items() if key.startswith(("PYTHON", "LANG", "LC_"))}
    path.write_text(
        _CLIENT.format(python=sys.executable, python_names=names, real=str(real), place=str(place)), encoding="utf-8"
    )
    path.chmod(0o755)
    return path


def _serve(name: str, place: str) -> Callable[[], object]:
    """Wait for commands; it comes back in a fork that shall run one, and ends with the process that started this."""
    sys.path[0] = str(BIN)
    for package in IMPORTED[name]:
        module = importlib.import_module(package.removesuffix(".*"))
        if package.endswith("*"):
            for found in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
                importlib.import_module(found.name)
    with contextlib.suppress(ImportError):
        importlib.import_module("coverage")
    place_of_entry, function = ENTRIES[name]
    entry: Callable[[], object] = getattr(importlib.import_module(place_of_entry), function)
    gc.collect()
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen(16)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        link = listener.accept()[0]
        if os.fork() == 0:
            listener.close()
            if _attend(link):
                sys.argv[0] = str(BIN / name)
                return entry
            os._exit(0)
        link.close()
        _reap()
    return lambda: 0


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _attend(link: socket.socket) -> bool:
    """Start the command of a client and give it the client's signals; True in the command's own process."""
    size, streams, _, _ = socket.recv_fds(link, 8, 3)
    with link.makefile("rb") as stream:
        arguments, folder, environ = marshal.loads(stream.read(int.from_bytes(size, "big")))  # noqa: S302 - our client's
    ended, alive = os.pipe()
    child = os.fork()
    if child == 0:
        for number, (given, standard) in enumerate(zip(streams, ("stdin", "stdout", "stderr"), strict=True)):
            os.dup2(given, number)
            setattr(sys, standard, _opened(number, getattr(sys, standard)))
        for number in (*streams, ended, link.detach()):
            os.close(number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environ)
        sys.argv[1:] = arguments
        if MEASURED in environ and any(key.startswith(_MEASURED) for key in environ):
            importlib.import_module("coverage").process_startup()
        return True
    os.close(alive)
    for given in (0, 1, *streams):
        os.close(given)
    while ended not in select.select([link, ended], [], [])[0]:
        sent = link.recv(1)
        os.kill(child, sent[0] if sent else signal.SIGKILL)
        if not sent:
            break
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(OSError):
        link.send(str(code).encode())
    return False


def _opened(number: int, like: io.TextIOWrapper) -> io.TextIOWrapper:
    """The stream as Python itself opens it."""
    file = open(number, "wb" if number else "rb", closefd=False)  # noqa: SIM115 - to the end
    return io.TextIOWrapper(
        file, like.encoding, like.errors, "\n" if number else None, line_buffering=number == 2 or os.isatty(number)
    )


if __name__ == "__main__":
    sys.exit(_serve(*sys.argv[1:])())  # type: ignore[arg-type]
