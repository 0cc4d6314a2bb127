"""What is typed at the prompt, what a yes and a no must bring, and whose words count in a lake without customers."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.consent import View, typed
from flows.consenting import instant_of, proof_of
from tasks.errors import ConfigurationError
from tasks.transforms.consent_circle import circle_of_key
from tests.support.campaigns import NOW, shipped_policy

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("who", "meant"),
    [(" 138 0000 0101 ", "phone:138 0000 0101"), ("ann@example.com", "email:ann@example.com"),
     ("member:club:3", "member:club:3"), ("c_abcdefgh12345678", "c_abcdefgh12345678")],
)  # fmt: skip
def test_what_is_typed_without_a_type_is_a_number_or_an_address(who: str, meant: str) -> None:
    assert typed(who) == meant


def test_evidence_names_no_contact() -> None:
    assert (
        proof_of("granted", "call from 138-1234 5678, mail ann@example.com, form of 2026-05-01 09:00")
        == "call from ***, mail ***, form of 2026-05-01 09:00"
    )


def test_a_yes_needs_its_proof_and_must_have_been_said() -> None:
    with pytest.raises(ConfigurationError, match="a yes without evidence"):
        proof_of("granted", " ")
    with pytest.raises(ConfigurationError, match="has not been said yet"):
        instant_of("granted", "2099-01-01", ZONE)


def test_a_no_is_never_refused() -> None:
    assert proof_of("withdrawn", "") == "none given"
    assert instant_of("withdrawn", "2099-01-01", ZONE) <= datetime.now(UTC)
    assert instant_of("withdrawn", "2026-05-01", ZONE) == datetime(2026, 4, 30, 16, tzinfo=UTC)


def test_a_lake_without_customers_still_knows_keys(tmp_path: Path) -> None:
    register = View(str(tmp_path / "lake"), shipped_policy(), NOW, NOW).register()
    assert register.identities.is_empty()


def test_a_key_of_nobody_speaks_for_itself() -> None:
    assert circle_of_key("phone::1").used == {"sms": "phone::1", "phone": "phone::1"}
    assert circle_of_key("member:club:1").keys == {"member:club:1"}
