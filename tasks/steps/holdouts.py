"""The proof that no holdout was sent anything: every published revision of a period is read. No task stands here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import groupby
from typing import NamedTuple

import polars as pl

from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.rekeyed import rename_of
from tasks.stores.manifest import Manifest
from tasks.stores.sends import ADDED, Send, all_sends, changes_of, read_send
from tasks.transforms.holdout_proof import Ids, held_among
from tasks.transforms.lineage import aliases


class Listed(NamedTuple):
    """One published revision: what it says of itself, and whom it adds."""

    send: Send
    manifest: Manifest
    people: pl.DataFrame


class Finding(NamedTuple):
    """One revision against one experiment: people sent, of them held out, and held out by a merge since."""

    listed: Listed
    experiment: str
    held: pl.DataFrame


@dataclass
class InForce:
    """The experiments that concern a send, as the sends up to its day have named them.

    A holdout does not end because a policy forgets it: it is in force until another is named in its place.
    """

    everywhere: str | None = None
    own: dict[str, set[str]] = field(default_factory=dict)

    def hear(self, day: Iterable[Manifest]) -> None:
        """Take in what the revisions of one day name; several for one campaign only if it was changed that day."""
        named: dict[str, set[str]] = {}
        for manifest in day:
            self.everywhere = manifest.origin.global_holdout_experiment or self.everywhere
            if manifest.origin.holdout_experiment:
                named.setdefault(manifest.campaign, set()).add(manifest.origin.holdout_experiment)
        self.own |= named

    def of(self, manifest: Manifest) -> list[str]:
        """The experiments of one revision; services are owed to those who are held out of everything, too."""
        everywhere = manifest.origin.global_holdout_experiment or self.everywhere
        named = manifest.origin.holdout_experiment
        own = {named} if named else self.own.get(manifest.campaign, set())
        return sorted(own | ({everywhere} if everywhere and manifest.terms.purpose != "service" else set()))


def findings(run: Run, outbox: str, first: date, last: date) -> Iterator[Finding]:
    """Each revision of the period against each experiment that concerns it, in order of date and send."""
    policy, force = policy_of(run), InForce()
    for campaign in policy.campaigns:
        force.own[campaign.code] = {campaign.holdout.experiment} if campaign.holdout else set()
    log = lake_at(run.lake).scan("assignments", snapshot_of(run)).collect().lazy()
    for _, of_day in groupby(_listed(run, outbox, last), key=lambda listed: listed.send.send_on):
        day = list(of_day)
        force.hear(listed.manifest for listed in day)
        for listed in day if day[0].send.send_on >= first else []:
            for experiment in force.of(listed.manifest):
                ids = Ids(_names(run, listed.manifest.origin.as_of), _names(run, None))
                held = held_among(listed.people, log, experiment, send_on=listed.send.send_on, ids=ids)
                yield Finding(listed, experiment, held)


def _listed(run: Run, outbox: str, last: date) -> Iterator[Listed]:
    """Every revision that was published for a date up to `last`, in order of date and send."""
    objects, rename = objects_at(outbox), rename_of(run)
    for send in sorted(all_sends(objects), key=lambda send: (send.send_on, send.id)):
        if send.send_on > last:
            return
        for revision in read_send(objects, send).published.revisions:
            manifest, changes = changes_of(objects, send, revision, rename)
            yield Listed(send, manifest, changes.filter(pl.col("change") == ADDED).select("one_id"))


@cache
def _names(run: Run, as_of: date | None) -> pl.LazyFrame:
    """lineage.aliases at a date, of the newest one when none is named or that one is gone."""
    rows = lake_at(run.lake).scan("identities", snapshot_of(run))
    dates = sorted(rows.select(pl.col("as_of").unique()).collect().to_series())
    day = as_of if as_of in dates else dates[-1]
    return aliases(rows.filter(pl.col("as_of") == day)).collect().lazy()
