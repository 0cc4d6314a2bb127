"""Pages that are followed to the letter: their files are written, their commands are run, and what they say is kept."""

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import typer

from flows import show
from flows.cli import app
from tasks.errors import StrataError
from tests.support.quarter import Brand
from tests.support.source import ROOT

BLOCK = re.compile(r"^```(csv|sh|yaml|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML_NAME = re.compile(r"# (policy/\S+)\n")
WIDTH = 300


class Followed:
    """A folder in which a person has done what the page says."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        """Start with an empty folder; `names` are those of the page's lists in order, a YAML file tells its own."""
        self.folder = folder
        self.said: list[tuple[str, str]] = []
        self.replaced: dict[str, str] = {}
        """What stood in a file before the page wrote it."""
        self._names: Iterator[str] = iter(names)

    @property
    def brand(self) -> Brand:
        """The lake that came of it."""
        return Brand(str(self.folder / "lake"), str(self.folder / "policy"))

    def answers(self, words: str) -> list[str]:
        """What each command that begins so said."""
        return [said for command, said in self.said if command.startswith(f"strata {words}")]

    def follow(self, page: str) -> "Followed":
        """Do everything in the order of the page of docs/."""
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as surroundings:
            surroundings.setenv("STRATA_LAKE", str(self.folder / "lake"))
            surroundings.setattr(show.console, "width", WIDTH)
            for kind, text in BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
                self._do(kind, text)
        return self

    def _do(self, kind: str, text: str) -> None:
        if kind == "sh":
            for line in text.splitlines():
                self._run(line)
        else:
            self._write(YAML_NAME.match(text)[1] if kind == "yaml" else next(self._names), text)  # type: ignore[index]

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        if path.exists():
            self.replaced[name] = path.read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _run(self, line: str) -> None:
        command, _, remark = line.partition("  # ")
        if not command.startswith("strata "):
            subprocess.run(shlex.split(command), check=True)
            return
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = ended(shlex.split(command)[1:])
        self.said.append((command, said.getvalue()))
        assert code == (int(remark.removeprefix("exit ")) if remark else 0), f"{command}\n{said.getvalue()}"


def ended(arguments: list[str]) -> int:
    """Run a command in this process, as `strata` would, and return its exit code."""
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except StrataError as error:
        return error.exit_code
    except typer.Exit as leave:
        return leave.exit_code
