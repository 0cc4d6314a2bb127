"""Throw-away key rings of the real GnuPG, as a vendor has one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True)
class Ring:
    """A throw-away GnuPG key ring, as a vendor has one."""

    home: Path

    def gpg(self, *told: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
        run = subprocess.run([*command, "--passphrase", "", *told], input=given, capture_output=True, check=True)
        return run.stdout

    def make(self, name: str, *, lasts: str = "0", made: str = "", usage: str = "default") -> str:
        """A new key; its certificate."""
        when = ("--faked-system-time", made) if made else ()
        self.gpg(*when, "--quick-gen-key", name, "future-default" if usage == "default" else "ed25519", usage, lasts)
        return self.public(name)

    def public(self, name: str) -> str:
        return self.gpg("--armor", "--export", name).decode()

    def fingerprint(self, name: str) -> str:
        lines = self.gpg("--with-colons", "--list-keys", name).decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))


@contextmanager
def key_ring() -> Iterator[Ring]:
    """An empty ring in a short path: the socket of its agent allows no long one."""
    with TemporaryDirectory(prefix="gpg") as folder:
        home = Path(folder)
        home.chmod(0o700)
        yield Ring(home)
        subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False)
