"""What `strata consent show` and `export` do: the ledger of one person as intervals, and of everybody as a list."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from flows.begin import last_policy
from flows.clock import end_of, parse_instant, this_instant
from flows.consent_clear import with_contacts
from flows.naming import Register, register_of
from tasks.errors import ConfigurationError, MissingDataError
from tasks.policy.models import Policy
from tasks.settings import Settings
from tasks.steps.house import lake_at
from tasks.stores.whole import create_whole
from tasks.transforms.consent import heard, standing
from tasks.transforms.consent_circle import circle_of, circle_of_key
from tasks.transforms.consent_ledger import Circle, Word, as_row, intervals
from tasks.transforms.contact_points import contact_points
from tasks.transforms.recycled import without_former_grants

EXPORTED = (
    "key", "touch_channel", "purpose", "decision", "decided_at", "evidence", "stands", "source", "known_from",
)  # fmt: skip
OWNER_ALONE = 0o600


@dataclass(frozen=True)
class View:
    """A lake as of a business date and as known at an instant, and the people of the newest date in it."""

    uri: str
    policy: Policy
    at: datetime
    known: datetime
    is_now: bool = False
    """Nobody named a date: a no that is dated ahead of the clock is heard, as deliveries hear it."""

    def scan(self, table: str, **partitions: Any) -> pl.LazyFrame:
        """One table of the newest snapshot."""
        lake = lake_at(self.uri)
        return lake.scan(table, lake.snapshot(), **partitions)

    def register(self) -> Register:
        """The people of the newest date up to `at`; of a lake without any, nobody."""
        dates = self.scan("customers").select(pl.col("as_of").unique()).collect().to_series().to_list()
        earlier = [day for day in dates if end_of(day, self.policy.brand.zone) <= self.at]
        if not dates:
            return Register(self.uri, lake_at(self.uri), lake_at(self.uri).snapshot(), date.min)
        return register_of(self.uri, max(earlier, default=min(dates)))

    def words(self, identities: pl.LazyFrame) -> pl.LazyFrame:
        """Every consent row that counts, the newest words last."""
        told = self.scan("consents").pipe(without_former_grants, identities)
        rows = heard(told, known=self.known, marketplaces=self.policy.contacting.marketplaces)
        if self.is_now:
            ahead = pl.when(pl.col("decision") != "granted").then(pl.col("decided_at").clip(upper_bound=self.at))
            rows = rows.with_columns(decided_at=pl.coalesce(ahead, "decided_at"))
        return rows.filter(pl.col("decided_at") <= self.at).sort("decided_at", "decision", "subject")


def view_of(uri: str, as_of: date | None, known_as_of: str) -> View:
    """Open a lake under the policy last used on it; without dates, as it stands now."""
    uri = uri or Settings().lake
    policy, now = last_policy(uri), this_instant()
    at = end_of(as_of, policy.brand.zone) if as_of else now
    known = parse_instant(known_as_of, policy.brand.zone, is_end=True) if known_as_of else now
    return View(uri, policy, at, known, is_now=as_of is None)


def show_consent(who: str, as_of: date | None = None, known_as_of: str = "", uri: str = "") -> dict[str, Any]:
    """The ledger of the customer of an id or key; of a key that is nobody's, of the key alone.

    Raises:
        MissingDataError: nobody ever had that id.
    """
    view = view_of(uri, as_of, known_as_of)
    register = view.register()
    one_id, circle = _circle(view, register, typed(who))
    everybody = {*circle.keys, *circle.contacts}.union(*circle.sharers.values())
    rows = view.words(register.identities.lazy()).filter(pl.col("subject").is_in(everybody))
    told = [Word(*row) for row in rows.select(Word._fields).collect().iter_rows()]
    ledger = [as_row(interval) for interval in intervals(told, circle)]
    return {
        "customer": one_id or "nobody: the key belongs to no customer",
        "as_of": view.at, "known_as_of": view.known,
        "contacts": [_contact(key, circle, is_known=one_id is not None) for key in sorted(circle.contacts)],
        "now": [row for row in ledger if row["to"] is None],
        "anything_else": "nobody said anything: unknown means no",
        "ledger": ledger,
    }  # fmt: skip


def typed(who: str) -> str:
    """A number or address that was typed at the prompt, with its type before it; ids and keys as they are."""
    plain = who.strip()
    return plain if ":" in plain or plain.startswith("c_") else f"{'email' if '@' in plain else 'phone'}:{plain}"


def _circle(view: View, register: Register, who: str) -> tuple[str | None, Circle]:
    try:
        one_id = register.person(who)
    except MissingDataError:
        if who.startswith("c_"):
            raise
        return None, circle_of_key(register.key(who))
    identities = register.identities.lazy()
    points = contact_points(
        view.scan("sightings"), identities, known=view.known, seen_before=view.at + timedelta(microseconds=1),
        marketplaces=view.policy.contacting.marketplaces,
    )  # fmt: skip
    return one_id, circle_of(one_id, identities, points)


def _contact(key: str, circle: Circle, *, is_known: bool) -> dict[str, Any]:
    channels = [channel for channel, used in circle.used.items() if used == key]
    return {
        "contact": key,
        "used_for": ", ".join(channels) or "nothing: another one was seen later",
        "seen_outside_of_marketplaces": circle.contacts[key] if is_known else "never seen",
        "shared": key in circle.sharers,
    }


def export_consents(
    out: Path, as_of: date | None = None, known_as_of: str = "", uri: str = "", role: str = ""
) -> dict[str, Any]:
    """Write every word that counts, as CSV in the layout `consents` or as JSON by the file's name.

    Under pseudonyms; with a role, with the contacts in clear beside them, which the access log then says.

    Raises:
        ConfigurationError: the file is there already.
        SecurityRefusedError: the policy does not let that role see personal data.
    """
    if out.exists():
        raise _there_already(out)
    view = view_of(uri, as_of, known_as_of)
    words = view.words(view.register().identities.lazy()).collect()
    latest = standing(words.lazy(), at=view.at, known=view.known).collect()
    on = ["subject", "touch_channel", "purpose", "decision", "decided_at"]
    stands = latest.select(*on, stands=pl.lit(value=True))
    rows = words.join(stands, on=on, how="left", maintain_order="left").select(
        pl.col("stands").fill_null(value=False), *on[1:], "evidence", "known_from", key="subject", source="channel"
    ).select(EXPORTED)  # fmt: skip
    if role:
        rows = with_contacts(rows, view.policy, view.uri, role)
    _put(out, rows)
    return {"written": str(out), "words": rows.height, "standing": int(rows["stands"].sum()), "as_of": view.at,
            "known_as_of": view.known}  # fmt: skip


def _put(out: Path, rows: pl.DataFrame) -> None:
    """Write for the owner alone: who refused what is personal data, under pseudonyms too."""
    texts = rows.with_columns(pl.col("decided_at", "known_from").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z"))
    text = texts.write_json() if out.suffix == ".json" else texts.write_csv()
    try:
        create_whole(out, [text.encode()], OWNER_ALONE)
    except FileExistsError as error:
        raise _there_already(out) from error


def _there_already(out: Path) -> ConfigurationError:
    return ConfigurationError(f"{out} is there already", expected="a new file", next_step="name another one")
