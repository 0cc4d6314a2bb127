"""A seeded lake whose customers are to get one SMS: tags, identities, sightings, consents, phones in the vault.

Every customer has a membership, a nick on a marketplace and, but for one in 126, a phone, each seen on two orders. Of
every 21 one must get nothing: who never said yes, said no, wants no messages at all, said no by their membership,
has no phone, or shares theirs with the customer before, who has the higher score.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import polars as pl

from expectations.tables import TABLES
from tasks.policy.base import Label
from tasks.policy.campaigns import Campaign
from tasks.policy.load import load_policy, with_preset
from tasks.policy.models import Policy
from tasks.policy.vendors import Vendor
from tasks.refs import Run
from tasks.settings import Settings
from tasks.steps.keyring import keeper_of
from tasks.stores.objects import open_objects
from tasks.stores.policies import keep_policy
from tasks.stores.runs import content_id, stage_record
from tasks.stores.scratch import stage
from tasks.stores.tables import Lake
from tasks.stores.vault import Pseudonymiser, Sealer
from tests.bench.child import POLICY

AS_OF, SEND_ON = date(2026, 10, 31), date(2026, 11, 2)
NOW: Final = datetime(2026, 11, 2, tzinfo=UTC)
SEEN: Final = datetime(2026, 9, 1, tzinfo=UTC)
ONE_OUT_OF: Final = 21
PROMISED: Final = "promised.parquet"
"""Beside the lake: the phones of those who get the message, and of one of the two who share one."""
_WHY: Final = ("no word", "withdrawn", "suppressed", "by member", "no phone", "shared")
_REGIONS: Final = ("浙江省", "广东省", "四川省", "江苏省")
VENDORS: Final[Mapping[str, Mapping[str, object]]] = {
    "aliyun": {"preset": "aliyun_sms", "sms": {"signature": "青禾家居", "opt_out_added": "拒收请回复R"}},
    "csv": {
        "label": {"zh": "短信供应商", "en": "SMS vendor"}, "role": "entrusted", "contact_type": "phone",
        "columns": [{"header": "phone", "source": "contact"}, {"header": "{name}", "source": "variables"}],
        "rows_per_part": 50_000,
    },
}  # fmt: skip


def policy_for(vendor: str) -> Policy:
    """The demo's rules with one campaign for everyone, at one vendor."""
    demo = load_policy(POLICY)
    sends = Vendor.model_validate(with_preset("vendors", {"code": f"bench_{vendor}", **VENDORS[vendor]}))
    campaign = Campaign(
        code="autumn", label=Label(zh="秋季上新", en="Autumn"), touch_channel="sms", vendor=sends.code,
        audience="m_score >= 1 and likes_coupons", template="SMS_1", priority=10, message_cost_fen=4,
        text="亲爱的{level}会员，您有{points}积分待用", variables={"level": "tier", "points": "frequency"},
    )  # fmt: skip
    return demo.model_copy(update={"campaigns": (campaign,), "vendors": (sends,)})


def write_lake(root: Path, people: int) -> int:
    """Write the lake of so many people who get the message, and of who does not; returns its number of customers."""
    count = people + people // (ONE_OUT_OF - 1)
    policy = policy_for("csv")
    ring = keeper_of(policy, str(root)).ring(may_make=True)
    everyone = _customers(count, Pseudonymiser.of(ring))
    frames = {
        "customers": _facts(everyone), "traits": _traits(everyone), "tags": _tags(everyone, policy),
        "identities": _identities(everyone), "sightings": _sightings(everyone), "consents": _consents(everyone),
        "contacts": _contacts(everyone, Sealer.of(ring)),
    }  # fmt: skip
    everyone.filter(pl.col("why").is_null()).select("phone").write_parquet(root.parent / PROMISED)
    _publish(root, policy, {table: _filled(table, rows) for table, rows in frames.items()}, ring.key_id)
    return count


