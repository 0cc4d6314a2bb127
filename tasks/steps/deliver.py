"""Deliver one send, or withdraw it: the outbox first, then the rows that record what the outbox says."""

import json
from dataclasses import replace
from typing import NamedTuple

import polars as pl
from prefect import task
from pydantic import Field

from expectations.tables import TABLES
from tasks.errors import SnapshotMovedError
from tasks.policy.vendors import Vendor
from tasks.refs import Candidate, Ref, Run
from tasks.steps.breaking import Word, guard
from tasks.steps.dropping import drop_send, drops_of
from tasks.steps.house import lake_at, objects_at, policy_of, pseudonymiser_of, snapshot_of
from tasks.steps.knowledge import Horizon, horizon_of
from tasks.steps.members import stage_members
from tasks.steps.rekeyed import rename_of
from tasks.steps.sending import (
    contacts_of,
    members_now,
    origin,
    publication_of,
    reached_by,
    send_of,
    stood_of,
    stored_members,
    terms,
)
from tasks.steps.standing_sends import run_then, vendor_then
from tasks.steps.wording import prices_of
from tasks.stores.manifest import Manifest
from tasks.stores.outbox import Gate, Outcome, Record, publish
from tasks.stores.revision import Publication, cancellation
from tasks.stores.scratch import stage, stage_pieces
from tasks.stores.sends import REACHED, Revision, Send, read_manifest, read_send
from tasks.transforms.caps import Changes, Last, last_of, what_stands
from tasks.transforms.delivery import cancelled, delivered
from tasks.transforms.held import tight
from tasks.transforms.renamed import one_row_each
from tasks.transforms.waterfall import waterfall


class Delivered(Ref):
    """What came of a delivery, and the rows that record it (none when all is recorded already)."""

    send_id: str
    status: str
    seq: int
    revision: str
    rows: int
    seeds: int
    recalled: int
    waterfall: dict[str, int]
    breaker: str = ""
    dropped: int = Field(default=0, description="revisions that lie, or lay, on the vendor's SFTP server")
    candidates: tuple[Candidate, ...] = ()


class Ready(NamedTuple):
    """A send before it is published: its members, the increment, and what the breaker said."""

    members: pl.DataFrame
    publication: Publication
    passed: str
    moved: pl.DataFrame
    """sending.Stood.moved"""


@task(name="deliver", task_run_name="deliver {name}")
def deliver_send(run: Run, outbox: str, name: str, horizon: Horizon, word: Word | None = None) -> Delivered:
    """Publish what the vendor does not have yet; a second call finds its own result.

    The breaker stands before the first revision: the later ones only fill or shrink what has passed it.
    """
    return hand_over(run, outbox, horizon, prepare(run, outbox, name, horizon, word))


def prepare(run: Run, outbox: str, name: str, horizon: Horizon, word: Word | None = None) -> Ready:
    """Take the last look, open the contacts, and say what the vendor does not have yet."""
    send = send_of(policy_of(run).campaign(name), horizon)
    state = read_send(objects_at(outbox), send)
    before, contacts = stood_of(run, horizon, outbox, send, state), contacts_of(run, send)
    members = members_now(run, horizon, send, before.now, contacts)
    passed = "" if state.published.seq else guard(run, horizon, send, members, word)
    return Ready(members, publication_of(run, horizon, send, state, members, before, contacts), passed, before.moved)


def hand_over(run: Run, outbox: str, horizon: Horizon, ready: Ready) -> Delivered:
    """Render and publish the increment, and say what the lake has to be told."""
    members, publication, passed, moved = ready
    del ready
    send = publication.send
    outcome = publish(
        objects_at(outbox),
        publication,
        key=pseudonymiser_of(run).digest_key,
        gate=_newest(run),
        record=_copying(outbox, send, policy_of(run).vendor(send.vendor)),
    )
    del publication  # the contacts in clear, before the rows that record them are made
    reached = reached_by(run, outbox, send, read_send(objects_at(outbox), send))
    told = delivered(members, one_row_each(reached, moved))
    recorded = _recorded(run, horizon, outbox, send, told, reached, outcome)
    return recorded.model_copy(update={"breaker": passed})


