"""How unlike a send is to the campaign's last one, and which limits that breaks (policy: breaks)."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from tasks.policy.breaks import Breaks

_DIGITS = 4
"""Shares are rounded before they meet a limit, so that every machine says the same."""


@dataclass(frozen=True)
class Comparison:
    """The figures of two sends of one campaign; aggregates alone, so they may be printed and signed."""

    people: int
    people_before: int
    both: int
    """People who are in both sends."""
    parts: dict[str, tuple[int, int]]
    """Value of the column `by` to people now and before."""

    @property
    def growth(self) -> float:
        """Change of size as a share of the size before; below 0 where it fell."""
        return round((self.people - self.people_before) / self.people_before, _DIGITS)

    @property
    def overlap(self) -> float:
        """Share of the people of the last send who are in this one too."""
        return round(self.both / self.people_before, _DIGITS)

    def shifts(self) -> dict[str, float]:
        """Points of the audience by which the share of each part has moved, in order of its name."""
        if not self.people:
            return {}
        both = {name: (now / self.people, before / self.people_before) for name, (now, before) in self.parts.items()}
        return {name: round(100 * (now - before), _DIGITS - 2) for name, (now, before) in sorted(both.items())}

    def told(self) -> dict[str, Any]:
        """As JSON: what is shown, signed and stored."""
        parts = {name: list(counts) for name, counts in sorted(self.parts.items())}
        return {"people": self.people, "people_before": self.people_before, "both": self.both, "parts": parts}


def compare(now: pl.DataFrame, before: pl.DataFrame) -> Comparison:
    """Set the people of two sends side by side; `now` and `before` have one_id (as it is now) and part (text)."""
    parts = (
        pl.concat([now.select("part", is_now=True), before.select("part", is_now=False)])
        .group_by("part")
        .agg(now=pl.col("is_now").sum(), before=(~pl.col("is_now")).sum())
    )
    return Comparison(
        people=now["one_id"].n_unique(),
        people_before=before["one_id"].n_unique(),
        both=now.select("one_id").unique().join(before.select("one_id").unique(), on="one_id").height,
        parts={str(name): (int(here), int(there)) for name, here, there in parts.sort("part").iter_rows()},
    )


def tripped(told: Comparison, breaks: Breaks) -> list[str]:
    """Each limit that the send breaks, in words with its numbers; none where all hold."""
    found = []
    size = f"{told.people_before} -> {told.people} people"
    if breaks.growth is not None and told.growth > breaks.growth:
        found.append(f"grew by {told.growth:.2%} ({size}), at most {breaks.growth:.2%}")
    if breaks.fall is not None and -told.growth > breaks.fall:
        found.append(f"shrank by {-told.growth:.2%} ({size}), at most {breaks.fall:.2%}")
    if breaks.overlap is not None and told.overlap < breaks.overlap:
        again = f"{told.both} of {told.people_before} people of the last send"
        found.append(f"holds {told.overlap:.2%} ({again}), at least {breaks.overlap:.2%}")
    if breaks.shift is not None:
        moved = {name: points for name, points in told.shifts().items() if abs(points) > breaks.shift}
        found += [f"{breaks.by} {name} moved by {points:+.2f} points" for name, points in moved.items()]
        found[-1:] = [f"{found[-1]}, at most {breaks.shift:g}"] if moved else found[-1:]
    return found
