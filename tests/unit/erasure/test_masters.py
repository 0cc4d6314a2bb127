"""Hand-overs of the customer master that name somebody who is forgotten, killed at every delete."""

from pathlib import Path

import pytest

from tasks.settings import Settings
from tasks.stores.erased_masters import delete_masters, masters_with
from tasks.stores.objects import Objects, open_objects

FILES = ("_SUCCESS", "customers.csv", "customers.parquet", "manifest.json")
NAMED, OTHER = "master/2026-05-31/whole-a", "master/2026-05-31/whole-b"


class _Dying:
    """A store that is gone after so many deletes."""

    def __init__(self, objects: Objects, deletes: int) -> None:
        self._objects, self._left = objects, deletes

    def __getattr__(self, name: str) -> object:
        return getattr(self._objects, name)

    def delete(self, key: str) -> None:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        self._objects.delete(key)


@pytest.mark.parametrize("deletes", range(len(FILES)))
def test_a_hand_over_that_is_half_deleted_is_found_again(deletes: int, tmp_path: Path) -> None:
    objects = open_objects(str(tmp_path), Settings())
    for folder, name in ((NAMED, "c_gone"), (OTHER, "c_here")):
        for file in FILES:
            objects.create(f"{folder}/{file}", f"one_id\n{name}\n".encode())
    assert masters_with(objects, ["c_gone"]) == [NAMED]
    with pytest.raises(KeyboardInterrupt):
        delete_masters(_Dying(objects, deletes), [NAMED])  # type: ignore[arg-type]
    delete_masters(objects, masters_with(objects, ["c_gone"]))
    assert sorted(meta.key for meta in objects.list("master/")) == [f"{OTHER}/{file}" for file in FILES]
