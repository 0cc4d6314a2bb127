"""The steps of a refresh: from the canonical rows known at an instant to customers, tags, moves and key figures."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import polars as pl
from prefect import task

from tasks.policy.models import Policy
from tasks.refs import Candidate, Run
from tasks.steps.house import policy_of
from tasks.steps.inputs import as_of, refresh_inputs
from tasks.stores.scratch import find, read, spool, spooled, stage, stage_pieces
from tasks.transforms.customers import layer_customers
from tasks.transforms.cutoffs import coarse_scores
from tasks.transforms.identity_guards import require_sane
from tasks.transforms.inputs import Inputs
from tasks.transforms.refresh import figures_of, moves_of, tag_changes_of, tag_pieces_of
from tasks.transforms.traits import describe_customers, with_fitted

NET_ORDERS = "net_orders"
PIECE = 500_000
"""Customers who are described, or tagged, at once."""
MOVED = ("customers", "identities", "identity_changes")
"""What moves between two dates are told from."""


@task(name="layer customers", task_run_name="layer customers as of {run.as_of}")
def layer(run: Run) -> tuple[Candidate, ...]:
    """Resolve identities, then measure, score, tier and stage every customer."""
    policy = policy_of(run)
    inputs = refresh_inputs(run, policy)
    layers = layer_customers(inputs, policy, as_of(run), keep=partial(spool, run, NET_ORDERS))
    require_sane(layers, inputs, policy.identity.guards)
    return (
        _partition(run, "layer", "identities", layers.identities),
        _partition(run, "layer", "identity_conflicts", layers.identity_conflicts),
        _partition(run, "layer", "identity_changes", layers.identity_changes),
        _partition(run, "layer", "customers", layers.customers),
        _partition(run, "layer", "models", layers.models),
        _partition(run, "layer", "cutoffs", layers.cutoffs),
    )


@task(name="describe customers", task_run_name="describe customers as of {run.as_of}")
def describe(run: Run, layers: Sequence[Candidate]) -> tuple[Candidate, Candidate]:
    """Tell what every customer does and is like: the table traits, and models with what that was fitted to."""
    policy = policy_of(run)
    customers, identities = (read(find(layers, table)) for table in ("customers", "identities"))
    described = describe_customers(_inputs(run, policy), policy, as_of(run), identities, customers)
    models = with_fitted(read(find(layers, "models")), described.fitted)
    traits = _pieces(run, "describe", "traits", described.pieces(PIECE))
    return traits, _partition(run, "describe", "models", models)


@task(name="tag customers", task_run_name="tag customers as of {run.as_of}")
def tag(run: Run, layers: Sequence[Candidate], traits: Candidate) -> tuple[Candidate, ...]:
    """Give every customer one value for each tag of the policy, and count what became of each since the last date."""
    policy = policy_of(run)
    inputs, identities = _inputs(run, policy), read(find(layers, "identities"))
    customers = read(find(layers, "customers"))
    told = tag_pieces_of(inputs, policy, as_of(run), identities, customers, read(traits), PIECE)
    tags = _pieces(run, "tag", "tags", told)
    changes = tag_changes_of(inputs, policy, as_of(run), identities, read(tags))
    return tags, _partition(run, "tag", "tag_changes", changes)


@task(name="trace moves", task_run_name="trace moves to {run.as_of}")
def trace(run: Run, layers: Sequence[Candidate]) -> Candidate:
    """Write down every customer's move since the last date, in tier, segment and stage, each with its cause."""
    policy = policy_of(run)
    customers, identities, changes = (read(find(layers, table)) for table in MOVED)
    moves = moves_of(_inputs(run, policy), policy, customers, identities, changes, as_of(run))
    return _partition(run, "trace", "migrations", moves)


@task(name="measure", task_run_name="key figures of {run.as_of}")
def measure(run: Run, layers: Sequence[Candidate]) -> Candidate:
    """Work out the key figures that the report shows."""
    policy = policy_of(run)
    customers, models, identities = (read(find(layers, table)) for table in ("customers", "models", "identities"))
    figures = figures_of(_inputs(run, policy), policy, customers, models, identities, as_of(run))
    return _partition(run, "measure", "metrics", figures)


def _inputs(run: Run, policy: Policy) -> Inputs:
    """What a refresh reads, with the orders whose customers an earlier step has found."""
    orders = spooled(run, NET_ORDERS)
    if orders is None:
        return refresh_inputs(run, policy)
    return replace(refresh_inputs(run, policy), owned_orders=orders, net_as_of=as_of(run))


def _partition(run: Run, step: str, table: str, frame: pl.LazyFrame) -> Candidate:
    return stage(run, table, frame, mode="replace", replaces=[run.as_of], step=step)


def _pieces(run: Run, step: str, table: str, pieces: Iterator[pl.LazyFrame]) -> Candidate:
    rows = (piece.collect(engine="streaming") for piece in pieces)
    return stage_pieces(run, table, rows, mode="replace", replaces=[run.as_of], step=step)


def score_warnings(run: Run, layers: Sequence[Candidate]) -> list[dict[str, object]]:
    """What the person who refreshes should know of the scores, before anybody works with them."""
    return coarse_scores(read(find(layers, "cutoffs")).collect(), policy_of(run).rfm)