@task(name="withdraw", task_run_name="withdraw {send_id}")
def withdraw_send(run: Run, outbox: str, send_id: str, horizon: Horizon) -> Delivered:
    """Publish a recall of everyone whom the send has reached, and close the send.

    It is called back as it went out: under the policy of its newest revision, whatever the campaign says now.
    """
    send = Send.parse(send_id)
    then = run_then(run, outbox, send)
    vendor, state = vendor_then(run, then, send), read_send(objects_at(outbox), send)
    before = reached_by(run, outbox, send, state)
    members = cancelled(stored_members(run, send))
    everyone = contacts_of(run, send, vendor).of(before.drop("seq"))
    publication = replace(
        cancellation(send, state, vendor, terms(policy_of(then), send), origin(then, horizon, send, members), everyone),
        rename=rename_of(run),
    )
    outcome = publish(
        objects_at(outbox),
        publication,
        key=pseudonymiser_of(run).digest_key,
        gate=_newest(run),
        record=_copying(outbox, send, vendor),
    )
    return _recorded(then, horizon, outbox, send, members, before.clear(), outcome)


@task(name="record", task_run_name="record {send_id}")
def record_send(run: Run, outbox: str, send_id: str, horizon: Horizon) -> Delivered:
    """What the lake has to be told of a send that stands in the outbox; nothing is published."""
    send = Send.parse(send_id)
    published = read_send(objects_at(outbox), send).published
    stood = stood_of(run, horizon, outbox, send, read_send(objects_at(outbox), send))
    planned, reached = stored_members(run, send), stood.reached
    members = cancelled(planned) if published.is_cancelled else delivered(planned, one_row_each(reached, stood.moved))
    newest = read_manifest(objects_at(outbox), send, published.revisions[-1])
    return _recorded(run, horizon, outbox, send, members, reached, Outcome("already_published", published, newest))


@task(name="take back", task_run_name="take back {send_id}")
def take_back(run: Run, outbox: str, send_id: str) -> tuple[Candidate, ...]:
    """The rows that take back the plan of a send of which nothing was published; the vendor was told nothing of it."""
    send = Send.parse(send_id)
    horizon = horizon_of(run, send.send_on)
    published, nobody = read_send(objects_at(outbox), send).published, REACHED.to_frame()
    members, then = cancelled(stored_members(run, send)), run_then(run, outbox, send)
    outcome = Outcome("nothing_to_publish", published, None)
    return _recorded(then, horizon, outbox, send, members, nobody, outcome).candidates


def _copying(outbox: str, send: Send, vendor: Vendor) -> Record:
    """What follows publication: the copy to the vendor's server, where its profile names one. Rows come later."""

    def copy(_: Outcome) -> None:
        drop_send(objects_at(outbox), send, vendor)

    return copy


def _newest(run: Run) -> Gate:
    """The gate before the pointer: an opt-out that came in since the run began must be heard."""

    def look(_: object) -> None:
        seq = lake_at(run.lake).snapshot().seq
        if seq != run.base_seq:
            raise SnapshotMovedError(
                f"the lake moved from snapshot {run.base_seq} to {seq} while the send was made",
                expected="consents that nothing has changed",
                next_step="run the campaign again: it reads the newest consents",
            )

    return look


