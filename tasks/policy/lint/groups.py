"""Groups of people that a policy names: no two with one condition, none without a way in, no gap between them."""

from collections.abc import Hashable, Iterable, Iterator

from expectations.vocabulary import STAGES
from tasks.policy.lint.comparisons import plain
from tasks.policy.lint.conditions import YUAN_LIKE, yuan
from tasks.policy.lint.finding import Problem
from tasks.policy.lint.places import Step
from tasks.policy.models import Policy
from tasks.policy.segment_map import expand
from tasks.policy.tag_graph import condition_texts

_CELLS = tuple(r + f + m for r in "HL" for f in "HL" for m in "HL")
_CONTACTS = {
    "sms": ("phone", "member"), "phone": ("phone",), "push": ("push_token", "member"), "email": ("email", "member"),
    "wecom": ("external_userid",),
}  # fmt: skip
"""What reaches people by a channel; a platform that holds a brand's members knows them by their id."""
Named = Iterable[tuple[Hashable, tuple[Step, ...], str]]


def check_groups(policy: Policy) -> Iterator[Problem]:
    """Segments, tiers, stages, tags, campaigns and caps."""
    yield from _segments(policy)
    yield from _tiers(policy)
    yield from _labels(policy)
    yield from _tags(policy)
    yield from _campaigns(policy)
    yield from _caps(policy)


def _segments(policy: Policy) -> Iterator[Problem]:
    """Complete and every rule reached; overlaps are settled by the order of the rules."""
    expanded, rules = expand(policy.segments), policy.segments.rules
    if expanded.unmatched:
        yield Problem(
            ("segments", "rules"), "complete",
            f"no rule for (r, f, m) = {expanded.unmatched[0]} and {len(expanded.unmatched) - 1} other cells",
            "widen a rule, or add one at the end that takes the rest",
        )  # fmt: skip
    numbers = {rule.code: number for number, rule in enumerate(rules)}
    for code in expanded.unreached:
        yield Problem(
            ("segments", "rules", numbers[code]), "reachable", f"segment {code} is never reached: others take it all",
            "move it up, or take it out",
        )  # fmt: skip
    named = [
        ((rule.r, rule.f, rule.m), ("segments", "rules", n), f"segment {rule.code}") for n, rule in enumerate(rules)
    ]
    yield from _same(named, "one_condition", "the same scores")


def _tiers(policy: Policy) -> Iterator[Problem]:
    for number, tier in enumerate(policy.tiers.tiers):
        for name in ("up_fen", "keep_fen"):
            if 0 < (fen := getattr(tier, name)) < YUAN_LIKE:
                yield Problem(
                    ("tiers", "tiers", number, name), "units", f"tier {tier.code}: {name} {fen} is {yuan(fen)}",
                    f"write {fen * 100} if yuan were meant", "warning",
                )  # fmt: skip
    named = [(tier.label.zh, ("tiers", "tiers", n), f"tier {tier.code}") for n, tier in enumerate(policy.tiers.tiers)]
    yield from _same(named, "one_name", "the same name", "warning")


def _labels(policy: Policy) -> Iterator[Problem]:
    """Every stage and every cell has a name."""
    for part, path, missing in (
        ("stage", ("lifecycle", "labels"), sorted(set(STAGES) - policy.lifecycle.labels.keys())),
        ("cell", ("segments", "cells"), sorted(set(_CELLS) - policy.segments.cells.keys())),
    ):
        for code in missing:
            yield Problem(path, "complete", f"{part} {code} has no name", f"add `{code}: {{zh: …, en: …}}`")


def _tags(policy: Policy) -> Iterator[Problem]:
    """Two tags with one rule are one tag; a band that starts where another does has nobody in it."""
    named = []
    for number, tag in enumerate(policy.tags):
        texts = tuple(plain(text) for text in condition_texts(tag))
        rest = tag.model_dump(
            exclude={"code", "label", "meaning", "owner", "when", "value", "measure", "type"}, mode="json"
        )
        if texts:
            named.append(((texts, str(rest)), ("tags", number), f"tag {tag.code}"))
        starts = [band.at_least for band in tag.bands]
        for place, start in enumerate(starts):
            if start in starts[:place]:
                yield Problem(
                    ("tags", number, "bands", place), "reachable",
                    f"tag {tag.code}: band {tag.bands[place].code} starts at {start}, where another one does",
                    "give each band a start of its own",
                )  # fmt: skip
    yield from _same(named, "one_condition", "the same rule")


def _campaigns(policy: Policy) -> Iterator[Problem]:
    named = []
    for number, campaign in enumerate(policy.campaigns):
        key = (plain(campaign.audience), campaign.touch_channel, campaign.purpose, str(campaign.trigger))
        named.append((key, ("campaigns", number, "audience"), f"campaign {campaign.code}"))
        wanted, given = _CONTACTS.get(campaign.touch_channel), policy.vendor(campaign.vendor).contact_type
        if wanted and given not in wanted:
            yield Problem(
                ("campaigns", number, "vendor"), "vendor_fits",
                f"campaign {campaign.code} sends {campaign.touch_channel}, but {campaign.vendor} takes a {given}",
                "name a vendor of that channel",
            )  # fmt: skip
        if campaign.holdout and 0 < campaign.holdout.percent < 1:
            yield Problem(
                ("campaigns", number, "holdout", "percent"), "units",
                f"campaign {campaign.code}: a holdout of {campaign.holdout.percent} % is nearly nobody",
                f"write {campaign.holdout.percent * 100:f} if a share was meant", "warning",
            )  # fmt: skip
    yield from _same(named, "one_condition", "the same audience and channel", "warning")


def _caps(policy: Policy) -> Iterator[Problem]:
    """A cap over fewer days that allows as much as one over more days never binds."""
    caps = policy.contacting.caps
    for number, cap in enumerate(caps):
        wider = [
            one for one in caps if one.touch_channel in {cap.touch_channel, "*"} and one.days >= cap.days and one != cap
        ]
        if any(one.most <= cap.most for one in wider):
            yield Problem(
                ("contacting", "caps", number), "reachable",
                f"at most {cap.most} in {cap.days} days of {cap.touch_channel} never binds: a wider cap allows no more",
                "lower it, or take it out", "warning",
            )  # fmt: skip


def _same(named: Named, rule: str, what: str, severity: str = "error") -> Iterator[Problem]:
    """Each group after the first that has the key of one before."""
    first: dict[Hashable, str] = {}
    for key, path, name in named:
        if key in first:
            yield Problem(
                path, rule, f"{name} has {what} as {first[key]}", "make them differ, or keep one of the two",
                "warning" if severity == "warning" else "error",
            )  # fmt: skip
        first.setdefault(key, name)
