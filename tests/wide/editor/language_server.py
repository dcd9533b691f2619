"""A client of the YAML language server, as an editor is one (Language Server Protocol 3.17)."""

import itertools
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

SETTINGS: Final = {
    "yaml": {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
}
_CAPABILITIES: Final = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}


class LanguageServer:
    """The server, started for a folder. Texts have a `|` where the cursor is."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Self:
        """The server once it is ready."""
        uri = self._folder.as_uri()
        folders = [{"uri": uri, "name": "inventory"}]
        about = {"processId": None, "rootUri": uri, "workspaceFolders": folders}
        self._ask("initialize", {**about, "capabilities": _CAPABILITIES})
        self._send({"method": "initialized", "params": {}})
        change = {"settings": SETTINGS}
        self._send({"method": "workspace/didChangeConfiguration", "params": change})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()

    def wrong(self, text: str) -> list[tuple[int, str]]:
        """What it underlines in a file: the line (from 1), and the words."""
        _, found = self._opened(text)
        return [(one["range"]["start"]["line"] + 1, one["message"]) for one in found]

    def completions(self, text: str) -> dict[str, str]:
        """What may stand at the cursor, each with its words."""
        answer = self._at_cursor("textDocument/completion", text)
        return {one["label"]: _text(one.get("documentation")) for one in answer["items"]}

    def hover(self, text: str) -> str:
        """What it says of the word under the cursor."""
        answer = self._at_cursor("textDocument/hover", text)
        return _text(answer["contents"]) if answer else ""

    def _at_cursor(self, method: str, text: str) -> Any:
        before, _, after = text.partition("|")
        uri, _ = self._opened(before + after)
        lines = before.split("\n")
        position = {"line": len(lines) - 1, "character": len(lines[-1])}
        return self._ask(method, {"textDocument": {"uri": uri}, "position": position})

    def _opened(self, text: str) -> tuple[str, list[Any]]:
        """The address of a new file with this text, and what is wrong with it."""
        uri = (self._folder / f"{next(self._numbers)}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while True:
            message = self._read()
            if message.get("method") == "textDocument/publishDiagnostics":
                params = message["params"]
                if params["uri"] == uri:
                    return uri, params["diagnostics"]

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                return message["result"]

    def _read(self) -> dict[str, Any]:
        """The next message; questions of the server are answered on the way."""
        stream = self._process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise EOFError("the language server has ended")
        message: dict[str, Any] = json.loads(stream.read(length))
        if "id" in message and "method" in message:
            items = (message.get("params") or {}).get("items", [])
            asked = message["method"] == "workspace/configuration"
            result = [SETTINGS.get(one.get("section")) for one in items] if asked else None
            self._send({"id": message["id"], "result": result})
        return message

    def _send(self, message: dict[str, Any]) -> None:
        stream = self._process.stdin
        assert stream is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        stream.flush()


def _text(value: Any) -> str:
    return value["value"] if isinstance(value, dict) else str(value or "")
