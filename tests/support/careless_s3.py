"""A tiny S3 server that ignores conditional writes, as rclone, JuiceFS and s3rver do: the probe must refuse it."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def careless_s3(*, honours: frozenset[str] = frozenset()) -> Iterator[str]:
    """Run it for the time of a block and give its address; `honours` names the conditions that it does respect."""
    state = {"honours": honours, "objects": {}}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), state))
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    honours: frozenset[str]
    objects: dict[str, bytes]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._fails_condition():
            return self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        if "partNumber" not in self.path:
            self.objects[self._key()] = body
        return self._answer(200, etag=_etag(body))

    def do_GET(self) -> None:
        if (body := self.objects.get(self._key())) is None:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        return self._answer(200, body, _etag(body))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("?uploads"):
            return self._answer(200, b"<R><UploadId>one</UploadId></R>")
        if self._fails_condition("If-None-Match-on-complete"):
            return self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        self.objects[self._key()] = b"again"
        return self._answer(200, b"<R><ETag>one</ETag></R>")

    def do_DELETE(self) -> None:
        if "uploadId" not in self.path:
            self.objects.pop(self._key(), None)
        self._answer(204)

    def _fails_condition(self, name: str = "If-None-Match") -> bool:
        standing = self.objects.get(self._key())
        if name in self.honours and self.headers.get("If-None-Match") and standing is not None:
            return True
        wanted = self.headers.get("If-Match")
        if "any If-Match" in self.honours and wanted:  # Ceph RGW 16: refuses the right etag too
            return True
        return "If-Match" in self.honours and wanted is not None and (standing is None or _etag(standing) != wanted)

    def _key(self) -> str:
        return self.path.partition("?")[0]

    def _answer(self, status: int, body: bytes = b"", etag: str = "") -> None:
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives
        """Say nothing on stderr."""


def _etag(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
