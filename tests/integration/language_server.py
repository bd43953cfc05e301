"""The YAML language server that editors use, started as a process and asked in its own protocol."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Message = dict[str, Any]


class LanguageServer:
    """One server; its answers are waited for, notices of faults are kept by document."""

    def __init__(self, process: subprocess.Popen[bytes], settings: Mapping[str, object]) -> None:
        self._process = process
        self._settings = settings
        self._number = 0
        self._faults: dict[str, list[Message]] = {}
        self.request("initialize", processId=None, rootUri=None, capabilities={"workspace": {"configuration": True}})
        self._send({"method": "initialized", "params": {}})
        self._send({"method": "workspace/didChangeConfiguration", "params": {"settings": {"yaml": settings}}})

    def open(self, path: Path, text: str) -> str:
        """Open a document with this text, which need not be the file's; gives its address once it is judged."""
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while path.as_uri() not in self._faults:
            self._receive()
        return path.as_uri()

    def faults(self, uri: str) -> list[str]:
        """The messages about a document that was opened."""
        return [fault["message"] for fault in self._faults[uri]]

    def completions(self, uri: str, line: int, character: int) -> list[Message]:
        """What may be written at a place (counted from 0)."""
        answer = self.request(
            "textDocument/completion", textDocument={"uri": uri}, position={"line": line, "character": character}
        )
        found: list[Message] = answer["items"] if isinstance(answer, dict) else answer
        return found

    def hover(self, uri: str, line: int, character: int) -> str:
        """What is shown about a place (counted from 0)."""
        answer = self.request(
            "textDocument/hover", textDocument={"uri": uri}, position={"line": line, "character": character}
        )
        return str(answer["contents"]["value"]) if answer else ""

    def request(self, method: str, **params: object) -> Any:
        """The result of one request."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._number and "method" not in message:
                return message["result"]

    def _send(self, message: Message) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
        self._process.stdin.flush()

    def _receive(self) -> Message:
        assert self._process.stdout is not None
        length = 0
        while header := self._process.stdout.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        message: Message = json.loads(self._process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self._faults[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    def _answer(self, message: Message) -> object:
        if message["method"] != "workspace/configuration":
            return None
        items: Sequence[Message] = message["params"]["items"]
        return [self._settings if item.get("section") == "yaml" else {} for item in items]


@contextmanager
def language_server(command: Sequence[str], settings: Mapping[str, object]) -> Iterator[LanguageServer]:
    """A server with these settings of `yaml`."""
    with subprocess.Popen([*command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield LanguageServer(process, settings)
        finally:
            process.kill()
