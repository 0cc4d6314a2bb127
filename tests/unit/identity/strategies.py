"""Small random graphs of keys in which everything happens: hubs, silences, caps, declarations, crowded records."""

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from expectations.tables import TABLES
from tasks.policy.identity import Guards, HubRule, Identity

START = datetime(2024, 1, 1, 10, tzinfo=UTC)
GUARDS = Guards(max_component=50, max_changed_share="0.05", max_refused_share="0.02")
ZONE = "Asia/Shanghai"
KINDS = (("member", "club"), ("member", "other"), ("unionid", "wx"), ("phone", ""), ("phone", ""), ("phone", ""),
         ("email", ""), ("cookie", "web"), ("oaid", "taobao"))  # fmt: skip


def rules(**changes: object) -> Identity:
    """Limits so low that small graphs reach them."""
    classes = {"member": "strong", "unionid": "strong", "phone": "linking", "email": "linking", "cookie": "weak",
               "oaid": "forbidden"}  # fmt: skip
    hub = HubRule(strong_ids={"member": 2}, unlisted=2, receivers=1, orders_per_day=1, record_keys=4)
    given = {"classes": classes, "caps": {"phone": 2, "email": 1, "cookie": 2, "unionid": 2}, "hub": hub,
             "silent_days": 30, "guards": GUARDS}  # fmt: skip
    return Identity.model_validate(given | changes)


def policies() -> st.SearchStrategy[Identity]:
    return st.builds(
        rules,
        use_weak=st.booleans(),
        household=st.sampled_from(["first", "apart"]),
        recycled=st.sampled_from([("phone",), ("phone", "email")]),
        unlisted_cap=st.integers(1, 2),
    )


VALUES = ("b1b2b3b4b5b6b7b8-", "b1b2b3b4b5b6b7b9-", "a")
"""The first two are told apart as numbers, as pseudonyms are; the short one needs text."""
KEYS = st.tuples(st.sampled_from(KINDS), st.sampled_from(VALUES))
ROLES = st.sampled_from(["identity"] * 4 + ["contact"])
TIMES = st.tuples(st.integers(0, 5), st.integers(0, 2)).map(lambda t: START + timedelta(days=t[0] * 15, hours=t[1] * 7))


def printed(key: tuple[tuple[str, str], str]) -> str:
    (kind, scope), value = key
    return f"{kind}:{scope}:{value}"


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, object]]:
    """Sightings of one record: at one time, or of a profile that learnt its keys one after another."""
    number, at = draw(st.integers(0, 30)), draw(TIMES)
    record = draw(st.sampled_from(["order:shop:one:", "order:shop:two:", "member:shop:"])) + str(number)
    keys = draw(st.lists(KEYS, min_size=1, max_size=5))
    times = [draw(TIMES) for _ in keys] if draw(st.booleans()) else [at] * len(keys)
    return [
        _sighting(key, record, seen, draw(st.integers(1, 4)), draw(ROLES))
        for key, seen in zip(keys, times, strict=True)
    ]


def _sighting(key, record: str, at: datetime, evidence: int, role: str) -> dict[str, object]:
    (kind, scope), value = key
    return {
        "key": printed(key), "key_type": kind, "key_scope": scope, "pseudonym": value, "key_role": role,
        "record": record, "seen_at": at, "evidence_rank": evidence, "channel": "shop",
    }  # fmt: skip


def sightings(most: int = 14) -> st.SearchStrategy[list[dict[str, object]]]:
    return st.lists(records(), max_size=most).map(lambda made: [row for rows in made for row in rows])


def links(most: int = 4) -> st.SearchStrategy[list[dict[str, object]]]:
    pair = st.fixed_dictionaries({
        "link": st.sampled_from(["must", "cannot"]), "key_a": KEYS.map(printed), "key_b": KEYS.map(printed),
        "decided_at": TIMES,
    })  # fmt: skip
    rebind = st.builds(
        lambda phone, at: {"link": "rebind", "key_a": phone, "key_b": phone, "decided_at": at},
        st.sampled_from(VALUES).map("phone::{}".format), TIMES,
    )  # fmt: skip
    return st.lists(pair | rebind, max_size=most)


def frame(table: str, rows: list[dict[str, object]]) -> pl.LazyFrame:
    return pl.DataFrame(rows, schema=TABLES[table].schema, orient="row").lazy()
