"""The ledger of one customer's consents as intervals: what held from when to when, and which word and rule decided.

consent.py asks about everybody at one instant, this about one person at all of them; a law in the tests holds the two
to the same answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

State = Literal["unknown", "granted", "withdrawn", "unreachable"]
RULES = {
    "unknown": "nobody said anything: unknown means no",
    "platforms": "the contact was seen on marketplaces alone: it needs a yes of its own",
    "contact": "the contact itself said yes",
    "person": "the person said yes, for every contact that they gave to the brand",
    "own_no": "the latest word is no; of equal times no wins",
    "other_key": "another key of the person said no: the strictest word wins",
    "sharer": "somebody else who has the contact said no: the message would reach them too",
    "suppression": "a no to everything; only a later yes to everything lifts it",
    "lifted": "the no to everything was taken back; that alone is no yes",
    "dead": "a vendor reported the contact dead; a later yes of the contact itself opens it again",
}
"""What decided, in words."""


class Word(NamedTuple):
    """One row of `consents` that counts."""

    subject: str
    touch_channel: str
    purpose: str
    decision: str
    decided_at: datetime
    channel: str
    evidence: str | None


class Interval(NamedTuple):
    """What held for one touch channel and purpose from `since` (null: ever) to `until` (exclusive, null: still)."""

    touch_channel: str
    purpose: str
    state: State
    since: datetime | None
    until: datetime | None
    rule: str
    word: Word | None


@dataclass(frozen=True)
class Circle:
    """Whose words decide about one customer."""

    keys: frozenset[str] = frozenset()
    """Keys of the person that are no contacts."""
    contacts: Mapping[str, bool] = field(default_factory=dict)
    """Contact points of the person, and whether one was seen with them outside of marketplaces."""
    used: Mapping[str, str] = field(default_factory=dict)
    """Touch channel to the contact that a message would go to."""
    sharers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Contact to every key of everybody else who has it."""


def intervals(words: Iterable[Word], circle: Circle) -> list[Interval]:
    """The ledger: one run of intervals, in order of time, for each channel and purpose of which anything was said."""
    said = sorted(words, key=lambda word: (word.decided_at, word.decision, word.subject))
    pairs = sorted({(word.touch_channel, word.purpose) for word in said if word.decision != "unreachable"})
    return [interval for pair in pairs for interval in _of_pair(pair, said, circle)]


def _of_pair(pair: tuple[str, str], said: Sequence[Word], circle: Circle) -> list[Interval]:
    """Decide anew at every instant at which something was said, and join what is the same."""
    relevant = [word for word in said if _concerns(word, pair)]
    found = [Interval(*pair, "unknown", None, None, "unknown", None)]
    for at in dict.fromkeys(word.decided_at for word in relevant):
        now = _decide(pair, [word for word in relevant if word.decided_at <= at], circle)._replace(since=at)
        last = found[-1]
        if (now.state, now.rule, now.word) != (last.state, last.rule, last.word):
            found[-1:] = [last._replace(until=at), now]
    return found


def _concerns(word: Word, pair: tuple[str, str]) -> bool:
    """Whether a word may decide about a channel and purpose; of a pair with a `*` only the same pair does."""
    if "*" in pair:
        return (word.touch_channel, word.purpose) == pair and word.decision != "unreachable"
    is_yes = word.decision == "granted"  # a yes to anything else shows that the contact lives
    return is_yes or (word.touch_channel in (pair[0], "*") and word.purpose in (pair[1], "*"))


def _decide(pair: tuple[str, str], said: Sequence[Word], circle: Circle) -> Interval:
    """What holds after these words, which come in order of time."""
    latest = {(w.subject, w.touch_channel, w.purpose): w for w in said if w.decision != "unreachable"}
    standing = list(latest.values())
    used = circle.used.get(pair[0])
    answer = (
        _no(pair, standing, circle, used)
        or _dead(said, used)
        or (_lifted(standing, circle, used) if "*" in pair else _yes(pair, standing, circle, used))
    )
    state, rule, word = answer or ("unknown", _why_unknown(circle, used), None)
    return Interval(*pair, state, None, None, rule, word)


def _no(
    pair: tuple[str, str], standing: Sequence[Word], circle: Circle, used: str | None
) -> tuple[State, str, Word] | None:
    """The earliest no that stands, a no to everything before others."""
    sharers = circle.sharers.get(used, frozenset()) if used else _all_sharers(circle)
    own = {*circle.keys, *circle.contacts, *([used] if used else [])}
    noes = [w for w in standing if w.decision == "withdrawn" and _is_about(w, pair) and w.subject in own | sharers]
    if not noes:
        return None
    word = min(noes, key=lambda w: (not _is_wide(w), w.decided_at, w.subject))
    if _is_wide(word):
        return "withdrawn", "suppression", word
    if word.subject not in own:
        return "withdrawn", "sharer", word
    return "withdrawn", "own_no" if word.subject == used or used is None else "other_key", word


def _all_sharers(circle: Circle) -> frozenset[str]:
    return frozenset[str]().union(*circle.sharers.values())


def _is_about(word: Word, pair: tuple[str, str]) -> bool:
    return word.touch_channel in (pair[0], "*") and word.purpose in (pair[1], "*")


def _is_wide(word: Word) -> bool:
    return "*" in (word.touch_channel, word.purpose)


def _dead(said: Sequence[Word], used: str | None) -> tuple[State, str, Word] | None:
    """The last report that the contact is dead, unless it has said yes since."""
    reports = [w for w in said if w.decision == "unreachable" and w.subject == used]
    alive = [w.decided_at for w in said if w.decision == "granted" and w.subject == used]
    if not reports or (alive and max(alive) > reports[-1].decided_at):
        return None
    return "unreachable", "dead", reports[-1]


def _yes(
    pair: tuple[str, str], standing: Sequence[Word], circle: Circle, used: str | None
) -> tuple[State, str, Word] | None:
    """The contact's own yes, else the person's for a contact that they gave to the brand."""
    separate = pair[1] == "third_party"
    yeses = [
        w for w in standing
        if w.decision == "granted" and w.purpose == pair[1] and (w.touch_channel == pair[0] or separate)
    ]  # fmt: skip
    by_contact = [w for w in yeses if w.subject == used]
    is_own = used is None or circle.contacts.get(used, False)
    by_person = [w for w in yeses if w.subject in circle.keys and is_own]
    if by_contact:
        return "granted", "contact", by_contact[-1]
    return ("granted", "person", by_person[-1]) if by_person else None


def _lifted(standing: Sequence[Word], circle: Circle, used: str | None) -> tuple[State, str, Word] | None:
    """A no to everything that was taken back."""
    own = {*circle.keys, *circle.contacts, used}
    lifted = [w for w in standing if w.decision == "granted" and w.subject in own]
    return ("granted", "lifted", lifted[-1]) if lifted else None


def _why_unknown(circle: Circle, used: str | None) -> str:
    return "platforms" if used is not None and not circle.contacts.get(used, False) else "unknown"


def as_row(interval: Interval) -> dict[str, Any]:
    """The interval as people and machines read it."""
    word = interval.word
    return {
        "touch_channel": interval.touch_channel, "purpose": interval.purpose, "state": interval.state,
        "from": interval.since, "to": interval.until, "rule": RULES[interval.rule],
        "said_by": word.subject if word else None, "source": word.channel if word else None,
        "evidence": word.evidence if word else None,
    }  # fmt: skip
