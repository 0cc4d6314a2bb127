"""What `strata quarantine export` does: refused rows leave the sealed raw file, under a named role and on the record.

The record is written before the file: an export that nobody knows of cannot happen.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from flows.begin import last_policy, until_published
from flows.clock import this_instant
from flows.quarantine import find_file
from flows.sources import passwords
from tasks.account import account
from tasks.errors import ConfigurationError, MissingDataError, SecurityRefusedError
from tasks.policy.load import digest_of
from tasks.policy.models import Policy
from tasks.refs import Run
from tasks.settings import Settings
from tasks.sources.correcting import refused_text
from tasks.sources.declared import layouts_of
from tasks.sources.recognise import known_headers
from tasks.sources.unpack import Part, unpack
from tasks.steps.house import lake_at, objects_at
from tasks.steps.keyring import keeper_of
from tasks.stores.abandoned import desk
from tasks.stores.access_log import Purpose
from tasks.stores.digests import code_version
from tasks.stores.opener import FILE, Opener
from tasks.stores.raw import standing_raw
from tasks.stores.runs import content_id, stage_record
from tasks.stores.whole import create_whole
from tasks.transforms.erasure import as_left

FLOW = "quarantine_export"
OWNER_ALONE = 0o600


def export_refused(what: str, out: Path, role: str, lake: str = "") -> dict[str, Any]:
    """Write a file's refused rows to `out`, as they stood; of a file refused as a whole, the file as received.

    Raises:
        SecurityRefusedError: the policy does not let that role see raw rows.
        ConfigurationError: `out` is there already; nothing is overwritten.
        MissingDataError: no such file, or nothing of it was refused.
    """
    uri = lake or Settings().lake
    policy = last_policy(uri)
    _must_be_allowed(role, policy)
    if out.exists():
        raise _there_already(out)
    file = find_file(what, uri)
    rows = _as_kept(file, _refused_rows(file, uri), uri)
    with desk(Path(Settings().scratch)) as scratch:
        pieces = _pieces(file, rows, policy, _opener(file, policy, role, uri), scratch)
        told = {"file": file["name"], "sha256": file["sha256"], "role": role, "by": account(),
                "rows": len(rows) if file["outcome"] == "accepted" else None}  # fmt: skip
        draft = _write(scratch / "draft", pieces)
        until_published(lambda: _record(told, policy, uri, scratch))
        _put(draft, out)
    return told | {"written": str(out), "next": _next_step(file, out)}


def _next_step(file: dict[str, Any], out: Path) -> str:
    """How the rows come in again: as of their own export, so that they do not supersede what came later."""
    if file["outcome"] != "accepted":
        return f"mend {out}, or the layout; then ingest it, and delete it"
    exported_at = f"{file['exported_at']:%Y-%m-%dT%H:%M:%S%z}"
    return (
        f"correct {out}, then `strata ingest {out} --shop {file['shop_id']} --exported-at {exported_at}`, and delete it"
    )


def _must_be_allowed(role: str, policy: Policy) -> None:
    if role not in policy.brand.raw_roles:
        raise SecurityRefusedError(
            f"the role {role or 'none'} may not see raw rows",
            expected=f"one of {', '.join(policy.brand.raw_roles) or 'none'} (raw_roles in brand.yaml)",
            next_step="ask somebody in one of these roles",
        )


def _refused_rows(file: dict[str, Any], uri: str) -> frozenset[int]:
    """Numbers of the refused rows of a file; none for one that was refused as a whole."""
    lake = lake_at(uri)
    rows = lake.scan("quarantine", lake.snapshot()).filter(pl.col("file_sha256") == file["sha256"])
    numbers = frozenset(rows.select("row_number").collect().to_series())
    if not numbers and file["outcome"] == "accepted":
        raise MissingDataError(f"nothing of {file['name']} was refused", next_step="`strata quarantine list`")
    return numbers


def _as_kept(file: dict[str, Any], rows: frozenset[int], uri: str) -> frozenset[int]:
    """Where these rows stand in what is kept of the file: rows of people who were forgotten are not in it any more."""
    lake = lake_at(uri)
    erased = lake.scan("erasures", lake.snapshot()).filter(pl.col("file_sha256") == file["sha256"]).collect()
    kept = as_left(rows, {number for text in erased["erased_rows"] for number in json.loads(text)})
    if rows and not kept:
        raise MissingDataError(
            f"the refused rows of {file['name']} were about people who were forgotten", expected="rows that are kept",
            next_step="nothing: they are not to come back",
        )  # fmt: skip
    return frozenset(kept)


def _pieces(
    file: dict[str, Any], rows: Collection[int], policy: Policy, opener: Opener, scratch: Path
) -> Iterable[bytes]:
    """What goes into the export: pieces of text, or of the file as received."""
    clear = _in_clear(file, opener, scratch)
    if file["outcome"] != "accepted":
        return _blocks(clear)
    part = next(unpack(clear, file["name"], scratch, passwords()))
    if not isinstance(part, Part):
        raise part.error
    return refused_text(part.path, part.name, known_headers(layouts_of(policy.layouts)), rows)


def _opener(file: dict[str, Any], policy: Policy, role: str, uri: str) -> Opener:
    """What opens this one raw file in that role, and writes it down before it does."""
    purpose = Purpose(role=role, what=f"quarantine export of file {file['sha256'][:12]}", contact_type=FILE, most=1)
    return Opener(keeper_of(policy, uri).ring(), objects_at(uri), purpose)


def _in_clear(file: dict[str, Any], opener: Opener, scratch: Path) -> Path:
    """The raw bytes of a file, decrypted into scratch."""
    places = dict.fromkeys((file["channel"], "unknown"))
    raw = next(filter(None, (standing_raw(opener.log, channel, file["sha256"]) for channel in places)), None)
    if raw is None:
        raise MissingDataError(
            f"the raw bytes of {file['name']} are not in the lake any more", expected="raw/… as received",
            next_step="restore them from a backup, or export the file at its source again",
        )  # fmt: skip
    sealed, clear = scratch / "sealed", scratch / "received"
    opener.log.fetch(raw.key, sealed)
    opener.file(sealed, clear)
    return clear


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


def _record(told: dict[str, Any], policy: Policy, uri: str, scratch: Path) -> None:
    """Write down who took which rows out and when, as a run of its own."""
    started_at, lake = this_instant(), lake_at(uri)
    inputs_digest = content_id(FLOW, told, started_at)
    run = Run(
        run_id=inputs_digest[:32], flow=FLOW, lake=uri, base_seq=lake.snapshot().seq, policy_digest=digest_of(policy),
        code_version=code_version(), inputs_digest=inputs_digest, scratch=str(scratch / "record"),
    )  # fmt: skip
    with lake.writer(run, Settings().lease_wait_seconds) as writer:
        writer.commit(stage_record(run, told, (), started_at))
        writer.move_pointer()


def _write(path: Path, pieces: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(pieces)
    return path


def _put(draft: Path, out: Path) -> None:
    """Copy to its place, for its owner alone; a file that has come there meanwhile is not overwritten."""
    try:
        create_whole(out, _blocks(draft), OWNER_ALONE)
    except FileExistsError as error:
        raise _there_already(out) from error


def _there_already(out: Path) -> ConfigurationError:
    return ConfigurationError(f"{out} is there already", expected="a new file", next_step="name another one")
