"""A small double of the API of AWS KMS: GenerateDataKey and Decrypt, over HTTP, with an encryption context."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class KmsDouble(ThreadingHTTPServer):
    """Keys by name, and what was asked."""

    def __init__(self) -> None:
        """Take a free port of this machine."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys = {"alias/brand": os.urandom(32), "alias/other": os.urandom(32)}
        self.asked: list[str] = []
        self.answers_with = ""
        """Code of the error with which it answers everything; empty when it works."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, action: str, told: dict[str, Any]) -> dict[str, Any]:
        context = json.dumps(told.get("EncryptionContext", {}), sort_keys=True).encode()
        if action == "GenerateDataKey":
            plain, nonce = os.urandom(32), os.urandom(12)
            blob = nonce + AESGCM(self.keys[told["KeyId"]]).encrypt(nonce, plain, context)
            return {"KeyId": told["KeyId"], "Plaintext": _text(plain), "CiphertextBlob": _text(blob)}
        blob = base64.b64decode(told["CiphertextBlob"])
        plain = AESGCM(self.keys[told["KeyId"]]).decrypt(blob[:12], blob[12:], context)
        return {"KeyId": told["KeyId"], "Plaintext": _text(plain)}


class _Handler(BaseHTTPRequestHandler):
    server: KmsDouble

    def do_POST(self) -> None:
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(action)
        code = self.server.answers_with
        try:
            body = {"__type": code} if code else self.server.answer(action, told)
        except InvalidTag:
            code, body = "InvalidCiphertextException", {"__type": "InvalidCiphertextException"}
        data = json.dumps(body).encode()
        self.send_response(400 if code else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@contextmanager
def kms_double() -> Iterator[KmsDouble]:
    """A running double."""
    server = KmsDouble()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
