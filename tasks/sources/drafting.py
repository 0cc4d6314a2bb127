"""A first layout for an export that nobody prepared for: YAML that loads as it is, with the places to fill marked.

What a column holds, guessing.py guesses; which of ours it is, claims.py. The draft carries headers and the
words of a status column, and no value of any person.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from tasks.sources.claims import Claims, claim_columns, guess_grain
from tasks.sources.guessing import Column, guess_column, require_headers, status_words
from tasks.sources.headers import normalise_header, unique_names

ROWS_LOOKED_AT = 2_000
_PLAIN = re.compile(r"^[A-Za-z\u4e00-\u9fff][\w\u4e00-\u9fff ()./（）-]*(?<! )$")
_NO_TEXT = {"yes", "no", "true", "false", "on", "off", "null", "y", "n"}
_PARSER_OF = dict.fromkeys(("order_id", "line_id", "product_id", "member_no"), "id") | dict.fromkeys(
    ("product_name", "event_name"), "text"
)
_PARSERS = {"day": "instant", "clock": "text", "empty": "text"}
_ONE_ROW_IS = {
    "order": "an order", "line": "a line of an order", "member": "a member's profile", "event": "an event",
    "product": "a product",
}  # fmt: skip

Lines = Iterator[str]


@dataclass(frozen=True)
class Draft:
    """What a draft is made of."""

    name: str
    channel: str
    format: str
    rows: int
    columns: tuple[Column, ...]
    claimed: Claims
    grain: str

    def has(self, *targets: str) -> bool:
        """True when the file seems to have all of these columns of ours."""
        return all(target in self.claimed for target in targets)

    @property
    def clock(self) -> Column | None:
        """The time of day in a column of its own, beside a date."""
        return next((column for column in self.columns if column.kind == "clock"), None)

    @property
    def is_of_orders(self) -> bool:
        """True for orders and their lines."""
        return self.grain in {"order", "line"}

    @property
    def is_freight_apart(self) -> bool:
        """True when what was paid includes a freight that another column tells."""
        return self.grain == "order" and self.has("paid_fen", "freight_fen")


def draft_layout(
    headers: Sequence[str], rows: pl.DataFrame, *, name: str, channel: str, file_format: str, zone: str
) -> str:
    """Write the YAML of a layout for a file.

    Args:
        headers: as printed.
        rows: some rows of text, named by `unique_names(headers)`.
        name: the layout's name.
        channel: sales channel, as far as the caller knows.
        file_format: csv, xlsx, jsonl or parquet.
        zone: the brand's, for times without one.

    Raises:
        BadFileError: the first line looks like a row, not like headers.
    """
    require_headers(tuple(headers), name)
    columns = tuple(
        guess_column(_spelled(header, folded), folded, rows[folded], zone)
        for header, folded in zip(headers, unique_names(headers), strict=True)
        if normalise_header(header)
    )
    claimed = claim_columns(columns)
    draft = Draft(name, channel, file_format, rows.height, columns, claimed, guess_grain(claimed))
    return "\n".join([*_head(draft), *_columns(draft), *_derived(draft), *_people(draft), *_known(draft), ""])


def _spelled(header: str, folded: str) -> str:
    """A header as a layout writes it; `#2` where the same one comes again."""
    mark, number = folded.rpartition("#")[1:]
    return f"{header.strip()}#{number}" if mark and number.isdigit() else header.strip()


def _head(draft: Draft) -> Lines:
    yield f"# Drafted by `strata sources new` from {draft.rows} rows; nothing in here is anybody's value."
    yield "# Look at every FILL and CHECK, then at `strata sources check FILE`; docs/sources.md goes through it."
    yield f"name: {draft.name}  # the file bears the same name"
    yield f"channel: {draft.channel}  # FILL: code of the sales channel, as in `shops` of brand.yaml"
    yield 'about: ""  # FILL: where the file comes from, for the next person'
    yield f"grain: {draft.grain}  # CHECK: one row is {_ONE_ROW_IS[draft.grain]}"
    if draft.format != "csv":
        yield f"formats: {draft.format}"
    yield "zone: brand  # CHECK: times that name no zone are those of the brand"
    if draft.is_of_orders and draft.has("paid_fen"):
        money = "total_paid" if draft.is_freight_apart else "paid_fen"
        yield f"money: {money}  # CHECK: the one amount by which the file is balanced"
    if draft.is_of_orders and draft.has("ordered_at"):
        yield "seen: ordered_at"


def _columns(draft: Draft) -> Lines:
    """The columns that the file seems to have."""
    yield "columns:" if any(_mapped(draft)) else "columns: {}"
    for target, column in _mapped(draft):
        note = f"  # CHECK: {column.note}" if column.note else ""
        yield f"  {target}: {_cell(draft, target, column)}{note}"
        yield from _missing_words(target, column)
    yield from (f"  # FILL: {column}" for column in _lacking(draft))


def _mapped(draft: Draft) -> Iterator[tuple[str, Column]]:
    """Column of ours to column of the file, the time of payment from the order's where it has none of its own."""
    wanted = {
        "order": "order_id status ordered_at paid_at paid_fen gross_fen freight_fen refund_shown member_no phone",
        "line": "order_id line_id status ordered_at paid_at product_id product_name quantity unit_price gross_fen "
        "paid_fen member_no phone",
        "member": "member_no phone joined_at",
        "event": "event_name ordered_at member_no phone product_id",
        "product": "product_id product_name",
    }[draft.grain]
    renamed = {"paid_fen": "total_paid"} if draft.is_freight_apart else {}
    renamed |= {"ordered_at": "happened_at"} if draft.grain == "event" else {}
    for target in wanted.split():
        if draft.has(target) and not (target == "status" and not _codes(draft.claimed["status"])):
            yield renamed.get(target, target), draft.claimed[target]
        elif target == "paid_at" and draft.has("ordered_at"):
            yield target, draft.claimed["ordered_at"]


