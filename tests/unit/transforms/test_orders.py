"""Net orders: versions, refunds, closings, kinds, buyers."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.transforms.orders import known_at, known_refunds, net_orders, paid_back
from tests.support.examples import examples
from tests.unit.transforms import builders

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)
PEOPLE = builders.identities("ann", "bob")
NOTHING_BACK = builders.refunds()


def net(orders: pl.LazyFrame, refunds: pl.LazyFrame = NOTHING_BACK, as_of: date = MARCH, maturity_days: int = 0):
    rows = net_orders(orders, refunds, PEOPLE, as_of=as_of, maturity_days=maturity_days)
    return (
        rows.select("order_id", "one_id", "refunded_fen", "net_fen", "is_qualifying").sort("order_id").collect().rows()
    )


def test_the_version_visible_at_an_instant_is_the_one_between_its_two_clocks():
    instants = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 5, 9)]
    versions = pl.LazyFrame(
        {"status": ["paid", "finished"], "known_from": instants[:2], "known_to": [instants[1], None]},
        schema_overrides={"known_to": pl.Datetime("us", "UTC")},
    )
    seen = [known_at(versions, instant).collect()["status"].to_list() for instant in instants]
    assert seen == [["paid"], ["finished"], ["finished"]]
    assert known_at(versions, datetime(2026, 2, 1, tzinfo=UTC)).collect().is_empty()


def test_what_only_grows_is_known_from_its_receipt_on():
    received = pl.LazyFrame({"key": ["a", "b"], "known_from": [datetime(2026, 3, d, tzinfo=UTC) for d in (1, 5)]})
    assert known_at(received, datetime(2026, 3, 4, tzinfo=UTC)).collect()["key"].to_list() == ["a"]


def test_refunds_up_to_the_date_are_taken_off_and_stop_at_nothing():
    orders = builders.orders(("1", "ann", MARCH, 500), ("2", "bob", MARCH, 300), ("3", None, MARCH, 200))
    refunds = builders.refunds(("1", MARCH, 100), ("1", APRIL, 400), ("2", MARCH, 350))
    assert net(orders, refunds) == [
        ("1", "ann", 100, 400, True),
        ("2", "bob", 350, 0, False),
        ("3", None, 0, 200, True),
    ]
    assert net(orders, refunds, as_of=APRIL)[0] == ("1", "ann", 500, 0, False)


def test_only_paid_purchases_count_and_only_once_they_have_matured():
    orders = builders.orders(("1", "ann", MARCH, 500), ("2", "ann", None, 500), ("3", "ann", APRIL, 500))
    assert [row[0] for row in net(orders)] == ["1"]
    assert net(orders, maturity_days=1) == []
    for kind in ("gift", "topup", "test", "wholesale"):
        assert net(builders.orders(("1", "ann", MARCH, 500), kind=kind)) == []
    for status in ("unpaid", "on_hold"):
        assert net(builders.orders(("1", "ann", MARCH, 500), status=status)) == []


def back(*evidence: pl.LazyFrame) -> list[tuple[str, date, int]]:
    """Order, day and change of what the evidence says was paid back."""
    rows = paid_back(pl.concat(evidence)).select("order_id", "refunded_on", "refund_fen")
    return rows.sort("order_id", "refunded_on").collect().rows()


def test_a_closed_order_counts_until_the_day_on_which_it_was_first_shown_closed():
    orders = builders.orders(("1", "ann", date(2026, 3, 2), 500), status="closed")
    closed = paid_back(builders.refunds(("1", date(2026, 4, 3), 500), basis="status"))
    assert net(orders, closed) == [("1", "ann", 0, 500, True)]
    assert net(orders, closed, as_of=APRIL) == [("1", "ann", 500, 0, False)]


def test_refunds_with_their_own_numbers_add_up():
    assert back(builders.refunds(("1", MARCH, 200), ("1", MARCH, 50), ("1", APRIL, 30))) == [
        ("1", MARCH, 250),
        ("1", APRIL, 30),
    ]


def test_the_same_money_told_by_two_sources_counts_once():
    """The after-sales file of 29.00 on 8 March, and 29.00 on the order exported on 21 March."""
    own, shown = builders.refunds(("1", date(2026, 3, 8), 2_900)), builders.refunds(("1", MARCH, 2_900), basis="shown")
    assert back(own, shown) == [("1", date(2026, 3, 8), 2_900)]


def test_the_larger_of_the_two_counts():
    own, shown = builders.refunds(("1", MARCH, 100)), builders.refunds(("1", APRIL, 350), basis="shown")
    assert back(own, shown) == [("1", MARCH, 100), ("1", APRIL, 250)]


def test_a_running_total_is_replaced_and_not_added():
    totals = builders.refunds(("1", MARCH, 2_900), ("1", APRIL, 5_000), basis="shown")
    assert back(totals) == [("1", MARCH, 2_900), ("1", APRIL, 2_100)]


def test_a_word_counts_only_where_no_amount_is_known():
    word = builders.refunds(("1", MARCH, 39_900), ("2", MARCH, 500), basis="status")
    assert back(word, builders.refunds(("1", APRIL, 20_000))) == [("1", APRIL, 20_000), ("2", MARCH, 500)]


def test_what_is_pending_or_refused_takes_nothing_off_but_outweighs_no_word_either():
    asked = builders.refunds(("1", MARCH, 100)).with_columns(
        refund_state=pl.lit("pending"), refunded_on=pl.lit(None, pl.Date())
    )
    assert back(asked) == []
    assert back(asked, builders.refunds(("1", MARCH, 300), basis="status")) == [("1", MARCH, 300)]


def versions(*given: tuple[int, date, datetime, datetime | None], basis: str = "shown") -> pl.LazyFrame:
    """Versions of one total: amount, date, known from, known to."""
    rows = builders.refunds(*(("1", on, fen) for fen, on, _, _ in given), basis=basis)
    clocks = pl.LazyFrame(
        {"known_from": [one[2] for one in given], "known_to": [one[3] for one in given]},
        schema={"known_from": pl.Datetime("us", "UTC"), "known_to": pl.Datetime("us", "UTC")},
    )
    return pl.concat(
        [rows.drop("known_from", "known_to").with_columns(refund_id=pl.lit("1")), clocks], how="horizontal"
    )


def test_an_earlier_total_still_holds_at_the_dates_before_the_later_one():
    """29.00 is shown in April and 50.00 in May; both files came in June, the later one first."""
    may, first, second = date(2026, 5, 31), *(datetime(2026, 6, day, tzinfo=UTC) for day in (1, 2))
    rows = versions((5_000, may, first, None), (2_900, APRIL, second, second))
    assert back(known_refunds(rows, datetime(2026, 7, 1, tzinfo=UTC))) == [("1", APRIL, 2_900), ("1", may, 2_100)]
    assert back(known_refunds(rows, first)) == [("1", may, 5_000)]


def test_a_total_that_was_withdrawn_is_forgotten_and_a_superseded_refund_as_well():
    first, second = (datetime(2026, 6, day, tzinfo=UTC) for day in (1, 2))
    withdrawn = versions((5_000, APRIL, first, second), (2_900, MARCH, second, None))
    assert back(known_refunds(withdrawn, second)) == [("1", MARCH, 2_900)]
    corrected = versions((5_000, MARCH, first, second), (2_900, APRIL, second, None), basis="itemised")
    assert back(known_refunds(corrected, second)) == [("1", APRIL, 2_900)]


DAYS = st.dates(date(2026, 3, 1), date(2026, 3, 9))
EVIDENCE = st.lists(st.tuples(st.sampled_from("12"), DAYS, st.integers(1, 900)), max_size=4)


def _evidence(own: list, shown: list, said: list) -> pl.LazyFrame:
    kinds = {"itemised": own, "shown": shown, "status": said}
    return pl.concat(builders.refunds(*rows, basis=basis) for basis, rows in kinds.items())


@settings(max_examples=examples(60), deadline=None)
@given(EVIDENCE, EVIDENCE, EVIDENCE, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(own: list, shown: list, said: list, chance):
    rows = _evidence(own, shown, said).collect()
    turned = rows.sample(fraction=1, shuffle=True, seed=chance.randrange(1000))
    assert back(turned.lazy()) == back(rows.lazy())


@settings(max_examples=examples(60), deadline=None)
@given(EVIDENCE, EVIDENCE, EVIDENCE)
def test_paid_back_is_what_the_law_says_at_every_date(own: list, shown: list, said: list):
    changes = back(_evidence(own, shown, said))
    for order in "12":
        for day in range(1, 10):
            at = date(2026, 3, day)
            assert sum(fen for one, on, fen in changes if one == order and on <= at) == _by_law(
                order, at, own, shown, said
            )


def _by_law(order: str, at: date, own: list, shown: list, said: list) -> int:
    """The law in plain Python, from the sentence in /docs: the larger of sum and latest total, else the word."""

    def latest(rows: list) -> int:
        return max(((on, fen) for one, on, fen in rows if one == order and on <= at), default=(at, 0))[1]

    if any(one == order for one, _, _ in (*own, *shown)):
        return max(sum(fen for one, on, fen in own if one == order and on <= at), latest(shown))
    return latest(said)


@settings(max_examples=examples(60), deadline=None)
@given(EVIDENCE, EVIDENCE, DAYS, st.integers(1, 900))
def test_more_evidence_of_money_never_lowers_what_was_paid_back(own: list, shown: list, day: date, fen: int):
    if not own and not shown:
        own = [("1", day, 1)]
    before, more = back(_evidence(own, shown, [])), back(_evidence([*own, ("1", day, fen)], shown, []))
    assert sum(row[2] for row in more) >= sum(row[2] for row in before)
    words = back(_evidence(own, shown, [(order, day, fen) for order, *_ in (*own, *shown)]))
    assert words == before


AMOUNTS = st.lists(st.tuples(st.integers(0, 1000), st.lists(st.integers(1, 700), max_size=3)), max_size=6)


@settings(max_examples=examples(25), deadline=None)
@given(AMOUNTS)
def test_no_money_is_made_or_lost(amounts: list[tuple[int, list[int]]]):
    orders = builders.orders(*((str(n), "ann", MARCH, paid) for n, (paid, _) in enumerate(amounts)))
    refunds = builders.refunds(*((str(n), MARCH, back) for n, (_, backs) in enumerate(amounts) for back in backs))
    assert [row[3] for row in net(orders, paid_back(refunds))] == [max(0, paid - sum(backs)) for paid, backs in amounts]