def _customers(count: int, named: Pseudonymiser) -> pl.DataFrame:
    """One row per customer: number, ids and keys, and why they must get nothing (null: they get it)."""
    number = pl.col("number")
    out = pl.when(number % ONE_OUT_OF == ONE_OUT_OF - 1).then(number // ONE_OUT_OF % len(_WHY))
    phone = pl.when(pl.col("why") == "shared").then(number - 1).otherwise(number)
    return (
        pl.DataFrame({"number": pl.int_range(count, eager=True)})
        .with_columns(why=out.replace_strict(dict(enumerate(_WHY)), return_dtype=pl.String))
        .with_columns(phone=pl.when(pl.col("why").ne_missing("no phone")).then(_padded(phone, "154")))
        .with_columns(
            member=pl.format("member:brand:{}", named("member", "brand", _padded(number, "M"))),
            nick=pl.format("nick:taobao:{}", named("nick", "taobao", _padded(number, "nick"))),
            pseudonym=named("phone", "", pl.col("phone")),
        )
        .with_columns(
            one_id=pl.format("c_{}", pl.col("member").str.slice(13, 16)), phone_key=pl.format("phone::{}", "pseudonym")
        )
    )


def _padded(number: pl.Expr, prefix: str) -> pl.Expr:
    """Eight digits behind a prefix; of phones 154 was never given to a carrier."""
    return pl.concat_str(pl.lit(prefix), number.cast(pl.String).str.zfill(8))


def _facts(everyone: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("number")
    return everyone.select(
        "one_id", as_of=pl.lit(AS_OF), frequency=number * 7919 % 40 + 1,
        m_score=pl.when(pl.col("why") == "shared").then(1).otherwise(number * 31 % 4 + 2),
        tier=pl.lit(pl.Series(["silver", "gold", "black"])).gather(number % 3), tier_level=number % 3 + 1,
        first_seen_at=pl.lit(SEEN),
    )  # fmt: skip


def _traits(everyone: pl.DataFrame) -> pl.DataFrame:
    return everyone.select(
        "one_id", as_of=pl.lit(AS_OF), interactions_30d=pl.col("number") % 9, province=_region(), is_active=True
    )


def _region() -> pl.Expr:
    return pl.lit(pl.Series(_REGIONS)).gather(pl.col("number") % len(_REGIONS))


def _tags(everyone: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """All tags of the demo; one is true of everyone, the others of every second."""
    others = [tag.code for tag in policy.tags if tag.code != "likes_coupons"]
    half = pl.col("number") % 2 == 0
    return everyone.select("one_id", *(half.alias(code) for code in others), as_of=pl.lit(AS_OF), likes_coupons=True)


def _identities(everyone: pl.DataFrame) -> pl.DataFrame:
    """Memberships and nicks are strong; a phone links, unless two customers were seen with it."""
    shared = everyone.filter(pl.col("why") == "shared").select("phone_key")
    phones = everyone.drop_nulls("phone_key").join(shared, on="phone_key", how="anti")
    rows = [
        people.select(key=name, one_id="one_id", key_type=pl.lit(kind), key_class=pl.lit(strength))
        for people, name, kind, strength in (
            (everyone, "member", "member", "strong"), (everyone, "nick", "nick", "strong"),
            (phones, "phone_key", "phone", "linking"),
        )
    ]  # fmt: skip
    return pl.concat(rows).with_columns(
        epoch=pl.lit(1), own_id="one_id", as_of=pl.lit(AS_OF), first_seen_at=pl.lit(SEEN)
    )


def _sightings(everyone: pl.DataFrame) -> pl.DataFrame:
    """An order at the till with membership and phone, and one of a marketplace with nick and phone."""
    orders = (("offline_pos", "member", "member", "brand"), ("taobao", "nick", "nick", "taobao"))
    rows = [
        everyone.select(
            "number", key=key, key_type=pl.lit(kind), key_scope=pl.lit(scope), channel=pl.lit(channel),
            record=pl.format("order:{}:main:{}", pl.lit(channel), _padded(pl.col("number"), "21")),
        )
        for channel, key_name, key_kind, key_scope in orders
        for key, kind, scope in ((key_name, key_kind, key_scope), ("phone_key", "phone", ""))
    ]  # fmt: skip
    return pl.concat(rows).drop_nulls("key").select(
        "key", "key_type", "key_scope", "channel", "record", pseudonym=pl.col("key").str.split(":").list.last(),
        key_role=pl.lit("identity"), evidence_rank=pl.lit(3), seen_at=pl.lit(SEEN), seen_month=pl.lit("2026-09"),
    )  # fmt: skip


def _consents(everyone: pl.DataFrame) -> pl.DataFrame:
    """A yes of the phone for SMS of everyone who gave one, and the noes."""
    why, later = pl.col("why"), datetime(2026, 10, 1, tzinfo=UTC)
    yes = {"decision": pl.lit("granted"), "decided_at": pl.lit(SEEN)}
    no = {"decision": pl.lit("withdrawn"), "decided_at": pl.lit(later)}
    said = {
        "granted": (why.ne_missing("no word"), "phone_key", "sms", yes),
        "withdrawn": (why == "withdrawn", "phone_key", "sms", no),
        "suppressed": (why == "suppressed", "phone_key", "*", no),
        "by member": (why == "by member", "member", "sms", no),
    }  # fmt: skip
    rows = [
        everyone.filter(who).select(subject=key, touch_channel=pl.lit(channel), **word)
        for who, key, channel, word in said.values()
    ]  # fmt: skip
    return pl.concat(rows).drop_nulls("subject").unique(maintain_order=True).with_columns(
        channel=pl.lit("youzan"), purpose=pl.lit("marketing"), exported_at=pl.lit(SEEN)
    )  # fmt: skip


def _contacts(everyone: pl.DataFrame, sealer: Sealer) -> pl.DataFrame:
    once = everyone.drop_nulls("phone").unique("pseudonym", maintain_order=True)
    return sealer.seal(once.select("pseudonym", contact_type=pl.lit("phone"), value="phone"))


def _filled(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with all columns of the table; where nothing is said, null, or what every stored row has."""
    given = {"known_from": SEEN, "file_sha256": "0" * 64, "content_hash": "0" * 64, "policy_digest": "0" * 64}
    missing = {name: kind for name, kind in TABLES[table].schema.items() if name not in rows.columns}
    return rows.with_columns(pl.lit(given.get(name)).cast(kind).alias(name) for name, kind in missing.items())


def _publish(root: Path, policy: Policy, frames: Mapping[str, pl.DataFrame], key_id: str) -> None:
    """One recorded run that named people by the key."""
    objects = open_objects(str(root), Settings())
    run = Run(
        run_id=content_id("bench")[:32], flow="ingest", lake=str(root), base_seq=0, code_version="c", inputs_digest="i",
        policy_digest=keep_policy(objects, policy), scratch=str(root.parent / "scratch"),
    )  # fmt: skip
    with Lake(objects).writer(run, 10) as writer:
        made = [stage(run, table, rows, mode="append") for table, rows in frames.items()]
        published = [(candidate, *writer.commit(candidate)) for candidate in made]
        writer.commit(stage_record(run, {"pseudonym_key": key_id}, published, SEEN))
        writer.move_pointer()
