"""Pages whose commands are run: what a console block shows must be what the commands say."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from flows.cli import app

_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
GAP = "…"
"""A line of a page that stands for any lines."""


@dataclass(frozen=True)
class Shown:
    """A command of a page, and the lines that the page shows of its output."""

    command: str
    lines: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        """What stands behind `strata`."""
        name, *arguments = shlex.split(self.command)
        assert name == "strata", self.command
        return arguments


def shown_in(page: Path) -> Iterator[Shown]:
    """Every command of a page's console blocks, in order."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield Shown(command, tuple(plain(line) for line in lines if plain(line) not in ("", GAP)))


def plain(line: str) -> str:
    """A line without what is drawn around its words, blanks made one."""
    return " ".join(re.sub(r"[─│┌┐└┘━]+", " ", line).split())


def said(shown: Shown) -> list[str]:
    """The lines that the command says, run in this process."""
    result = CliRunner().invoke(app, shown.arguments, catch_exceptions=False)
    assert result.exit_code == 0, f"{shown.command}: {result.output}"
    return [plain(line) for line in result.output.splitlines()]


def missing(shown: Shown, lines: list[str]) -> list[str]:
    """The lines that the page shows and the command does not say, in the order of the page."""
    rest = iter(lines)
    return [line for line in shown.lines if line not in rest]
