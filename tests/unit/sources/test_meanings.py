"""Every rule that can refuse a row is explained in words, and says what to do."""

import re

import pytest

from expectations.rules import rules_of
from expectations.tables import TABLES
from tasks.sources.meanings import known_rules, meaning_of
from tests.support.source import ROOT

RULES = sorted({(rule.name, rule.column) for table in TABLES for rule in rules_of(table)})
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tasks/sources").glob("*.py")))
FAULTS = sorted({*re.findall(r'unless\([^"]*"([a-z_]+)"\)', SOURCES), "unreadable", "unknown_code", "implausible"})
WHOLE_ROWS = ("wrong_field_count", "stray_quote", "nul_byte", "record_too_long", "not_a_json_object", "no_usable_key",
              "sibling_line_refused", "lines_disagree", "foreign_currency")  # fmt: skip
UNKNOWN = "A rule of an earlier version"


@pytest.mark.parametrize(("name", "column"), RULES)
def test_every_rule_of_every_table_is_explained(name: str, column: str):
    meaning = meaning_of(name, column)
    assert not meaning.what.startswith(UNKNOWN)
    assert column in meaning.what
    assert meaning.remedy
    assert name in set(known_rules())


@pytest.mark.parametrize("name", WHOLE_ROWS)
def test_rules_about_whole_rows_are_explained_and_still_exist(name: str):
    assert not meaning_of(name).what.startswith(UNKNOWN)
    assert re.search(rf"\b{name}\b", SOURCES.replace((ROOT / "tasks/sources/meanings.py").read_text("utf-8"), ""))


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_cells_are_explained_for_any_column(fault: str):
    meaning = meaning_of(f"buyer_phone_{fault}", "buyer_phone")
    assert "`buyer_phone`" in meaning.what
    assert meaning_of(f"buyer_phone_{fault}") == meaning


def test_a_rule_that_is_no_more_says_so():
    assert meaning_of("paid_on_a_sunday", "paid_at").what == f"{UNKNOWN} of Strata, about paid_at."
