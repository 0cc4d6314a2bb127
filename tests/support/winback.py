"""A lake of eighty invented households, ready for its sends: the exports, the policy and the first month's end.

Household n spends n dollars in November, the even ones a cent more in December. So the win-back SMS (the upper
three fifths by money, 30 days silent) is meant for the odd ones above 32, the welcome push for everyone.
"""

import csv
import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from flows.campaign import campaign, cancel
from flows.ingest import ingest
from flows.parameters import CampaignParameters, CancelParameters, IngestParameters, RefreshParameters
from flows.refresh import refresh
from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tasks.stores.sends import Send
from tasks.stores.tables import Lake
from tests.support.journey import POLICY, Contact, contacts_in, is_held_out, member_key

HOUSEHOLDS = range(1, 81)
AS_OF, SEND_ON = date(2017, 12, 31), date(2018, 1, 1)
WINBACK = Send("demo_sms", "winback_sms", SEND_ON)
HOLDOUT = {"experiment": "exp:small-brand", "percent": 30}
CHOSEN = tuple(n for n in HOUSEHOLDS if n % 2 and n > 32)
_TRANSACTION = (
    "household_id,store_id,basket_id,product_id,quantity,sales_value,retail_disc,coupon_disc,coupon_match_disc,"
    "week,transaction_timestamp"
)
_CONTACT = "household_id,phone,push_token,sms_consent,push_consent,consent_at,opted_out_at"


def phone(household: int) -> str:
    """The invented phone of a household; prefix 154 was never given to a carrier."""
    return f"1540000{household:04d}"


def write_exports(folder: Path) -> Path:
    """Two months of baskets and one file of contacts; every fifth household said no or was not asked."""
    folder.mkdir(parents=True)
    write_contacts(folder / "contacts-2017-11.csv", HOUSEHOLDS)
    _write(folder / "transactions-2017-11.csv", _TRANSACTION, (_basket(n, 11, f"{n}.00") for n in HOUSEHOLDS))
    again = (_basket(n, 12, "0.01") for n in HOUSEHOLDS if n % 2 == 0)
    _write(folder / "transactions-2017-12.csv", _TRANSACTION, again)
    return folder


def write_contacts(path: Path, households: Iterable[int], opted_out_at: str = "") -> Path:
    """An export of contacts and consents; with `opted_out_at` everyone in it has said no since."""
    return _write(path, _CONTACT, (_said(n, opted_out_at) for n in households))


def _said(household: int, opted_out_at: str) -> str:
    answer = {3: "no", 7: ""}.get(household % 10, "yes")
    token = f"{household:032x}"
    return f"{household},{phone(household)},{token},{answer},{answer},2017-11-05 12:00:00,{opted_out_at}"


def _basket(household: int, month: int, dollars: str) -> str:
    return f"{household},1,{month}{household:04d},77,1,{dollars},0.00,0.00,0.00,45,2017-{month}-05 12:00:00"


