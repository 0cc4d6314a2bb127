"""Locked workbooks: Kuaishou hands its exports over with a password. They are opened with those of the settings.

The work is done in a process apart, which gets the passwords by its standard input, where nobody can see
them. A password is in no message, no command line and no file.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from tasks.errors import BadFileError
from tasks.sources.apart import ApartError, lines_from
from tasks.sources.unpack_budget import no_room

SETTING = "STRATA_PASSWORDS"


def unlocked(path: Path, name: str, target: Path, passwords: Sequence[str]) -> Path:
    """Return the file to read: the path itself for an old workbook without a lock, else `target`.

    Raises:
        BadFileError: no workbook, locked with an unknown password, or damaged.
        StoreUnavailableError: the disk is full.
    """
    said = json.dumps(list(passwords)).encode()
    try:
        lines = list(lines_from("tasks.sources.unpack_locked_child", str(path), str(target), said=said))
    except ApartError as error:
        raise _damaged(name) from error
    outcome = json.loads(lines[-1]) if lines else "damaged"
    if outcome == "unlocked":
        return target
    if outcome == "open":
        return path
    if outcome == "no room":
        raise no_room(name)
    raise _locked(name, len(passwords)) if outcome == "locked" else _damaged(name)


def _locked(name: str, tried: int) -> BadFileError:
    found = f"is locked, and none of {tried} passwords opens it" if tried else "is locked with a password"
    return BadFileError(
        f"{name} {found}", expected=f"its password in {SETTING}",
        next_step=f"set {SETTING} to it, or to a JSON list of several, or save the workbook without a password",
    )  # fmt: skip


def _damaged(name: str) -> BadFileError:
    return BadFileError(
        f"{name} is no workbook, or one that is damaged", expected="a whole xls or locked xlsx file",
        next_step="fetch it again, or open it in a spreadsheet and save it anew",
    )  # fmt: skip
