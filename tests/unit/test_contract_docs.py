"""Pages that people follow: their commands exist, their links lead somewhere, their exit codes are the code's."""

import re

import pytest

from flows.cli import app
from tasks import errors
from tests.support.source import ROOT, committed

PAGES = [name for name in committed() if name.endswith(".md")]
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
EXIT_ROW = re.compile(r"^\| (\d+) \|", re.MULTILINE)
COMMAND_ROW = re.compile(r"^\| `strata ([a-z-]+(?: [a-z]+)?)", re.MULTILINE)
MAKE_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> set[str]:
    """Every command; those of a group behind its name."""
    groups = {f"{group.typer_instance.info.name} ": group.typer_instance for group in app.registered_groups}
    return {
        f"{prefix}{command.name or command.callback.__name__}"
        for prefix, group in {"": app, **groups}.items()
        for command in group.registered_commands
        if command.callback
    }


def test_the_page_lists_every_command_and_no_other():
    assert set(COMMAND_ROW.findall(text("docs/commands.md"))) == commands()


def test_the_page_lists_every_exit_code():
    codes = {kind.exit_code for kind in vars(errors).values() if hasattr(kind, "exit_code")}
    assert {str(code) for code in codes | {0, 130}} == set(EXIT_ROW.findall(text("docs/commands.md")))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder = (ROOT / page).parent
    assert [target for target in LINK.findall(text(page)) if not (folder / target).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_a_page_shows_exist(page):
    shown = set(re.findall(r"`(?:\.venv/bin/)?strata ([a-z-]+)(?: ([a-z]+)\b)?", text(page)))
    known = commands()
    assert {words for words in shown if words[0] not in known and " ".join(words).strip() not in known} == set()


@pytest.mark.parametrize("page", PAGES)
def test_targets_that_a_page_shows_exist(page):
    shown = {target for line in re.findall(r"\bmake ([a-z][a-z ]*)`", text(page)) for target in line.split()}
    assert shown <= set(MAKE_TARGET.findall(text("Makefile")))
