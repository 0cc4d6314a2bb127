"""The brand's own list of links: who is one person, who is not, and which number changed hands."""

from pathlib import Path

from tasks.sources.read import Export
from tests.unit.sources.reading import balance, read_bytes, rules, utc

KEY = f"unionid:qinghe:{'ab' * 32}"
HEADER = "link,key_a,key_b,decided_at,evidence"


def read_list(folder: Path, *lines: str) -> Export:
    return read_bytes(folder, "\n".join((HEADER, *lines)), "links.csv")


def test_keys_are_written_plain_or_printed_and_stand_in_byte_order(tmp_path: Path):
    export = read_list(
        tmp_path,
        f"must,{KEY},member:qinghe:42,2026-05-01 10:00:00,form 17",
        "非同一人,phone:+86 138-0000-0101,email:Ann@Example.com,2026-05-02 10:00:00,call of 2 May",
        "rebind,phone:13800000102,,2026-05-03 10:00:00,the carrier",
    )
    assert (export.layout, export.channel, export.shop_id, balance(export)) == ("identity_links", "own", "main", (0, 0))
    rows = export.frame("identity_links").sort("row_number").select("link", "key_a", "key_b", "decided_at", "evidence")
    assert rows.rows() == [
        ("must", "member:qinghe:<42>", KEY, utc("2026-05-01T02:00:00"), "form 17"),
        ("cannot", "email::<ann@example.com>", "phone::<13800000101>", utc("2026-05-02T02:00:00"), "call of 2 May"),
        ("rebind", "phone::<13800000102>", "phone::<13800000102>", utc("2026-05-03T02:00:00"), "the carrier"),
    ]
    assert {*export.tables} == {"identity_links"}


def test_what_names_no_key_is_refused(tmp_path: Path):
    export = read_list(
        tmp_path,
        "must,phone:138****0101,member:qinghe:42,2026-05-01 10:00:00,form 17",
        "must,member:qinghe:42,,2026-05-01 10:00:00,form 17",
        "must,42,member:qinghe:43,2026-05-01 10:00:00,form 17",
        "perhaps,member:qinghe:42,member:qinghe:43,2026-05-01 10:00:00,form 17",
    )
    assert (balance(export), export.frame("identity_links").height) == ((0, 0), 0)
    assert rules(export) == {"key_a_missing": 2, "key_b_missing": 1, "link_unknown_code": 1}