def _cell(draft: Draft, target: str, column: Column) -> str:
    """The flow mapping of one column."""
    joined = draft.clock if column.kind == "day" else None
    place = (
        f"joined: [{scalar(column.header)}, {scalar(joined.header)}]" if joined else f"header: {scalar(column.header)}"
    )
    patterns = f", patterns: {scalar(_pattern(column, joined))}" if _pattern(column, joined) else ""
    codes = f", codes: {_flow(_codes(column))}" if target == "status" else ""
    kind = _PARSER_OF.get(target) or _PARSERS.get(column.kind, column.kind)
    return f"{{{place}, parse: {kind}{patterns}{codes}}}"


def _pattern(column: Column, clock: Column | None) -> str:
    """How the time is written; what the parser knows by itself needs no pattern."""
    if clock is None:
        return column.pattern
    return "" if column.pattern == "%Y-%m-%d" else f"{column.pattern} {clock.pattern}"


def _codes(column: Column) -> dict[str, str]:
    known = status_words()
    return {word: known[normalise_header(word)] for word in column.words if normalise_header(word) in known}


def _missing_words(target: str, column: Column) -> Lines:
    if target == "status":
        unknown = [word for word in column.words if word not in _codes(column)]
        yield from (f"  # FILL: say in `codes` what {scalar(word)} means; such rows are refused" for word in unknown)


def _lacking(draft: Draft) -> Lines:
    """What the grain needs and no header seems to hold."""
    needed = {
        "order": {"order_id": "the order's number", "ordered_at": "when it was ordered", "paid_fen": "what was paid"},
        "member": {"member_no": "what identifies the member"},
        "event": {"ordered_at": "`happened_at`, when it happened"},
        "product": {},
    }
    needed["line"] = needed["order"]
    for target, what in needed[draft.grain].items():
        if not draft.has(target) and not (target == "member_no" and draft.has("phone")):
            yield f"{target}: {{header: …, parse: …}}, {what}: no header seems to hold it"


def _derived(draft: Draft) -> Lines:
    """What orders need and the file does not tell: constants, sums, ids."""
    if draft.grain == "event":
        yield "constants: {event: view}  # FILL: one of the events of docs/dictionary.md, or a code column"
        if draft.has("ordered_at"):
            yield "numbered:"
            yield f"  event_id: [{', '.join(target for target, _ in _mapped(draft))}]"
    if not draft.is_of_orders:
        return
    has_status = any(target == "status" for target, _ in _mapped(draft))
    status = "" if has_status else ", status: finished"
    yield f"constants: {{kind: purchase{status}}}{'' if has_status else '  # FILL: the file tells no status'}"
    yield from _amounts(draft)
    if draft.grain == "line" and not draft.has("line_id") and draft.has("order_id"):
        parts = [name for name in ("order_id", "product_id", "product_name") if draft.has(name)]
        yield "numbered:"
        yield f"  line_id: [{', '.join(parts)}]  # lines without a number of their own"
    if draft.grain == "order" and draft.has("refund_shown"):
        yield "refund: {column: refund_shown}  # CHECK: what was refunded so far, not the last refund alone"


def _amounts(draft: Draft) -> Lines:
    """List value and payment, one from the other where the file tells one."""
    sums = {}
    if draft.is_freight_apart:
        sums["paid_fen"] = "{plus: total_paid, minus: freight_fen}  # CHECK: the amount paid includes the freight"
    is_priced = draft.grain == "line" and draft.has("unit_price", "quantity") and not draft.has("gross_fen")
    if draft.has("paid_fen") and not draft.has("gross_fen") and not is_priced:
        sums["gross_fen"] = "{plus: paid_fen}  # CHECK: no list value is told"
    if sums:
        yield "sums:"
        yield from (f"  {name}: {rule}" for name, rule in sums.items())
    if is_priced:
        yield "products:"
        yield "  gross_fen: [unit_price, quantity]  # CHECK: price of one piece"


def _people(draft: Draft) -> Lines:
    """Who the rows are about: members first, phones of buyers, never those of parcels."""
    if not (draft.has("member_no") or draft.has("phone")) or draft.grain == "product":
        return
    evidence = 2 if draft.grain == "member" else 3
    yield "keys:  # CHECK: the buyer's own, never the receiver's or the cashier's"
    if draft.has("member_no"):
        yield f'  - {{type: member, scope: "{{channel}}", column: member_no, role: identity, evidence: {evidence}}}'
    if draft.has("phone"):
        yield f"  - {{type: phone, column: phone, role: identity, evidence: {evidence}}}"
        yield "contacts:"
        yield "  - {type: phone, column: phone}"


def _known(draft: Draft) -> Lines:
    """Everything else: kept in mind, so that a new header shows up as drift."""
    read = {column.folded for _, column in _mapped(draft)}
    is_joined = any(column.kind == "day" for _, column in _mapped(draft))
    read |= {draft.clock.folded} if draft.clock and is_joined else set()
    rest = [column for column in draft.columns if column.folded not in read]
    if rest:
        yield "known:  # not read; names, addresses and remarks belong here"
        yield from (f"  - {scalar(column.header)}  # {column.note or column.kind}" for column in rest)


def scalar(text: str) -> str:
    """Text as YAML, in quotes where it would be something else without."""
    is_plain = _PLAIN.match(text) and text.lower() not in _NO_TEXT
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _flow(mapping: dict[str, str]) -> str:
    return "{" + ", ".join(f"{scalar(key)}: {scalar(value)}" for key, value in mapping.items()) + "}"
