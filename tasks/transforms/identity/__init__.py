"""Who is who: guarded connected components over the keys that were seen together (algorithms §7)."""

from tasks.transforms.identity.changes import changes_between
from tasks.transforms.identity.ids import one_id_of
from tasks.transforms.identity.owners import with_owner
from tasks.transforms.identity.resolution import Resolution, resolve

__all__ = ["Resolution", "changes_between", "one_id_of", "resolve", "with_owner"]
