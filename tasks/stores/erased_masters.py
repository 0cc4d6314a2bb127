"""Hand-overs of the customer master that name somebody who is forgotten: deleted whole, since nobody needs a past one.

Whoever reads them takes the next one, which `strata master` makes without the person.
"""

from collections.abc import Collection

from tasks.stores.objects import Objects
from tasks.stores.sends import SUCCESS

FOLDER = "master"


def masters_with(objects: Objects, names: Collection[str]) -> list[str]:
    """Folders of hand-overs in which one of the customer ids stands, in order."""
    sought = [name.encode() for name in names]
    tables = (meta.key for meta in objects.list(f"{FOLDER}/") if meta.key.endswith(".csv"))
    return sorted({key.rpartition("/")[0] for key in tables if _names_one(objects.read(key), sought)})


def delete_masters(objects: Objects, folders: Collection[str]) -> None:
    """Delete the folders; comes it twice, nothing is left to do.

    Each begins with its mark and ends with the tables by which `masters_with` knows it: a crash hides none.
    """
    for folder in folders:
        keys = [meta.key for meta in objects.list(f"{folder}/")]
        for key in sorted(keys, key=lambda key: (not key.endswith(SUCCESS), key.endswith(".csv"), key)):
            objects.delete(key)


def _names_one(content: bytes, sought: list[bytes]) -> bool:
    return any(name in content for name in sought)
