"""Whether the lake's record and the outbox say the same of every send. The outbox is right: it may have been read."""

from collections.abc import Iterator
from typing import NamedTuple

from tasks.errors import DamagedError
from tasks.settings import Settings
from tasks.steps.house import lake_at, objects_at
from tasks.stores.index import index_key, indexed_vendors, is_entered, strays
from tasks.stores.objects import Objects
from tasks.stores.sends import SUCCESS, Published, Send, all_sends, check_stored, read_send

UNFINISHED, UNRECORDED, DAMAGED, UNKNOWN = "unfinished", "unrecorded", "damaged", "not in the outbox"
STRAY = "in the index alone"


class Disagreement(NamedTuple):
    """One thing that is not as it should be, and what to do where no machine can."""

    send_id: str
    what: str
    found: str
    waits: bool = False
    """The send is damaged: nothing of it is marked or entered before a person has restored it."""

    @property
    def can_be_repaired(self) -> bool:
        """Whether `repair` makes it good; bytes that are gone come from a backup alone."""
        return not self.waits and self.what in {UNFINISHED, UNRECORDED, STRAY}


def disagreements(lake: str, outbox: str) -> list[Disagreement]:
    """Everything on which outbox and lake differ, in order of send; each send is looked at apart."""
    objects, recorded = objects_at(outbox), _recorded(lake)
    known = {send.id: _published(objects, send) for send in all_sends(objects)}
    found = [one for one in known.values() if isinstance(one, Disagreement)]
    sends = {send_id: one for send_id, one in known.items() if isinstance(one, Published)}
    found += [one for send_id, published in sends.items() for one in _of(objects, Send.parse(send_id), published)]
    for send_id in sorted((sends.keys() | recorded.keys()) - (known.keys() - sends.keys())):
        stands = {one.seq for one in sends[send_id].revisions} if send_id in sends else set()
        told = recorded.get(send_id, set())
        if missing := stands - told:
            found.append(Disagreement(send_id, UNRECORDED, f"the lake does not know revision {_list(missing)}"))
        if lost := told - stands:
            found.append(Disagreement(send_id, UNKNOWN, f"the lake knows revision {_list(lost)}, restore the bucket"))
    found += [
        Disagreement(send_id, STRAY, f"{index_key(vendor)} names it, and there is no pointer")
        for vendor in indexed_vendors(objects)
        for send_id in strays(objects, vendor)
    ]
    return sorted(_hopeless_told(found))


def _published(objects: Objects, send: Send) -> Published | Disagreement:
    """What is published of a send, or that nobody can tell."""
    try:
        return read_send(objects, send).published
    except DamagedError as error:
        return Disagreement(send.id, DAMAGED, str(error))


def _hopeless_told(found: list[Disagreement]) -> Iterator[Disagreement]:
    """The same; what else is wrong with a damaged send waits until it is restored."""
    damaged = {one.send_id for one in found if one.what == DAMAGED}
    for one in found:
        yield one._replace(waits=True) if one.send_id in damaged else one


def _of(objects: Objects, send: Send, published: Published) -> Iterator[Disagreement]:
    """What is wrong with one send in the outbox itself."""
    for revision in published.revisions:
        try:
            check_stored(objects, send, revision)
        except DamagedError as error:
            yield Disagreement(send.id, DAMAGED, str(error))
        if not revision.is_expired and objects.head(send.key(revision.revision, SUCCESS)) is None:
            yield Disagreement(send.id, UNFINISHED, f"revision {revision.seq} has no {SUCCESS}")
    if not is_entered(objects, send, published):
        yield Disagreement(send.id, UNFINISHED, "the vendor's index says otherwise")


def _recorded(lake: str) -> dict[str, set[int]]:
    """Numbers of the revisions that the lake knows, by send."""
    house = lake_at(lake)
    rows = house.scan("deliveries", house.snapshot()).select("send_id", "seq").collect()
    return {str(send_id): set(numbers) for send_id, numbers in rows.group_by("send_id").agg("seq").iter_rows()}


def _list(numbers: set[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))


def roots(lake: str) -> tuple[str, str]:
    """The lake and its outbox, as settings and the command line name them."""
    uri = lake or Settings().lake
    return uri, Settings().outbox or f"{uri.rstrip('/')}/outbox"