def _recorded(
    run: Run, horizon: Horizon, outbox: str, send: Send, members: pl.DataFrame, reached: pl.DataFrame, outcome: Outcome
) -> Delivered:
    """The result, with the candidates that bring the lake's record to what the outbox says."""
    manifest = outcome.manifest
    result = Delivered(
        send_id=send.id,
        status=outcome.status,
        seq=outcome.published.seq,
        revision=manifest.revision if manifest else "",
        rows=manifest.rows - manifest.seeds if manifest else 0,
        seeds=manifest.seeds if manifest else 0,
        recalled=manifest.recalled if manifest else 0,
        waterfall=waterfall(members),
        dropped=drops_of(objects_at(outbox), send),
    )
    changed = (
        _members_candidate(run, send, members),
        _touches_candidate(run, horizon, send, reached, members),
        _deliveries_candidate(run, horizon, outbox, send, outcome),
    )
    return result.model_copy(update={"candidates": tuple(candidate for candidate in changed if candidate)})


def _members_candidate(run: Run, send: Send, members: pl.DataFrame) -> Candidate | None:
    """The send's members with their outcomes; None when they stand so already."""
    wanted = members.sort("one_id")
    if wanted.equals(stored_members(run, send).select(wanted.columns).sort("one_id")):
        return None
    return stage_members(run, send.send_on, {send.id: wanted.lazy()})


def _touches_candidate(
    run: Run, horizon: Horizon, send: Send, reached: pl.DataFrame, members: pl.DataFrame
) -> Candidate | None:
    """Ledger rows for whom the send reaches now, and for whom it was planned or sent and is no more."""
    stands = lake_at(run.lake).scan("touches", snapshot_of(run)).filter(pl.col("send_id") == send.id)
    people = _changed(stands, send, reached)
    if people.is_empty():
        return None
    last, campaign = last_of(stands, [send.id]).get(send.id, Last()), policy_of(run).campaign(send.campaign)
    prices = prices_of(run, horizon, campaign, members, people.filter(pl.col("kind") == "handed_over"))
    people = people if prices is None else people.join(prices, on="one_id", how="left")
    changes = Changes(people, campaign, send.send_on, horizon.known_as_of, last)
    return stage_pieces(run, "touches", changes.pieces(), mode="append")


def _changed(stands: pl.LazyFrame, send: Send, reached: pl.DataFrame) -> pl.DataFrame:
    """One row per message that the ledger does not have as it is: one_id, recipient_key, send_id, kind."""
    on = ["one_id", "recipient_key"]
    standing = tight(what_stands(stands, on))
    fresh = reached.select(on).join(standing.filter("is_sent"), on=on, how="anti")
    gone = standing.filter("is_open").join(reached, on=on, how="anti")
    told = {"handed_over": fresh, "cancelled": gone}
    return pl.concat(rows.select(*on, send_id=pl.lit(send.id), kind=pl.lit(kind)) for kind, rows in told.items())


def _deliveries_candidate(run: Run, horizon: Horizon, outbox: str, send: Send, outcome: Outcome) -> Candidate | None:
    """One row per published revision that the lake has not recorded, as its own manifest says."""
    stands = lake_at(run.lake).scan("deliveries", snapshot_of(run)).filter(pl.col("send_id") == send.id).collect()
    rows = [
        _delivery_row(run, horizon, read_manifest(objects_at(outbox), send, revision), revision)
        for revision in outcome.published.revisions
        if revision.seq not in stands.get_column("seq")
    ]
    return stage(run, "deliveries", pl.DataFrame(rows, TABLES["deliveries"].schema), mode="append") if rows else None


def _delivery_row(run: Run, horizon: Horizon, manifest: Manifest, revision: Revision) -> dict[str, object]:
    return {
        "send_id": manifest.send_id, "seq": manifest.seq, "revision": manifest.revision,
        "campaign": manifest.campaign, "vendor": manifest.vendor, "send_on": manifest.send_on,
        "rows": manifest.rows - manifest.seeds, "recalled": manifest.recalled,
        "manifest_sha256": revision.manifest_sha256, "waterfall": json.dumps(manifest.origin.waterfall),
        "policy_digest": manifest.origin.policy_digest, "run_id": run.run_id, "published_at": horizon.known_as_of,
    }  # fmt: skip
