"""Words in two languages: what a code of the data is called on the page."""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from tasks.policy.base import Label
from tasks.policy.models import Policy

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Text(NamedTuple):
    """One thing said twice."""

    zh: str
    en: str

    def within(self, language: Language) -> str:
        """The words in one language."""
        return self.zh if language == "zh" else self.en


Labels = dict[str, Text]
"""Code to words, in the order in which people expect to see them."""


def same(words: str) -> Text:
    """What reads alike in both languages: numbers, codes, digests."""
    return Text(words, words)


def name_of(labels: Labels, code: str) -> Text:
    """The words of a code; a code without a label is shown as it is."""
    return labels.get(code, same(code))


def joined(texts: Iterable[Text]) -> Text:
    """A sentence after a sentence."""
    several = tuple(texts)
    return Text("".join(text.zh for text in several), " ".join(text.en for text in several))


def both(say: Callable[[Language], str]) -> Text:
    """Say one thing in each language."""
    return Text(say("zh"), say("en"))


def _of(label: Label) -> Text:
    return Text(label.zh, label.en)


def brand_name(policy: Policy) -> Text:
    """The brand's name."""
    return _of(policy.brand.name)


def tier_labels(policy: Policy) -> Labels:
    """Tiers from the highest down; `none` while a fraud flag stands."""
    tiers = {tier.code: _of(tier.label) for tier in reversed(policy.tiers.tiers)}
    return tiers | {"none": Text("暂停", "Suspended")}


def segment_labels(policy: Policy) -> Labels:
    """Named segments in the policy's order, then those outside the scored base."""
    named = {rule.code: _of(rule.label) for rule in policy.segments.rules}
    return named | {code: _of(label) for code, label in policy.segments.outside.items()}


def segment_plays(policy: Policy) -> Labels:
    """What to do with the people of a segment."""
    return {rule.code: _of(rule.play) for rule in policy.segments.rules if rule.play}


def cell_labels(policy: Policy) -> Labels:
    """The eight high and low cells."""
    return {code: _of(label) for code, label in policy.segments.cells.items()}


def stage_labels(policy: Policy) -> Labels:
    """Lifecycle stages from the first to the last."""
    return {code: _of(label) for code, label in policy.lifecycle.labels.items()}


def campaign_labels(policy: Policy) -> Labels:
    """Campaigns by their code."""
    return {campaign.code: _of(campaign.label) for campaign in policy.campaigns}


MOVES: Labels = {
    "ENTERED": Text("新进", "Arrived"),
    "SPLIT_FROM": Text("拆分出", "Split from another"),
    "MERGED_INTO": Text("并入他人", "Merged into another"),
    "LEFT": Text("离开", "Left"),
}

DIMENSIONS: Labels = {
    "r": Text("R 最近消费", "R recency"),
    "f": Text("F 消费频次", "F frequency"),
    "m": Text("M 消费金额", "M monetary"),
}
