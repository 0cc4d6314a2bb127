"""A proxy that lets requests fail on their way: it works alike under boto3, Polars and deltalake.

A fault is chosen by method, a piece of the address and the nth match. What never fired fails the test.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Kind = Literal["503", "409", "reset", "lost", "half_upload", "truncate", "corrupt", "stall"]
FOREVER = 1_000_000
_HOP = {"connection", "expect", "transfer-encoding", "content-length", "keep-alive"}


@dataclass
class Fault:
    """Fire on matches number `nth` to `nth + times - 1`."""

    kind: Kind
    method: str
    contains: str
    nth: int = 1
    times: int = 1
    seconds: float = 0
    matched: int = 0
    fired: int = 0

    def fires(self, method: str, path: str) -> bool:
        """Count one request, and say whether it is hit."""
        if method != self.method or self.contains not in path:
            return False
        self.matched += 1
        hit = self.nth <= self.matched < self.nth + self.times
        self.fired += hit
        return hit


@dataclass
class FaultProxy:
    """Stands between a client and `upstream`; `url` is where clients go."""

    upstream: str
    url: str = ""
    requests: list[str] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def fault(
        self, kind: Kind, method: str, contains: str = "", *, nth: int = 1, times: int = 1, seconds: float = 0
    ) -> Iterator[Fault]:
        """Inject one fault for the time of a block."""
        fault = Fault(kind, method, contains, nth, times, seconds)
        self._faults.append(fault)
        try:
            yield fault
        finally:
            self._faults.remove(fault)
        assert fault.fired, f"{fault} never fired; seen: {self.requests[-20:]}"

    def struck_by(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request."""
        with self._lock:
            self.requests.append(f"{method} {path}")
            return next((fault for fault in self._faults if fault.fires(method, path)), None)


@contextmanager
def fault_proxy(upstream: str) -> Iterator[FaultProxy]:
    """Run a proxy on loopback for the time of a block."""
    proxy = FaultProxy(upstream)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    server.daemon_threads, server.block_on_close = True, False
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.proxy.struck_by(self.command, self.path)
        kind = fault.kind if fault else None
        if fault and kind == "stall":
            time.sleep(fault.seconds)
        if kind in {"503", "409"}:
            self._answer_only(int(fault.kind))
        elif kind == "reset":
            self._reset()
        elif kind == "half_upload":
            self._send_half(body)
        else:
            self._pass_on(body, kind)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve  # noqa: N815 - names that http.server looks for

    def _pass_on(self, body: bytes, kind: Kind | None) -> None:
        response, data = self._forward(body)
        if kind == "lost":
            return self._reset()
        if kind == "corrupt":
            data = bytes([data[0] ^ 1]) + data[1:]
        self._head(response, len(data))
        self.wfile.write(data[: len(data) // 2] if kind == "truncate" else data)
        self.wfile.flush()
        return self._reset() if kind == "truncate" else None

    def _forward(self, body: bytes) -> tuple[HTTPResponse, bytes]:
        connection = self._connect(len(body))
        connection.endheaders(body)
        response = connection.getresponse()
        with response:
            return response, response.read()

    def _connect(self, length: int) -> HTTPConnection:
        """Open the request to the server; the host stays the one that the client signed."""
        connection = HTTPConnection(urlsplit(self.proxy.upstream).netloc, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(length))
        return connection

    def _send_half(self, body: bytes) -> None:
        connection = self._connect(len(body))
        connection.endheaders(body[: len(body) // 2])
        connection.close()
        self._reset()

    def _head(self, response: HTTPResponse, length: int) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        told = response.getheader("Content-Length") if self.command == "HEAD" else str(length)
        self.send_header("Content-Length", told or "0")
        self.end_headers()

    def _answer_only(self, status: int) -> None:
        code = {503: "SlowDown", 409: "ConditionalRequestConflict"}[status]
        data = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data if self.command != "HEAD" else b"")

    def _reset(self) -> None:
        """Close with a RST, as a dying load balancer does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives
        """Say nothing on stderr."""
