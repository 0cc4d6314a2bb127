"""Delivery's door to the vault: the contacts of one send, each opened once and on the record. No task stands here."""

import polars as pl

from tasks.policy.vendors import Vendor
from tasks.refs import Run
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import Purpose
from tasks.stores.opener import Opener
from tasks.stores.sends import Send
from tasks.stores.vendor_files import CONTACT, can_carry, may_be_one, same_id
from tasks.transforms.held import tight

_AT_ONCE = 250_000
"""Contacts whose ciphertexts are in memory together; each batch has its own line in the access log."""
_VALUES = pl.Schema({"recipient_key": pl.String(), CONTACT: pl.String()})


class Contacts:
    """The plain contacts of the people of one send, of the vendor's kind alone."""

    def __init__(self, run: Run, send: Send, vendor: Vendor) -> None:
        """Open nothing yet."""
        self._run, self._send, self._vendor = run, send, vendor
        self._asked = pl.DataFrame(schema={"recipient_key": pl.String})
        self._values = _VALUES.to_frame()

    def of(self, people: pl.DataFrame) -> pl.DataFrame:
        """`people` (one_id, recipient_key) with the plain contact of each who has one that a file can carry."""
        fresh = people.select("recipient_key").drop_nulls().unique().join(self._asked, on="recipient_key", how="anti")
        for keys in fresh.iter_slices(_AT_ONCE):
            self._values = pl.concat([self._values, self._open(keys)])
            self._asked = pl.concat([self._asked, keys])
        return people.join(self._values, on="recipient_key").filter(can_carry(pl.col(CONTACT), self._vendor))

    def doubled(self, people: pl.DataFrame, reached: pl.DataFrame) -> pl.DataFrame:
        """Of `people` those whose contact is somebody else's too as the vendor writes it: one_id, owner.

        Whoever is in a published revision keeps it, also where they are called back now; else the first by one_id. For
        most vendors two contacts are two ids, and nothing is opened.
        """
        if not may_be_one(self._vendor):
            return pl.DataFrame(schema={"one_id": pl.String, "owner": pl.String})
        on = ["one_id", "recipient_key"]
        fresh = people.select(on).join(reached, on="one_id", how="anti")
        sides = ((reached, True), (fresh, False))
        everybody = pl.concat(rows.select(*on, is_in=pl.lit(value=is_in)) for rows, is_in in sides)
        named = (
            self.of(everybody).sort(~pl.col("is_in"), "one_id").with_columns(id=same_id(pl.col(CONTACT), self._vendor))
        )
        owned = named.with_columns(owner=pl.col("one_id").first().over("id"))
        return owned.filter(~pl.col("is_in"), pl.col("owner") != pl.col("one_id")).select("one_id", "owner")

    def _open(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The values of contact keys that were not asked for before, after they are written into the access log."""
        sealed = self._sealed(keys)
        purpose = Purpose(
            role="delivery", what=f"send {self._send.id}", contact_type=self._vendor.contact_type, most=sealed.height,
            run_id=self._run.run_id,
        )  # fmt: skip
        ring = keeper_of(policy_of(self._run), self._run.lake).ring()
        opener = Opener(ring, objects_at(self._run.lake), purpose)
        return opener.contacts(sealed, ["recipient_key"]).select("recipient_key", pl.col("value").alias(CONTACT))

    def _sealed(self, keys: pl.DataFrame) -> pl.DataFrame:
        """One row per contact of these keys in the vault, still sealed; another kind than the vendor's has none."""
        named = keys.lazy().with_columns(pseudonym=pl.col("recipient_key").str.extract("([^:]*)$"))
        contacts = lake_at(self._run.lake).scan("contacts", snapshot_of(self._run))
        own = contacts.filter(pl.col("contact_type") == self._vendor.contact_type)
        own = own.select("pseudonym", "contact_type", "key_id", "nonce", "ciphertext")
        return tight(named.join(own, on="pseudonym").unique("recipient_key", keep="any"))