def _write(path: Path, header: str, lines: Iterable[str]) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def copy_policy(folder: Path, **campaigns: dict[str, Any]) -> Path:
    """The demo's policy with another holdout and these changes to campaigns; a new one starts from the win-back."""
    shutil.copytree(POLICY, folder)
    for code, changes in {"winback_sms": {}, **campaigns}.items():
        path = folder / "campaigns" / f"{code}.yaml"
        model = path if path.exists() else folder / "campaigns" / "winback_sms.yaml"
        written = yaml.safe_load(model.read_text(encoding="utf-8")) | {"code": code, "holdout": HOLDOUT} | changes
        path.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Brand:
    """A lake of the small brand, and what its operator does."""

    folder: Path
    policy: Path
    root: str = ""
    """Where the lake is, if not in the folder."""

    @classmethod
    def found(cls, folder: Path, root: str = "") -> "Brand":
        """Write the exports, take them in, and refresh the year's end."""
        brand = cls(folder, copy_policy(folder / "policy"), root)
        brand.take_in(write_exports(folder / "exports"), "2018-01-01T06:00:00-05:00")
        told = {"lake": brand.uri, "policy": str(brand.policy)}
        refresh(RefreshParameters(as_of=AS_OF, known_as_of=str(SEND_ON), **told))
        return brand

    def copy(self, folder: Path) -> "Brand":
        """The same lake elsewhere, for a test to change."""
        shutil.copytree(self.folder, folder)
        return Brand(folder, self.policy)

    def under(self, policy: Path) -> "Brand":
        """The same lake under another policy."""
        return Brand(self.folder, policy)

    @property
    def uri(self) -> str:
        """The lake root."""
        return self.root or str(self.folder / "lake")

    @property
    def lake(self) -> Lake:
        """The lake, read afresh."""
        return Lake(open_objects(self.uri, Settings()))

    @property
    def outbox(self) -> Objects:
        """The outbox, which lies inside the lake."""
        return open_objects(f"{self.uri}/outbox", Settings())

    def take_in(self, path: Path, received_at: str) -> None:
        """Ingest exports as they came in at an instant."""
        times = {"received_at": received_at, "exported_at": received_at}
        ingest(IngestParameters(paths=(str(path),), lake=self.uri, policy=str(self.policy), **times))

    def hear_no(self, household: int, folder: Path) -> None:
        """Ingest the export of the third of January, in which a household said no the day before."""
        news = write_contacts(folder / "contacts-2018-01.csv", [household], opted_out_at="2018-01-02 12:00:00")
        self.take_in(news, "2018-01-03T06:00:00-05:00")

    def deliver(self, name: str = "winback_sms", day: date = SEND_ON, **more: Any) -> dict[str, Any]:
        """Run the campaign of the first of January on a day, with what that day knows."""
        times = {"send_on": SEND_ON, "today": day, "known_as_of": str(day)}
        return campaign(CampaignParameters(name=name, lake=self.uri, policy=str(self.policy), **times, **more))

    def cancel(self, name: str = "winback_sms") -> dict[str, Any]:
        """Withdraw the send."""
        return cancel(CancelParameters(name=name, send_on=SEND_ON, lake=self.uri, policy=str(self.policy)))

    def rows(self, table: str) -> pl.DataFrame:
        """A table as a reader sees it now."""
        return self.lake.scan(table, self.lake.snapshot()).collect()

    def stored(self) -> dict[str, bytes]:
        """Every object of the outbox."""
        return {meta.key: self.outbox.read(meta.key) for meta in self.outbox.list("")}

    def expected(self) -> dict[str, set[int]]:
        """Who of the chosen households comes to which end, by the exports and the formula of the holdout."""
        ends: dict[str, set[int]] = {"delivered": set(), "no_consent": set(), "holdout": set()}
        contacts = contacts_in([self.folder / "exports"])
        for household in CHOSEN:
            ends[self._end(contacts[household])].add(household)
        return ends

    def _end(self, contact: Contact) -> str:
        if contact.sms_consent != "yes":
            return "no_consent"
        held = is_held_out(self.one_ids()[contact.household], "exp:small-brand", 30)
        return "holdout" if held else "delivered"

    def one_ids(self) -> dict[int, str]:
        """The customer of each household."""
        keys = dict(self.rows("identities").select("key", "one_id").iter_rows())
        return {n: keys[member_key(n)] for n in HOUSEHOLDS}

    def households_by_outcome(self) -> dict[str, set[int]]:
        """Who came to which end in the win-back send, as the lake says, but for whom it was not meant."""
        numbers = {one_id: n for n, one_id in self.one_ids().items()}
        members = self.rows("audience_members").filter(send_id=WINBACK.id)
        ends: dict[str, set[int]] = {}
        for one_id, outcome in members.select("one_id", "outcome").iter_rows():
            ends.setdefault(outcome, set()).add(numbers[one_id])
        ends.pop("rule_not_met")
        return ends

    def published(self, send: Send = WINBACK) -> Iterator["Sent"]:
        """What a vendor is led to, revision by revision."""
        if self.outbox.head(send.current) is None:
            return
        for named in json.loads(self.outbox.read(send.current))["revisions"]:
            yield Sent(self.folder / "lake" / "outbox" / send.id / named["revision"])


@dataclass(frozen=True)
class Sent:
    """One published revision."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """What it says about itself."""
        told: dict[str, Any] = json.loads((self.folder / "manifest.json").read_bytes())
        return told

    def contacts(self, pattern: str = "part-*.csv") -> list[str]:
        """The first column of its parts, in order."""
        files = sorted(self.folder.glob(pattern))
        return [row["phone"] for path in files for row in csv.DictReader(path.open(encoding="utf-8", newline=""))]

    @property
    def recalled(self) -> list[str]:
        """The contacts called back."""
        return self.contacts("recall.csv")
