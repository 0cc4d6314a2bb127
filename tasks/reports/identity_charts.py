"""The identity report's pictures: bars of counts, and the largest persons drawn as keys and ties. No names, no ids."""

from collections.abc import Sequence
from itertools import combinations
from math import cos, pi, sin
from typing import Any, NamedTuple

import altair as alt

from tasks.reports.charts import NAMES_LEFT, as_is, bands, names_in
from tasks.reports.drawing import WIDE, WIDTH, chart_of, framed, ink, named_axis
from tasks.reports.numbers import count
from tasks.reports.words import Labels, Language

COLOURS = {"strong": "people", "linking": "spend", "weak": "anonymous"}
"""Colour of a key by what it proves."""
SIDE = 300
_ROW = 30
_RADIUS, _INNER = 104, 46
ACROSS = WIDE // SIDE
"""Persons drawn side by side."""


class Person(NamedTuple):
    """One person to draw: types and classes of the keys, and pairs of their positions that stood together."""

    types: tuple[str, ...]
    classes: tuple[str, ...]
    ties: tuple[tuple[int, int], ...]


def bars(rows: Sequence[tuple[str, int]], labels: Labels, colour: str, language: Language) -> alt.LayerChart:
    """One bar for each code, with its count beside it."""
    left = NAMES_LEFT[language]
    names = names_in([code for code, _ in rows], labels, language, room=left - 8)
    base = chart_of([{"code": code, "value": value, "label": count(value)} for code, value in rows]).encode(
        y=alt.Y("code:N", sort=list(names), axis=named_axis(names), scale=bands(0.3)),
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, max((value for _, value in rows), default=0) or 1])),
    )
    drawn = base.mark_bar(cornerRadius=2, color=ink(colour))
    said = base.mark_text(align="left", dx=5, fontSize=12, color=ink("muted")).encode(text="label:N")
    return framed(drawn, said, width=WIDTH, height=max(_ROW * len(names), _ROW), left=left, right=76, bottom=4)


def graphs(persons: Sequence[Person], labels: Labels, language: Language) -> alt.LayerChart:
    """Persons side by side: keys that may be shared in the middle, keys that name one person around them."""
    placed = [(person, _places(person, SIDE * at + SIDE // 2)) for at, person in enumerate(persons[:ACROSS])]
    lines = [_line(places[one], places[two]) for person, places in placed for one, two in person.ties]
    dots = [dot for person, places in placed for dot in _dots(person, places, labels, language)]
    x, y = alt.X("x:Q", axis=None, scale=_fixed(WIDE)), alt.Y("y:Q", axis=None, scale=_fixed(SIDE))
    ties = chart_of(lines).mark_rule(color=ink("before"), strokeWidth=1.5).encode(x=x, y=y, x2="x2:Q", y2="y2:Q")
    keys = chart_of(dots).encode(x=x, y=y)
    points = keys.mark_point(filled=True, size=260, opacity=1).encode(color=as_is("colour"))
    said = keys.mark_text(dy=20, fontSize=11, color=ink("muted")).encode(text="label:N")
    return framed(ties, points, said, width=WIDE, height=SIDE + 20, left=4, right=4, top=10, bottom=10)


def _fixed(most: int) -> alt.Scale:
    return alt.Scale(domain=[0, most], nice=False)


def _places(person: Person, middle: int) -> list[tuple[float, float]]:
    """Where each key stands, to the tenth of a unit: the same on every machine."""
    shared = [at for at, kind in enumerate(person.classes) if kind != "strong"]
    rings = (shared, _INNER if len(shared) > 1 else 0), (_others(person, shared), _RADIUS)
    found: dict[int, tuple[float, float]] = {}
    for ring, radius in rings:
        for nth, at in enumerate(ring):
            turn = 2 * pi * nth / len(ring)
            found[at] = (round(middle + radius * sin(turn), 1), round(SIDE / 2 + radius * cos(turn), 1))
    return [found[at] for at in range(len(person.types))]


def _others(person: Person, shared: list[int]) -> list[int]:
    return [at for at in range(len(person.types)) if at not in shared]


def _line(one: tuple[float, float], two: tuple[float, float]) -> dict[str, float]:
    return {"x": one[0], "y": one[1], "x2": two[0], "y2": two[1]}


def _dots(
    person: Person, places: list[tuple[float, float]], labels: Labels, language: Language
) -> list[dict[str, Any]]:
    names = names_in(list(person.types), labels, language, room=90)
    return [
        {"x": x, "y": y, "label": names[kind], "colour": ink(COLOURS[proof])}
        for (x, y), kind, proof in zip(places, person.types, person.classes, strict=True)
    ]


def pairs_of(ties: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """Every two keys of each set, once."""
    return tuple(sorted({pair for tie in ties for pair in combinations(sorted(tie), 2)}))
