"""Layouts and corrections as part of the policy: carried word for word, in the digest, replayable."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.scaffold import scaffold
from tasks.errors import BadPolicyError
from tasks.policy.load import canonical, digest_of, load_policy, parse_policy
from tasks.policy.models import Policy
from tasks.sources.declared import corrections_of, layouts_of
from tasks.sources.layouts import built_in

TILL = {
    "name": "till", "channel": "pos", "about": "a till", "grain": "product",
    "columns": {"product_id": {"header": "SKU"}},
}  # fmt: skip
CORRECTION = {
    "name": "free_freight", "why": "freight is printed for free parcels", "owner": "data", "layout": "youzan_orders",
    "among": "TRUE", "where": "freight_fen = 1", "set": {"freight_fen": "0"}, "since": "2026-06-01",
    "until": "2026-07-01",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scaffold(tmp_path / "policy", "qinghe")
    return tmp_path / "policy"


def write(folder: Path, kind: str, document: Any, name: str = "") -> Policy:
    path = folder / kind / f"{name or document['name']}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_policy(folder)


def test_a_scaffolded_policy_shows_an_example_of_each_and_has_none(folder: Path):
    policy = load_policy(folder)
    assert (policy.layouts, policy.corrections) == ((), ())
    assert "name: my_till" in (folder / "layouts" / "example.yaml").read_text(encoding="utf-8")
    assert "name: freight_times_ten" in (folder / "corrections" / "example.yaml").read_text(encoding="utf-8")


def test_the_examples_work_once_they_are_no_comment_any_more(folder: Path):
    example = folder / "corrections" / "example.yaml"
    lines = example.read_text(encoding="utf-8").splitlines()[2:]
    (folder / "corrections" / "freight_times_ten.yaml").write_text("\n".join(line[2:] for line in lines), "utf-8")
    assert [one.name for one in corrections_of(load_policy(folder).corrections, built_in())] == ["freight_times_ten"]


def test_a_policy_without_documents_has_the_digest_that_it_always_had(folder: Path):
    written = json.loads(canonical(load_policy(folder)))
    assert written.keys() & {"layouts", "corrections"} == set()


@pytest.mark.parametrize(("kind", "document"), [("layouts", TILL), ("corrections", CORRECTION)])
def test_a_document_is_part_of_the_digest_but_its_comments_are_not(folder: Path, kind: str, document: dict[str, Any]):
    before = digest_of(load_policy(folder))
    with_it = digest_of(write(folder, kind, document))
    path = folder / kind / f"{document['name']}.yaml"
    path.write_text("# a remark\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert with_it != before
    assert digest_of(load_policy(folder)) == with_it


def test_a_stored_policy_gives_back_the_documents_as_they_were(folder: Path):
    write(folder, "layouts", TILL)
    policy = write(folder, "corrections", CORRECTION)
    (folder / "corrections" / "free_freight.yaml").write_text(  # a bare date is a date to YAML
        yaml.safe_dump(CORRECTION).replace("'2026-06-01'", "2026-06-01"), encoding="utf-8"
    )
    stored = parse_policy(json.loads(canonical(policy)), "stored")
    assert stored == policy == load_policy(folder)
    assert corrections_of(stored.corrections, layouts_of(stored.layouts))[0].since.isoformat() == "2026-06-01"


def test_the_brands_layout_takes_the_place_of_one_that_comes_with_strata():
    own = TILL | {"name": "youzan_orders"}
    layouts = {layout.name: layout for layout in layouts_of([own, TILL])}
    assert layouts["youzan_orders"].channel == "pos"
    assert layouts.keys() == {layout.name for layout in built_in()} | {"till"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name: other\n", "does not begin with `name: till`"),
        ("- name: till\n", "does not begin with `name: till`"),
        ("name: till\ncodes: {yes: granted}\n", "the name `True` is no text to YAML but bool"),
        ("name: till\ncodes: {1: granted}\n", "the name `1` is no text to YAML but int"),
        ("name: [till\n", "is not YAML"),
    ],
)
def test_a_document_that_is_none_is_named(folder: Path, text: str, found: str):
    path = folder / "layouts" / "till.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadPolicyError) as wrong:
        load_policy(folder)
    assert found in wrong.value.found
    assert str(path) in wrong.value.found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"grain": "row"}, "layouts/till.yaml: grain: Input should be 'order'"),
        ({"money": "paid"}, "layouts/till.yaml: the whole: Value error, paid: used, but no column"),
        ({"column": {}}, "layouts/till.yaml: column: Extra inputs are not permitted"),
    ],
)
def test_a_layout_that_breaks_its_rules_names_its_file_and_field(changes: dict[str, Any], found: str):
    with pytest.raises(BadPolicyError) as wrong:
        layouts_of([TILL | changes])
    assert found in wrong.value.found
