"""However many customers are described or written at once, the tables are the same."""

from pathlib import Path

import polars as pl
import pytest

from expectations.tables import TABLES
from tasks.policy.load import load_policy
from tasks.stores.digests import RowsDigest
from tasks.stores.scratch import in_order, pieces_of
from tasks.transforms.customers import customers_and_models
from tasks.transforms.refresh import tag_pieces_of, tags_of
from tasks.transforms.traits import Described, beside_traits, describe_customers
from tests.bench.child import POLICY
from tests.bench.lake import identities_of, inputs_of, write_lake
from tests.bench.orders import AS_OF


@pytest.fixture(scope="module")
def brand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred customers of the seeded brand."""
    folder: Path = tmp_path_factory.mktemp("brand")
    write_lake(folder, 1000)
    return folder


@pytest.fixture(scope="module")
def described(brand: Path) -> Described:
    """Those customers, described."""
    inputs, identities, policy = inputs_of(brand), identities_of(brand), load_policy(POLICY)
    customers, _ = customers_and_models(inputs, policy, AS_OF, identities)
    return describe_customers(inputs, policy, AS_OF, identities, customers)


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_pieces_of_any_size_are_the_whole(described: Described, size: int):
    whole = described.traits.collect()
    assert whole.height == 100
    assert pl.concat([piece.collect() for piece in described.pieces(size)]).equals(whole)


@pytest.mark.parametrize("size", [7, 30, 1000])
def test_tags_in_pieces_of_any_size_are_the_whole(brand: Path, described: Described, size: int):
    inputs, identities, policy = inputs_of(brand), identities_of(brand), load_policy(POLICY)
    customers, traits = described.customers, described.traits.collect().lazy()
    given = (inputs, policy, AS_OF, identities)
    whole = tags_of(*given, beside_traits(customers, traits)).collect()
    assert whole.height == 100
    assert whole["is_high_spender"].sum() == 18
    pieces = tag_pieces_of(*given, customers, traits, size)
    assert pl.concat([piece.collect() for piece in pieces]).equals(whole)


def _digest(pieces: list[pl.DataFrame]) -> str:
    digest = RowsDigest("traits")
    for piece in pieces:
        digest.add(in_order(piece, "traits"))
    return digest.hexdigest()


def test_a_table_in_order_is_written_in_pieces_and_another_at_once(described: Described):
    whole = described.traits.collect()
    pieces = list(pieces_of(whole, "traits", size=30))
    assert [piece.height for piece in pieces] == [30, 30, 30, 10]
    assert _digest(pieces) == _digest([whole])
    assert [piece.height for piece in pieces_of(whole.reverse(), "traits", size=30)] == [100]
    assert TABLES["traits"].key[0] == "one_id"
