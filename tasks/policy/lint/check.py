"""Check a policy folder: everything that is wrong with it at once, each finding with file and line."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tasks.errors import BadPolicyError
from tasks.policy import conditions
from tasks.policy.hours import check_hours
from tasks.policy.lint.conditions import check_conditions, every_condition
from tasks.policy.lint.finding import Finding, Problem
from tasks.policy.lint.groups import check_groups
from tasks.policy.lint.places import Place, Places
from tasks.policy.lint.tag_ids import check_tag_ids
from tasks.policy.lint.vendors import check_vendors
from tasks.policy.load import (
    ABOUT_SOURCES,
    MANY,
    customer_columns,
    entry_files,
    parse_policy,
    read_content,
    single_files,
)
from tasks.policy.models import Policy


def check_folder(folder: Path) -> tuple[Finding, ...]:
    """Every finding, by file and line; none for a policy that is sound.

    What cannot be read, or breaks a field's own rule, is told alone: the rest would rest on guesses.

    Raises:
        BadPolicyError: the folder is no policy folder.
    """
    if not (folder / "brand.yaml").is_file():
        read_content(folder)
    places = Places(single_files(folder), entry_files(folder, *MANY, *ABOUT_SOURCES), folder)
    found = list(_unreadable(places))
    if not found:
        found = [_placed(problem, places) for problem in _problems(folder)]
    return tuple(sorted([*found, *_strays(folder)], key=lambda one: (one.place, one.rule, one.found)))


def _placed(problem: Problem, places: Places) -> Finding:
    return Finding(
        places.at(*problem.path), problem.rule, problem.severity, problem.found, problem.next_step
    )  # fmt: skip


def _unreadable(places: Places) -> Iterator[Finding]:
    for path in places.paths():
        try:
            yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except UnicodeDecodeError as error:
            yield Finding(places.of(path), "readable", "error", f"not UTF-8: {error}", "save the file as UTF-8")
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            told = f"not YAML: {error.problem or error}"
            yield Finding(places.of(path, line), "readable", "error", told, "correct the line")


def _problems(folder: Path) -> Iterator[Problem]:
    """What is wrong with the fields; only then what is wrong between them."""
    try:
        content = read_content(folder)
        policy = Policy.model_validate(content)
    except BadPolicyError as error:
        yield Problem(("brand",), "readable", error.found, error.next_step or error.expected or "correct it")
    except ValidationError as error:
        for one in error.errors():
            yield Problem(tuple(one["loc"]), "field", _message(one), "see docs/policy.md for the field")
    else:
        yield from _of_whole(policy, content, folder)


def _message(error: Any) -> str:
    where = ".".join(str(step) for step in error["loc"][1:])
    return f"{where}: {error['msg']}" if where else str(error["msg"])


def _of_whole(policy: Policy, content: dict[str, Any], folder: Path) -> Iterator[Problem]:
    unread = list(_unknown_columns(policy))
    yield from unread
    if not unread:
        yield from _refused(policy, content, folder)
    yield from chain(check_conditions(policy), check_groups(policy), check_vendors(policy), check_tag_ids(policy))


def _unknown_columns(policy: Policy) -> Iterator[Problem]:
    """Each condition that is no expression, or names no column."""
    known = customer_columns(policy)
    for path, text in every_condition(policy):
        try:
            conditions.parse(text, known, where="the condition")
        except BadPolicyError as error:
            yield Problem(
                path, "condition", error.found.removeprefix("the condition: "), error.next_step or "correct it"
            )


def _refused(policy: Policy, content: dict[str, Any], folder: Path) -> Iterator[Problem]:
    """What a run would refuse beside: doubled codes, circles, vendors that do not exist, profiling."""
    try:
        parse_policy(content, str(folder))
        check_hours(policy.campaigns, policy.vendors)
    except BadPolicyError as error:
        yield Problem(_path_named(error.found, policy), "refused", error.found, error.next_step or error.expected or "")


def _path_named(message: str, policy: Policy) -> tuple[str | int, ...]:
    """The tag, audience or campaign that a message names, by its code."""
    for part, kind in (("campaigns", "campaign"), ("audiences", "audience"), ("tags", "tag")):
        for number, entry in enumerate(getattr(policy, part)):
            if re.search(rf"\b{kind} {entry.code}\b", message):
                return (part, number)
    return ("tags",) if "tag" in message else ("brand",)


def _strays(folder: Path) -> Iterator[Finding]:
    """Files that look as if they were read and are not."""
    known = {f"{name}.yaml" for name in single_files(folder)}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("**/*.yml")]):
        name = str(path.relative_to(folder))
        if name not in known:
            yield Finding(
                Place(name), "read_by_nobody", "warning", f"nothing reads {name}",
                f"name it as one of {', '.join(sorted(known))}, or put it into {', '.join(MANY)}",
            )  # fmt: skip
