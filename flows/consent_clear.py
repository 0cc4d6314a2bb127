"""The contacts behind a list of consents, opened in a role that the policy lets see them, and on the record."""

import polars as pl

from tasks.errors import SecurityRefusedError
from tasks.policy.models import Policy
from tasks.steps.house import lake_at, objects_at
from tasks.steps.keyring import keeper_of
from tasks.stores.access_log import EVERY_TYPE, Purpose
from tasks.stores.opener import Opener


def with_contacts(rows: pl.DataFrame, policy: Policy, uri: str, role: str) -> pl.DataFrame:
    """Rows (with `key`) as given, and the `contact` of each whose subject is one that the vault holds.

    Raises:
        SecurityRefusedError: the policy does not let that role see personal data.
    """
    if role not in policy.brand.raw_roles:
        raise SecurityRefusedError(
            f"the role {role} may not see personal data in clear",
            expected=f"one of {', '.join(policy.brand.raw_roles) or 'none'} (raw_roles in brand.yaml)",
            next_step="ask somebody in one of these roles, or leave --role out for pseudonyms",
        )
    pseudonym, kind = (pl.col("key").str.split(":").list.get(place) for place in (-1, 0))
    wanted = rows.select("key", pseudonym=pseudonym, contact_type=kind).unique(maintain_order=True)
    lake = lake_at(uri)
    contacts = lake.scan("contacts", lake.snapshot()).collect()
    sealed = contacts.join(wanted, on=["pseudonym", "contact_type"], how="inner", maintain_order="right")
    purpose = Purpose(role=role, what="list of consents", contact_type=EVERY_TYPE, most=sealed.height)
    opener = Opener(keeper_of(policy, uri).ring(), objects_at(uri), purpose)
    opened = opener.contacts(sealed, ["key"]).rename({"value": "contact"})
    return rows.join(opened, on="key", how="left", maintain_order="left")
