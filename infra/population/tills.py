"""Phones typed at tills: now and then wrong, the clerk's own, or that of whoever opens cards for friends."""

import polars as pl

from infra.exports.draw import draw
from infra.population.people import BLOCK, PHONES, WHO, happens
from infra.population.world import Slot, World

NOBODY = -1
"""Owner of a key that is nobody's own; each such key is an owner of its own kind."""
STRANGE = 1 << 50
"""Numbers from here on are no customer's."""


def typed(world: World) -> Slot:
    """A number typed by a clerk: the customer's, now and then with a wrong digit, now and then the clerk's own."""
    shares, seed = world.shares, world.seed
    wrong, hit = world.share("mistyped", shares.mistyped), world.share("hit", shares.mistyped_hit)
    clerk = draw(f"{seed}/clerk", clerks(world.everybody), "row")
    of_till = world.share("till", shares.till_phone)
    other = draw(f"{seed}/other", world.everybody, "row")
    value = (
        pl.when(of_till).then(_clerk_phone(clerk, world.everybody))
        .when(wrong & hit).then(PHONES * other)
        .when(wrong).then(STRANGE + pl.col("row"))
        .otherwise(world.phone())
    )  # fmt: skip
    owner = (
        pl.when(of_till).then(_clerk_owner(clerk, world.everybody))
        .when(wrong & hit).then(other)
        .when(wrong).then(WHO)
        .otherwise(world.phone_owner())
    )  # fmt: skip
    return Slot("phone", "", value, owner)


def clerks(everybody: int) -> int:
    """How many till phones there are: one for 100,000 customers, at least two."""
    return max(2, everybody // 100_000)


def _clerk_phone(clerk: pl.Expr, everybody: int) -> pl.Expr:
    """The shop's own phone, or for every other till that of a clerk who is a customer too."""
    is_private = clerk % 2 == 1
    return pl.when(is_private).then(PHONES * _clerk_person(clerk, everybody)).otherwise(2 * STRANGE + clerk)


def _clerk_owner(clerk: pl.Expr, everybody: int) -> pl.Expr:
    return pl.when(clerk % 2 == 1).then(_clerk_person(clerk, everybody)).otherwise(NOBODY - clerk)


def _clerk_person(clerk: pl.Expr, everybody: int) -> pl.Expr:
    return clerk * (everybody // clerks(everybody)) // BLOCK * BLOCK + 2


def is_through_agent(world: World) -> pl.Expr:
    """Whether somebody else opened the card."""
    return happens(f"{world.seed}/through agent", world.shares.through_agent, "unit")


def agent_of(world: World) -> Slot:
    """The phone of whoever opened the card for a friend."""
    agents = max(1, world.everybody // world.shares.agent_every)
    agent = draw(f"{world.seed}/agent", agents, "unit") * world.shares.agent_every
    return Slot("phone", "", PHONES * agent, agent)
