"""What every condition of a policy is held against: the units, codes and ranges of the columns that it compares."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from expectations.vocabulary import VOCABULARY
from tasks.policy.lint.comparisons import Comparison, comparisons, is_contradiction
from tasks.policy.lint.finding import Problem
from tasks.policy.lint.places import Step
from tasks.policy.models import Policy
from tasks.policy.rfm import DIMENSIONS
from tasks.policy.seen import SEEN
from tasks.policy.tag_graph import condition_texts
from tasks.policy.tags import Tag

Path = tuple[Step, ...]
YUAN_LIKE = 1000
"""A threshold of less than ten yuan is likely one of yuan that was meant in fen."""


def every_condition(policy: Policy) -> Iterator[tuple[Path, str]]:
    """Each condition of tags, audiences and campaigns, and where it is."""
    for number, tag in enumerate(policy.tags):
        for text in condition_texts(tag):
            yield ("tags", number, _field(tag, text)), text
    for number, audience in enumerate(policy.audiences):
        for field, text in audience.conditions.items():
            yield ("audiences", number, *field.split(".")), text
    for number, campaign in enumerate(policy.campaigns):
        yield ("campaigns", number, "audience"), campaign.audience
        for name, text in campaign.variables.items():
            yield ("campaigns", number, "variables", name), text


def _field(tag: object, text: str) -> str:
    return next((name for name in ("when", "value", "measure") if getattr(tag, name) == text), "top")


def check_conditions(policy: Policy) -> Iterator[Problem]:
    """Thresholds in a wrong unit, codes that no column has, scores out of range, conditions that hold for nobody."""
    codes = codes_of(policy)
    for path, text in every_condition(policy):
        if is_contradiction(text):
            yield Problem(
                path, "reachable", f"`{text}` holds for nobody: no number meets all of it", "correct one bound"
            )
        for one in comparisons(text):
            yield from _units(path, one)
            yield from _codes(path, one, codes)
            yield from _scores(path, one, policy)


def codes_of(policy: Policy) -> Mapping[str, frozenset[str]]:
    """The values that a column of codes may take, by the vocabulary and by the policy."""
    known = {name: frozenset(column.codes) for name, column in VOCABULARY.items() if column.codes}
    segments = [*(rule.code for rule in policy.segments.rules), *policy.segments.outside]
    tags = {tag.code: _values(tag) for tag in policy.tags if tag.bands or tag.values}
    own = {"segment": frozenset(segments), "tier": frozenset(("none", *(tier.code for tier in policy.tiers.tiers)))}
    before = {f"{name}_{when}": codes for name, codes in own.items() for when in ("before", "last_month")}
    seen = {column.name: frozenset(column.codes) for column in SEEN if column.codes}
    return {**known, **own, **before, **seen, **tags, "rfm_cell": frozenset(policy.segments.cells)}


def _values(tag: Tag) -> frozenset[str]:
    return frozenset((*(band.code for band in tag.bands), *(value.code for value in tag.values)))


def _units(path: Path, one: Comparison) -> Iterator[Problem]:
    column = VOCABULARY.get(one.column)
    if column is None or not isinstance(one.value, Fraction):
        return
    if column.unit == "fen" and 0 < abs(one.value) < YUAN_LIKE:
        yield Problem(
            path, "units", f"`{_said(one)}`: {one.column} is in fen, and that is {yuan(one.value)}",
            f"write {one.value * 100} if yuan were meant", "warning",
        )  # fmt: skip
    if column.unit.startswith("rate") and one.value > 1:
        yield Problem(
            path, "units", f"`{_said(one)}`: {one.column} is a share from 0 to 1",
            f"write {float(one.value) / 100:g} if per cent were meant",
        )  # fmt: skip


def _said(one: Comparison) -> str:
    return f"{one.column} {one.operator} {one.value}"


def yuan(fen: Fraction | int) -> str:
    """An amount as people say it."""
    return f"¥{float(fen) / 100:.2f}"


def _codes(path: Path, one: Comparison, codes: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    known = codes.get(one.column)
    if known and isinstance(one.value, str) and one.value not in known:
        yield Problem(
            path, "unknown_code", f"{one.column} is never '{one.value}'", f"use one of {', '.join(sorted(known))}"
        )


def _scores(path: Path, one: Comparison, policy: Policy) -> Iterator[Problem]:
    dimension = next((name for name in DIMENSIONS if one.column == f"{name}_score"), None)
    if dimension is None or not isinstance(one.value, Fraction):
        return
    best = policy.rfm.levels_of(dimension)
    beyond = one.value > best or (one.operator == ">" and one.value == best)
    if beyond and one.operator in {"=", ">", ">="}:
        yield Problem(
            path, "reachable", f"`{_said(one)}` holds for nobody: scores run from 1 to {best}",
            "lower the score, or raise `levels` in rfm.yaml",
        )  # fmt: skip
