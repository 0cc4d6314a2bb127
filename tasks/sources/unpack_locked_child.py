"""The process apart in which a locked workbook is opened: passwords come in by standard input, one word goes out."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import olefile
from msoffcrypto import OfficeFile
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

from tasks.sources.apart import confine
from tasks.sources.unpack_budget import FULL

MEMORY_BYTES, CPU_SECONDS = 2 << 30, 60
"""A forged file may ask for ten million rounds of hashing for each password."""


def unlock(path: Path, target: Path, passwords: Sequence[str]) -> str:
    """Return `open`, `unlocked`, `locked` or `damaged`.

    Raises:
        OSError: the file is no compound document, or the disk is full.
    """
    with path.open("rb") as file:
        if _is_open(path):
            return "open"
        if _declares_entities(path):
            return "damaged"
        document = OfficeFile(file)
        if not document.is_encrypted():
            return "open"
        for password in passwords:
            try:
                document.load_key(password=password, verify_password=True)
            except InvalidKeyError:
                continue
            with target.open("wb") as plain:
                document.decrypt(plain)
            return "unlocked"
    return "locked"


def _is_open(path: Path) -> bool:
    """An old workbook of before 1997 has no locks that are known here, and its stream is called otherwise."""
    with olefile.OleFileIO(path) as compound:
        return bool(compound.exists("Book")) and not compound.exists("Workbook")


def _declares_entities(path: Path) -> bool:
    with olefile.OleFileIO(path) as compound:
        if not compound.exists("EncryptionInfo"):
            return False
        return b"<!" in compound.openstream("EncryptionInfo").read()


def main() -> int:
    """Open what the command line names."""
    confine(MEMORY_BYTES, CPU_SECONDS)
    passwords = json.load(sys.stdin)
    path, target = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        outcome = unlock(path, target, passwords)
    except (DecryptionError, FileFormatError, ParseError):
        outcome = "damaged"
    except OSError as error:
        outcome = "no room" if error.errno in FULL else "damaged"
    if outcome != "unlocked":
        target.unlink(missing_ok=True)
    sys.stdout.write(json.dumps(outcome) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
