"""The Console API client and certificates, over real TLS on loopback."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from dbt_statsig.console.client import ConsoleClient
from dbt_statsig.console.key import ApiKey
from dbt_statsig.errors import ConnectionFailed
from tests.integration.raw_server import reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENSSL = shutil.which("openssl")
KEY = ApiKey("console-OverTls12345", origin="STATSIG_CONSOLE_API_KEY")
ANSWER = reply(200, {"data": [], "pagination": {"nextPage": None}})

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl command to make a certificate with")


class Certificate:
    """A certificate of nobody's authority for 127.0.0.1, and its key, as files."""

    def __init__(self, folder: Path) -> None:
        self.file, self.key = folder / "certificate.pem", folder / "key.pem"
        subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        made = ["-keyout", str(self.key), "-out", str(self.file)]
        command = [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *made]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One for all tests."""
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def address(certificate: Certificate) -> Iterator[str]:
    """A server that shows this certificate, and answers any request with an empty list."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = listener.accept()[0]
                    connection.settimeout(5)
                    with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                        secure.recv(65536)
                        secure.sendall(ANSWER)
                    connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)


def test_2_an_unknown_authority_is_refused(address: str) -> None:
    """Fault 2: a certificate that nobody vouches for ends the run at the first request, with the setting named."""
    with ConsoleClient(KEY, base_url=address) as console:
        with pytest.raises(ConnectionFailed, match="certificate") as caught:
            console.ping()
        assert console.requests == 1
    assert "SSL_CERT_FILE" in caught.value.fix
    assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value)


def test_2_the_named_setting_helps(address: str, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 2: with the authority's bundle in SSL_CERT_FILE, as the message advises, the same server is accepted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    with ConsoleClient(KEY, base_url=address) as console:
        console.ping()
        assert console.requests == 1
