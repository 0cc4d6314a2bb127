"""Names of before a re-key, where they could not be changed: the private lists of published sends. No task here.

The outbox is never changed, so a revision keeps the names under which it was published. Keys of people are
renamed by the ring; their customer ids by the list that the re-key left in the lake.
"""

import io

import polars as pl

from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, pseudonymiser_of, snapshot_of
from tasks.steps.keyring import keeper_of
from tasks.stores.runs import rekeys
from tasks.stores.sends import Rename
from tasks.stores.vault import renamed
from tasks.transforms.rekey import Names, printed

IDS = pl.Schema({"old": pl.String(), "new": pl.String()})


def rename_of(run: Run) -> Rename:
    """How people of earlier revisions are named in the snapshot that the run reads."""
    now = pseudonymiser_of(run).key_id

    def rename(people: pl.DataFrame, key_id: str) -> pl.DataFrame:
        return people if key_id == now else _through(run, people, key_id, now)

    return rename


def write_ids(ids: pl.DataFrame) -> bytes:
    """The list that a re-key leaves: old and new customer ids, sorted."""
    return ids.select(*IDS).sort("old").write_csv().encode()


def _through(run: Run, people: pl.DataFrame, since: str, now: str) -> pl.DataFrame:
    """The people under the names of every key of the chain after `since`, one after the other."""
    told = {one["pseudonym_key"]: one for one in rekeys(lake_at(run.lake), snapshot_of(run))}
    chain = keeper_of(policy_of(run), run.lake).ring().chain(now)
    later = chain[len(chain) - [key.id for key in reversed(chain)].index(since) :]
    for key in later:
        ids = _aliases(run, told[key.id]["aliases"])
        names = Names(lambda expr, secret=key.secret: renamed(expr, (secret,)), ids)  # type: ignore[misc]
        people = people.with_columns(
            one_id=pl.col("one_id").replace(ids["old"], ids["new"]),
            recipient_key=printed(pl.col("recipient_key"), names),
        )
    return people


def _aliases(run: Run, path: str) -> pl.DataFrame:
    return pl.read_csv(io.BytesIO(objects_at(run.lake).read(path)), schema=IDS)
