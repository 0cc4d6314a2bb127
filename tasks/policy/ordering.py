"""In which order things are worked out that read each other, such as tags and audiences."""

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

from tasks.errors import BadPolicyError


def in_levels_of(
    reads: Mapping[str, Collection[str]], *, where: str, kind: str, kinds: str
) -> tuple[tuple[str, ...], ...]:
    """Names in as few levels as they allow: each reads names of earlier levels alone. Within one, as given.

    Args:
        reads: name to the names that it reads.
        where: file, for the message.
        kind: what a circle of them is told as, such as `tags`.
        kinds: what they rest on in the end, such as `tags that rest on columns in the end`.

    Raises:
        BadPolicyError: they read each other in a circle; the message names all of them.
    """
    sorter = TopologicalSorter(reads)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " reads ".join(reversed(error.args[1]))
        raise BadPolicyError(
            f"{where}: {kind} read each other in a circle: {circle}", expected=kinds,
            next_step="take one of these out of the condition of another",
        ) from error  # fmt: skip
    levels = []
    while sorter.is_active():
        ready = frozenset(sorter.get_ready())
        levels.append(tuple(name for name in reads if name in ready))
        sorter.done(*ready)
    return tuple(levels)
