"""All tables of one refresh at once, as the flow's steps make them one by one: what `verify` compares with."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from tasks.policy.models import Policy
from tasks.transforms.causes.labels import labels_between
from tasks.transforms.customers import layer_customers
from tasks.transforms.inputs import Inputs
from tasks.transforms.lineage import aliases
from tasks.transforms.metrics import key_figures
from tasks.transforms.migration import trace_moves
from tasks.transforms.tags import tag_customers, tagging_of
from tasks.transforms.tags.carry import inherited_tags
from tasks.transforms.tags.changes import count_changes
from tasks.transforms.traits import beside_traits, describe_customers, ground_of, with_fitted
from tasks.transforms.value.forecast import forecast_figures
from tasks.transforms.value.models import models_of


def refresh(inputs: Inputs, policy: Policy, as_of: date) -> dict[str, pl.LazyFrame]:
    """Every table of one refresh by its name, each in its key's order."""
    layers = layer_customers(inputs, policy, as_of)
    described = describe_customers(inputs, policy, as_of, layers.identities, layers.customers)
    traits = described.traits.collect().lazy()
    tags = tags_of(inputs, policy, as_of, layers.identities, beside_traits(layers.customers, traits)).collect().lazy()
    return {
        "identities": layers.identities,
        "identity_conflicts": layers.identity_conflicts,
        "identity_changes": layers.identity_changes,
        "customers": layers.customers,
        "models": with_fitted(layers.models, described.fitted),
        "cutoffs": layers.cutoffs,
        "traits": traits,
        "tags": tags,
        "tag_changes": tag_changes_of(inputs, policy, as_of, layers.identities, tags),
        "migrations": moves_of(inputs, policy, layers.customers, layers.identities, layers.identity_changes, as_of),
        "metrics": figures_of(inputs, policy, layers.customers, layers.models, layers.identities, as_of),
    }


def figures_of(
    inputs: Inputs, policy: Policy, customers: pl.LazyFrame, models: pl.LazyFrame, identities: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """The key figures of the date, and the forecast of the next month by tier: the table metrics."""
    ahead = forecast_figures(customers, models_of(models, policy.value), as_of)
    return pl.concat([key_figures(inputs, customers, identities, as_of), ahead]).sort("metric", "segment_code")


def tags_of(
    inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, people: pl.LazyFrame
) -> pl.LazyFrame:
    """Every tag of every customer: the table tags. `people` are the customers of the date with their traits."""
    ground = ground_of(inputs, policy, as_of, identities, people)
    return tag_customers(people, policy, ground, _inherited(inputs, identities))


def tag_pieces_of(
    inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, customers: pl.LazyFrame,
    traits: pl.LazyFrame, size: int,
) -> Iterator[pl.LazyFrame]:  # fmt: skip
    """The table tags in pieces of so many customers, in order: all columns of everybody at once may be too much.

    `customers` and `traits` are those of the date, both in order of one_id.
    """
    people = beside_traits(customers, traits)
    ground = ground_of(inputs, policy, as_of, identities, customers)
    tagging = tagging_of(people, policy, ground, _inherited(inputs, identities))
    count = customers.select(pl.len()).collect().item()
    for first in range(0, max(count, 1), size):
        some = beside_traits(customers.slice(first, size), traits.slice(first, size))
        yield tagging.tell(some, first)


def tag_changes_of(
    inputs: Inputs, policy: Policy, as_of: date, identities: pl.LazyFrame, tags: pl.LazyFrame
) -> pl.LazyFrame:
    """What became of every tag since the date before, counted: the table tag_changes."""
    return count_changes(_inherited(inputs, identities), tags, policy.tags, inputs.previous_as_of, as_of)


def _inherited(inputs: Inputs, identities: pl.LazyFrame) -> pl.LazyFrame | None:
    """The tags of the date before under whoever goes on from their customers."""
    if inputs.previous_tags is None or inputs.previous_customers is None:
        return None
    return inherited_tags(inputs.previous_tags, inputs.previous_customers, aliases(identities))


def moves_of(
    inputs: Inputs, policy: Policy, customers: pl.LazyFrame, identities: pl.LazyFrame, changes: pl.LazyFrame,
    as_of: date,
) -> pl.LazyFrame:  # fmt: skip
    """Every customer's move since the date before, whoever was merged or split on the way: the table migrations."""
    if inputs.previous_customers is None:
        return trace_moves(None, customers, None, as_of)
    return trace_moves(
        inputs.previous_customers,
        customers,
        inputs.previous_as_of,
        as_of,
        names=aliases(identities),
        changes=changes,
        labels=labels_between(inputs, policy, as_of, customers, identities, changes),
        zone=inputs.zone,
    )
