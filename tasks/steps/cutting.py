"""Raw files without a person: found in each file by what it says, written anew, sealed again. No task stands here.

A file that holds the person gets a new object beside the old one, which then goes; `erasures` keeps the
numbers of the rows taken out, so that every other row can still be found and replayed.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from tasks.errors import BadFileError
from tasks.settings import Settings
from tasks.sources.context import ReadContext
from tasks.sources.declared import corrections_of, layouts_of
from tasks.sources.erasing import Sought, find_person, holds, telling, write_without
from tasks.sources.recognise import known_headers
from tasks.sources.unpack import Part, unpack
from tasks.steps.erasing import Cut, Room, State
from tasks.steps.house import pseudonymiser_of, snapshot_of
from tasks.stores.abandoned import desk
from tasks.stores.digests import file_sha256
from tasks.stores.failpoints import reach
from tasks.stores.opener import FILE
from tasks.stores.raw import FOLDER, MARK, RawFile, raw_files
from tasks.stores.vault import Sealer
from tasks.transforms.erasure import as_received

Row = dict[str, Any]
_AN_ERASURE = re.compile(r"^fr-[0-9a-f]{16}-[0-9a-f]{8}/")
"""Stands before the name of a file that was cut before."""


class Files:
    """The raw files of the lake, opened one after the other for one request."""

    def __init__(self, room: Room, scratch: Path) -> None:
        """List the files."""
        self.room, self.scratch = room, scratch
        rows = room.lake.scan("files", snapshot_of(room.run)).collect()
        self.known: dict[str, Row] = {row["sha256"]: row for row in rows.iter_rows(named=True)}
        self.raw = [raw for raw in raw_files(room.objects) if raw.sha256 in self.known]
        self.layouts = layouts_of(room.policy.layouts)
        self.corrections = corrections_of(room.policy.corrections, self.layouts)
        self.opener = room.opener(FILE, 3 * len(self.raw))
        self.headers = known_headers(self.layouts)

    def clear(self, raw: RawFile) -> Path:
        """The file in clear, out of what locked it; the one before is gone.

        Raises:
            BadFileError: it was received as something that cannot be opened.
        """
        sealed, clear = self.scratch / "sealed", self.scratch / "clear"
        self.room.objects.fetch(raw.key, sealed)
        self.opener.file(sealed, clear)
        part = next(unpack(clear, self.name(raw), self.scratch, Settings().passwords))
        if not isinstance(part, Part):
            raise part.error
        return part.path

    def name(self, raw: RawFile) -> str:
        """What messages call it."""
        return str(self.known[raw.sha256]["name"])

    def context(self, raw: RawFile, path: Path) -> ReadContext:
        """How the file was read when it came in; nothing is sealed here."""
        row, brand = self.known[raw.sha256], self.room.policy.brand
        return ReadContext(
            file_sha256=file_sha256(path), name=row["name"], received_at=row["received_at"], file_month="",
            zone=brand.zone, currency=brand.currency, pseudonymise=pseudonymiser_of(self.room.run), shops={},
            seal=lambda contacts: contacts, channel=row["channel"], shop_id=row["shop_id"],
            exported_at=row["exported_at"], corrections=self.corrections,
            categories=tuple((rule.match, rule.category) for rule in brand.categories),
            phone_hashes=brand.phone_hashes,
        )  # fmt: skip


def cut_files(room: Room, state: State) -> State:
    """Every raw file without the person; the state afterwards tells what was taken out of which."""
    done = {sha256: cut for sha256, cut in state.cuts.items() if room.objects.head(cut.key)}
    for cut in done.values():
        _delete_old(room, cut)
    state = state.model_copy(update={"cuts": done})
    with desk(Path(Settings().scratch)) as scratch:
        files = Files(room, scratch)
        found, values = find_everywhere(files, state)
        values = {*values, *(state.values or ()), *state.contacts.values()}
        state = room.keep(state.model_copy(update={"values": tuple(sorted(values))}))
        for raw in files.raw:
            state = _cut(files, raw, found.get(raw.sha256, set()), state)
    return state


def find_everywhere(files: Files, state: State) -> tuple[dict[str, set[int]], set[str]]:
    """Rows of the person by file, and what stood there in clear."""
    sought = Sought(frozenset(state.keys), state.person.records)
    rows: dict[str, set[int]] = {}
    values: set[str] = set()
    for raw in files.raw:
        if files.known[raw.sha256]["outcome"] != "accepted":
            continue
        path = files.clear(raw)
        found = find_person(path, files.context(raw, path), files.layouts, sought)
        values |= found.values
        if found.rows:
            rows[raw.sha256] = found.rows
    return rows, values


def _cut(files: Files, raw: RawFile, rows: Collection[int], state: State) -> State:
    """One file: nothing when nothing in it tells of the person."""
    telling_values = telling(state.values or ())
    clear = _opened(files, raw)
    if not rows and not (clear and _holds(files, raw, clear, telling_values)):
        return state
    target = files.scratch / "without"
    gone = _written(files, raw, clear, rows, telling_values, target)
    cut = _sealed(files, raw, gone, target, state.cuts.get(raw.sha256))
    state = files.room.keep(state.model_copy(update={"cuts": state.cuts | {raw.sha256: cut}}))
    files.room.objects.create_file(cut.key, files.scratch / "resealed")
    reach("forget:file", "after")
    _delete_old(files.room, cut)
    return state


def _opened(files: Files, raw: RawFile) -> Path | None:
    try:
        return files.clear(raw)
    except BadFileError:
        return None


def _holds(files: Files, raw: RawFile, path: Path, values: tuple[str, ...]) -> bool:
    """Whether a file holds a value of the person; one that cannot be taken apart is searched as it lies."""
    try:
        return holds(path, files.name(raw), files.headers, values)
    except BadFileError:
        data = path.read_bytes()
        return any(value.encode(encoding) in data for value in values for encoding in ("utf-8", "gb18030"))


def _written(
    files: Files, raw: RawFile, clear: Path | None, rows: Collection[int], values: tuple[str, ...], target: Path
) -> frozenset[int]:
    """Write what stays; of a file that cannot be taken apart nothing does."""
    try:
        if clear is None:
            raise BadFileError("it cannot be opened")
        return write_without(clear, files.name(raw), files.headers, rows, values, target)
    except BadFileError:
        target.write_bytes(b"")
        return frozenset(rows)


def _sealed(files: Files, raw: RawFile, gone: Collection[int], target: Path, before: Cut | None) -> Cut:
    """What will stand in the file's place; its rows are numbered as received, whatever went before.

    A file may be cut twice for one request, because more of the person came in meanwhile.
    """
    sealer, sealed = Sealer.of(files.room.ring), files.scratch / "resealed"
    sha256 = sealer.encrypt_file(target, sealed)
    folder = f"{FOLDER}{raw.channel}/{raw.sha256}{MARK}{sealer.file_key.id}/{files.room.request_id}-{sha256[:8]}"
    mine = before.rows if before else ()
    earlier = {*mine, *(row for rows in _erased_before(files.room, raw.sha256) for row in rows)}
    return Cut(
        name=files.name(raw), rows=tuple(sorted({*mine, *as_received(gone, earlier)})),
        key=f"{folder}/{_AN_ERASURE.sub('', raw.name)}", raw_sha256=sha256, bytes=sealed.stat().st_size,
        replaces=tuple(dict.fromkeys((*(before.replaces if before else ()), *raw.keys))),
    )  # fmt: skip


def _erased_before(room: Room, sha256: str) -> Iterator[list[int]]:
    rows = room.lake.scan("erasures", snapshot_of(room.run)).filter(pl.col("file_sha256") == sha256).collect()
    yield from (json.loads(text) for text in rows["erased_rows"])


def _delete_old(room: Room, cut: Cut) -> None:
    for key in cut.replaces:
        if key != cut.key:
            room.objects.delete(key)
