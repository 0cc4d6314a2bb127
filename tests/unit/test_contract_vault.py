"""Who may open the vault, read from the imports: delivery, officers' commands, the rotation of keys, nobody else."""

import pytest

from tests.support.source import PRODUCTION, dotted, imports, nodes

DELIVERY = {"tasks/steps/unsealing.py", "tasks/steps/coupons.py"}
"""The contacts of a send, and the codes of its coupons."""
OFFICERS = {
    "flows/exporting.py",
    "tasks/steps/erasing.py",
    "tasks/steps/cutting.py",
    "flows/erasure_requests.py",
    "flows/access.py",
    "flows/consent_clear.py",
}
"""Named roles: quarantine export, erasure, the answer to who asks what is held about them, a list of consents."""
CUSTODY = {"flows/rotation.py", "flows/rekeying.py", "tasks/steps/rekeying.py"}
"""Changing keys means opening under the old one."""
MAY_IMPORT = {
    "tasks.stores.opener": {"tasks/stores/rewrap.py", *DELIVERY, *OFFICERS, *CUSTODY},
    "tasks.steps.keyring.keeper_of": {"flows/keys.py", "tasks/steps/rekeyed.py", *DELIVERY, *OFFICERS, *CUSTODY},
    "tasks.stores.keys.open_key_ring": {"tasks/stores/vault.py"},
    "tasks.stores.sealed_files.decrypt_file": {"tasks/stores/opener.py", "tasks/stores/erasure_requests.py"},
    "tasks.steps.unsealing": {"tasks/steps/sending.py"},
    "tasks.stores.kms": {"tasks/stores/keys.py", "flows/keys.py"},
    "cryptography.hazmat.primitives.ciphers.aead.AESGCM": {
        "tasks/stores/opener.py", "tasks/stores/vault.py", "tasks/stores/sealed_files.py", "tasks/stores/kms.py",
        "tasks/stores/cover.py",
    },
}  # fmt: skip


@pytest.mark.parametrize("what", MAY_IMPORT)
def test_what_opens_is_imported_by_few(what: str):
    found = {
        place.partition(":")[0]
        for place, name in imports(*PRODUCTION)
        if name == what or name.startswith(f"{what}.")
    }  # fmt: skip
    assert found - MAY_IMPORT[what] == set()


def test_whoever_calculates_holds_no_key():
    """Facts, scores, audiences and reports know of keys as little as of contacts."""
    keys = (
        "tasks.stores.ring",
        "tasks.stores.keys",
        "tasks.stores.vault",
        "tasks.stores.opener",
        "tasks.steps.keyring",
    )
    steps = ("tasks/steps/refresh.py", "tasks/steps/inputs.py", "tasks/steps/plan.py", "tasks/steps/report.py")
    found = [
        f"{place} {name}"
        for place, name in imports("tasks/transforms", "tasks/reports", "tasks/sources", "tasks/gate.py", *steps)
        if name.startswith(keys)
    ]
    assert found == []


def test_the_access_log_is_written_in_one_place_and_deleted_nowhere():
    writers = {place.partition(":")[0] for place, node in nodes(*PRODUCTION) if dotted(node) == "record_access"}
    assert writers == {"tasks/stores/opener.py"}
    assert [place for place, node in nodes("tasks/stores/access_log.py") if dotted(node).endswith(".delete")] == []
