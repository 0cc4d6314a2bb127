"""All that is counted over events, in one pass over them."""

import polars as pl

from tasks.transforms.traits import activity, character, silence
from tasks.transforms.traits.ground import Ground
from tasks.transforms.traits.kinds import KIND


def count_events(ground: Ground) -> pl.LazyFrame:
    """One row per customer with an event: counts by kind and window, and last days.

    Only sums and extremes over single rows: any engine adds them up in one pass and any order.
    """
    counted = [*activity.counts(ground), *silence.last_days(ground), *character.counts(ground)]
    return ground.events.select("one_id", "happened_on", KIND).group_by("one_id").agg(counted)
