"""What differs between two policies: each field that was added, removed or changed, by its path."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tasks.policy.models import Policy

_NAMES = ("code", "name", "attribute")
"""Fields by which the entry of a list is known, wherever it stands."""


@dataclass(frozen=True)
class Difference:
    """One field of which two policies say something else; null on the side where it is not there."""

    path: str
    change: Literal["added", "removed", "changed", "moved"]
    before: Any
    after: Any

    def as_row(self) -> dict[str, Any]:
        """For a terminal or for machines."""
        return asdict(self)


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """Everything that differs in meaning, in the order of the fields; comments and order of keys mean nothing.

    Entries of a list that have a code are compared by it, so that a new first tag changes no other; where their
    order decides (first match wins), one whose place among the others changed is `moved`.
    """
    return tuple(_between("", before.model_dump(mode="json"), after.model_dump(mode="json")))


def _between(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_maps(path, before, after)
    elif _is_named(before) and _is_named(after):
        old, new = _by_name(before), _by_name(after)
        yield from _of_maps(path, old, new)
        yield from _of_order(path, list(old), list(new))
    else:
        yield Difference(path, "changed", before, after)


def _of_maps(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        inner = f"{path}.{name}" if path else name
        if name not in after:
            yield Difference(inner, "removed", before[name], None)
        elif name not in before:
            yield Difference(inner, "added", None, after[name])
        else:
            yield from _between(inner, before[name], after[name])


def _of_order(path: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    old, new = ([name for name in names if name in before and name in after] for names in (before, after))
    if old != new:
        yield Difference(path, "moved", ", ".join(old), ", ".join(new))


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_name(entry) for entry in value)


def _name(entry: Any) -> str | None:
    if not isinstance(entry, Mapping):
        return None
    return next((str(entry[name]) for name in _NAMES if entry.get(name)), None)


def _by_name(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {str(_name(entry)): entry for entry in entries}
