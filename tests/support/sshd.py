"""A real OpenSSH server on loopback for SFTP alone, as the current user, with keys made for it."""

import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

READY_SECONDS = 20


@dataclass(frozen=True)
class Sshd:
    """Where it listens, and what a client needs to know."""

    port: int
    host_key: str
    client_key: str
    root: Path

    def transport(self, **more: Any) -> dict[str, Any]:
        """`transport` of a vendor's profile that leads here."""
        given = {
            "kind": "sftp", "host": "127.0.0.1", "port": self.port, "user": getpass.getuser(), "path": str(self.root),
            "host_key": self.host_key,
        }  # fmt: skip
        return given | more

    def env(self, vendor: str) -> dict[str, str]:
        """The secret as a child process is told it."""
        return {"STRATA_SFTP_SECRETS": json.dumps({vendor: {"key": self.client_key}})}


@contextmanager
def sshd_server(folder: Path) -> Iterator[Sshd]:
    """Run one server; it has greeted a client before it is handed over. Files land in `folder/drop`."""
    folder.mkdir(parents=True, exist_ok=True)
    server = _prepare(folder)
    binary = shutil.which("sshd") or "/usr/sbin/sshd"
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, "-D", "-e", "-f", str(folder / "config")], stdout=log, stderr=log)
    try:
        _wait_for(server.port, process, folder / "log")
        yield server
    finally:
        process.terminate()
        process.wait()


def _prepare(folder: Path) -> Sshd:
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    drop = folder / "drop"
    drop.mkdir(exist_ok=True)
    port = _free_port()
    _write(folder / "host", host.export_private_key())
    _write(folder / "authorized", client.export_public_key())
    told = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "PidFile": "none", "StrictModes": "no",
        "AuthorizedKeysFile": folder / "authorized", "UsePAM": "no", "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password", "Subsystem": "sftp internal-sftp", "ForceCommand": "internal-sftp",
    }  # fmt: skip
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in told.items()))
    words = host.export_public_key().decode().split()
    return Sshd(port, " ".join(words[:2]), client.export_private_key().decode(), drop)


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as greeting:
                if greeting.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    msg = f"sshd did not answer on {port}: {log.read_text()[-2000:]}"
    raise TimeoutError(msg)
