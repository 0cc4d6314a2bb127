"""Sends to vendors of every format, published, called back and erased from, in a directory."""

from datetime import date
from pathlib import Path

import pytest

from tasks.settings import Settings
from tasks.stores.erased_sends import Erasure, erase_from
from tasks.stores.manifest import StoredPart
from tasks.stores.objects import Objects, open_objects
from tasks.stores.sends import Published, check_stored, read_send
from tasks.stores.vendor_files import File
from tests.support.sends import KEY, SEND, send_to
from tests.support.vendor_readers import expected_id, ids_in, profile

FORMATS = ("huawei_sms", "tencent_sms", "aliyun_sms", "tencent_ads", "google_audience", "onesignal_phone")


def phone(number: int) -> str:
    return f"139{number:08d}"


def read(objects: Objects, published: Published, name: str) -> tuple[list[str], list[str]]:
    """Ids in the parts of a send, and ids called back, as the vendor reads them."""
    found: tuple[list[str], list[str]] = ([], [])
    for revision in published.revisions:
        told = check_stored(objects, SEND, revision)
        parts: list[tuple[int, StoredPart]] = [(0, part) for part in told.parts]
        for place, part in [*parts, *([(1, told.recall)] if told.recall else [])]:
            data = objects.read(SEND.key(revision.revision, part.name))
            kind = profile(name)
            lines = {"request": None, "format": "txt", "with_header": False}
            as_read = kind.model_copy(update=lines) if place and kind.request else kind
            found[place].extend(ids_in(File(part.name, data, part.rows), as_read))
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_a_send_in_a_vendors_own_form_is_published_called_back_and_erased_from(name: str, tmp_path: Path) -> None:
    objects, vendor = open_objects(str(tmp_path), Settings()), profile(name, code=SEND.vendor)
    send_to(objects, range(5), vendor=vendor)
    send_to(objects, [0, 1, 2, 3, 5], vendor=vendor)
    published = read_send(objects, SEND).published
    sent, recalled = read(objects, published, name)
    assert sorted(sent) == sorted(expected_id(phone(n), vendor) for n in range(6))
    assert recalled == [expected_id(phone(4), vendor)]
    manifest = check_stored(objects, SEND, published.revisions[0])
    assert (manifest.file_format, manifest.hash, manifest.compress) == (vendor.format, vendor.hash, vendor.compress)

    names = {"c_000002": "c_ghost2", "phone::2": "phone::ghost"}
    erase_from(objects, SEND, Erasure(names, {"phone::2": phone(2)}, vendor, date(2026, 7, 31), KEY))
    sent, recalled = read(objects, read_send(objects, SEND).published, name)
    assert sorted(sent) == sorted(expected_id(phone(n), vendor) for n in (0, 1, 3, 4, 5))
    assert recalled == [expected_id(phone(n), vendor) for n in (4, 2)]
