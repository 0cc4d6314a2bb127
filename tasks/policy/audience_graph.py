"""What audiences read, in which order they are worked out, and which columns of a base are needed for it."""

import difflib
import re
from collections.abc import Iterable, Mapping

from tasks.errors import BadPolicyError
from tasks.policy import conditions
from tasks.policy.audiences import Audience
from tasks.policy.base import Rule
from tasks.policy.ordering import in_levels_of

_WORD = re.compile(r"\w+")


def names_read(audience: Audience) -> frozenset[str]:
    """The columns that an audience reads, those of other audiences (`in_<code>`) among them."""
    listed = frozenset(f"in_{code}" for code in (*audience.include, *audience.exclude))
    return listed.union(*(conditions.names_in(text) for text in audience.conditions.values()))


def in_order(audiences: Iterable[Audience]) -> tuple[Audience, ...]:
    """The audiences, each behind those that it reads; BadPolicyError when they read each other in a circle."""
    named = {audience.column: audience for audience in audiences}
    reads = {column: names_read(audience) & named.keys() for column, audience in named.items()}
    levels = in_levels_of(
        reads, where="audiences/", kind="audiences", kinds="audiences that rest on columns in the end"
    )
    return tuple(named[column] for level in levels for column in level)


def closure(names: Iterable[str], audiences: Iterable[Audience]) -> frozenset[str]:
    """The names, and every column that the audiences among them rest on, directly or through others."""
    reads = {audience.column: names_read(audience) for audience in audiences}
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found.add(name := waiting.pop())
        waiting |= reads.get(name, frozenset()) - found
    return frozenset(found)


def words_in(rules: Iterable[Rule]) -> frozenset[str]:
    """Every word that stands anywhere in the rules: the columns that they read are among them.

    Generous on purpose: a word of a label costs a column at worst, a condition overlooked would cost the run.
    """
    return frozenset[str]().union(*(_WORD.findall(rule.model_dump_json()) for rule in rules))


def check_audiences(audiences: Iterable[Audience], known: Iterable[str], where: str) -> None:
    """Parse every condition, and refuse audiences that do not exist, and circles.

    `known` are the columns that they may read, their own (`in_<code>`) included.

    Raises:
        BadPolicyError: names the audience.
    """
    audiences, known = tuple(audiences), tuple(known)
    codes = {audience.code: audience for audience in audiences}
    for audience in audiences:
        at = f"{where}: audience {audience.code}"
        for field, text in audience.conditions.items():
            conditions.parse(text, known, where=f"{at}: {field}")
        for code in (*audience.include, *audience.exclude):
            _require(code, codes, at)
    in_order(audiences)


def _require(code: str, codes: Mapping[str, Audience], where: str) -> None:
    if code not in codes:
        near = difflib.get_close_matches(code, sorted(codes), n=3)
        raise BadPolicyError(
            f"{where}: there is no audience `{code}`", expected="the code of a file in audiences/",
            next_step=f"did you mean {', '.join(near)}?" if near else "see `strata audiences list`",
        )  # fmt: skip
