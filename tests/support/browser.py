"""A real Chromium over its DevTools protocol: open a page, ask it things, see its errors and its requests.

Installs nothing. The browser is found on the PATH or named by STRATA_CHROMIUM.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
START_SECONDS = 60
ANSWER_SECONDS = 60
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--no-default-browser-check", "--hide-scrollbars", "--remote-debugging-port=0", "--remote-allow-origins=*",
)  # fmt: skip


class NoBrowserError(RuntimeError):
    """There is no Chromium on this machine, or it did not start."""


def find_chromium() -> str:
    """The browser's path.

    Raises:
        NoBrowserError: none was found; the message says how to get one.
    """
    named = os.environ.get("STRATA_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowserError(
            f"no browser found under {', '.join(NAMES)}; install one with `apt-get install -y chromium` "
            "or name it in STRATA_CHROMIUM"
        )
    return found


class Page:
    """One tab. Errors, console messages and requested addresses gather in its lists."""

    def __init__(self, address: str) -> None:
        """Connect to the tab and begin to listen."""
        self._socket = websocket.create_connection(address, timeout=ANSWER_SECONDS)
        self._next = 0
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        """Return the page itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up; the browser is ended by whoever started it."""
        self._socket.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser and wait for its answer; what it reports meanwhile is recorded."""
        self._next += 1
        self._socket.send(json.dumps({"id": self._next, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._next:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._record(message)

    def open(self, url: str) -> None:
        """Go to the address and wait until it has loaded."""
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._record(json.loads(self._socket.recv()))
        self.evaluate("document.fonts.ready.then(() => true)")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", expression))
        return answer["result"].get("value")

    def resize(self, width: int, height: int, *, phone: bool = False) -> None:
        """Give the page a screen of this size in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )  # fmt: skip

    def prefer(self, scheme: str) -> None:
        """Ask for the `light` or the `dark` colour scheme."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path: Path) -> None:
        """Save the whole page as PNG, not just what fits the screen."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _record(self, message: dict[str, Any]) -> None:
        method, found = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(found["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(found["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning", "assert"):
            self.errors.append(str([argument.get("value") for argument in found["args"]]))
        elif method == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
            self.errors.append(found["entry"]["text"])


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a fresh browser with a profile of its own, ended afterwards.

    Raises:
        NoBrowserError: no browser is installed, or it did not start in time.
    """
    binary = find_chromium()
    with tempfile.TemporaryDirectory(prefix="strata-chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [binary, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            with Page(_tab(_port(Path(profile), process))) as page:
                yield page
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(profile: Path, process: "subprocess.Popen[bytes]") -> int:
    """Chromium writes the port that it chose into its profile."""
    file = profile / "DevToolsActivePort"
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise NoBrowserError(f"the browser ended at once with code {process.returncode}")
        if file.is_file() and file.read_text().strip():
            return int(file.read_text().splitlines()[0])
        time.sleep(0.1)
    raise NoBrowserError(f"the browser did not open its DevTools port within {START_SECONDS} s")


def _tab(port: int) -> str:
    """The DevTools address of the first tab."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
            tabs = [tab for tab in json.load(answer) if tab["type"] == "page"]
        if tabs:
            return tabs[0]["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise NoBrowserError("the browser has no tab")
