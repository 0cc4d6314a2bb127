"""The score card, its ladder and the referral coefficient."""

from datetime import timedelta

import polars as pl
import pytest
from pydantic import ValidationError

from tasks.policy.social import Social
from tasks.transforms.traits.social import count_voices, score_koc
from tests.unit.traits.grounds import AS_OF, POLICY, by_customer, events, ground

RECENT, OLDER, OLD = (AS_OF - timedelta(days=ago) for ago in (29, 30, 365))


def told(*given: tuple, spend: dict[int, int], kinds: frozenset[str] = frozenset({"post"})) -> dict[int, dict]:
    held = ground(events=events(*given), event_kinds=kinds)
    customers = pl.LazyFrame({"one_id": list(spend), "monetary_fen": list(spend.values())})
    return by_customer(score_koc(customers.join(count_voices(held), on="one_id", how="left"), held))


def test_points_add_up_to_the_rung():
    rows = (
        *((1, "post", RECENT) for _ in range(3)), (1, "review", OLDER), (1, "post", OLD),
        *((1, "referral", OLDER) for _ in range(3)), (1, "share", RECENT), (1, "share", OLDER),
        (3, "referral", RECENT), (3, "login", RECENT),
    )  # fmt: skip
    cards = told(*rows, spend={1: 200_000, 2: 900_000, 3: 0})
    assert [cards[1][name] for name in ("content_30d", "koc_score", "koc_level")] == [3, 60, "expert"]
    assert cards[1]["referral_coefficient"] == 1.5
    assert [cards[2][name] for name in ("koc_score", "koc_level")] == [30, "none"], "spend alone is no voice"
    assert [cards[3][name] for name in ("koc_score", "koc_level")] == [10, "none"]
    assert cards[3]["referral_coefficient"] is None


def test_a_brand_that_sees_neither_content_nor_referrals_knows_of_no_koc():
    cards = told(spend={1: 900_000}, kinds=frozenset({"login"}))
    assert (cards[1]["koc_score"], cards[1]["koc_level"]) == (None, None)


def test_the_score_never_falls_with_more_and_stays_within_a_hundred():
    many = [(n, kind, RECENT) for n in range(30) for kind in ("post", "referral") for _ in range(n)]
    scores = [row["koc_score"] for _, row in sorted(told(*many, spend={n: n * 20_000 for n in range(30)}).items())]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (0, 100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"content": ["poem"]}, "poem is no event"),
        ({"spend_points": [{"at_least": 2, "points": 9}, {"at_least": 3, "points": 9}]}, "spend_points must rise"),
        ({"spend_points": [{"at_least": 2, "points": 99}]}, "up to 169 points"),
        ({"levels": [level.model_dump() for level in reversed(POLICY.social.levels)]}, "levels must rise"),
    ],
)
def test_a_score_card_that_makes_no_sense_is_refused(change, words):
    with pytest.raises(ValidationError, match=words):
        Social.model_validate(POLICY.social.model_dump() | change)
