"""Fault 2: a certificate that nobody vouches for."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.integration.faults.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENSSL = shutil.which("openssl")


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, list[bytes]]]:
    """A TLS server with a certificate of its own making, and what it was sent after the handshake."""
    if OPENSSL is None:
        pytest.skip("there is no openssl command to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", str(key), "-out", str(certificate)]
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *made]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    received: list[bytes] = []
    connections: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    connections.append(None)
                    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
                        received.append(wrapped.recv(65536))
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", received
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
        assert len(connections) == 1, "a certificate that is refused is refused again"


def test_fault_02_tls_failure(tmp_path: Path, secure: tuple[str, list[bytes]]) -> None:
    """It is refused at once with exit 2 and the setting for an authority of one's own; nothing is sent."""
    url, received = secure
    project = Project(tmp_path / "shop", url)
    project.declare("orders", "Orders")
    done = project.text("sync")
    assert (done.code, done.stdout) == (2, "")
    assert "SSL_CERT_FILE" in done.stderr
    assert not any(received)
