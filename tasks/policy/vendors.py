"""What a vendor's machine accepts: vendors/*.yaml, each field a rule of the vendor's own."""

import re
from datetime import time
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from tasks.policy.base import Code, Label, Pattern, Rule, added
from tasks.policy.transport import MINUTES_OF_A_WEEK, Encryption, SftpDrop

EXCEL_ROWS = 1_048_576
"""Rows of a sheet, its header included."""
_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_ORDER = r"^-?[A-Za-z_][A-Za-z0-9_]*$"
_SOURCE = r"^(contact|variables|variable:[A-Za-z_][A-Za-z0-9_]*|fixed:.*)$"
_FIELD_SOURCE = (
    r"^(contact|variables|values|row|signature|template|send_id|request_id"
    r"|variable:[A-Za-z_][A-Za-z0-9_]*|list:[A-Za-z_][A-Za-z0-9_]*|fixed:.*)$"
)

ContactType = Literal["phone", "push_token", "email", "external_userid", "member"]
ContactForm = Literal["stored", "bare11", "e164", "cc_digits", "email_lower", "email_google"]
Format = Literal["csv", "txt", "xlsx", "json", "jsonl"]


class VendorColumn(Rule):
    """One column of a vendor's file."""

    header: str = Field(description="header as the vendor wants it; of `variables` with `{name}` or `{n}` in it")
    source: str = Field(
        pattern=_SOURCE,
        description="`contact`, `variable:<name>`, `variables` (one column for each that the campaign gives, in order "
        "of name; of a campaign with variants also `variant`, `template` and `hour`, behind the others where headers "
        "are numbers) or `fixed:<text>`",
    )


class IdRule(Rule):
    """What the vendor takes for an id. Whoever's contact breaks it is left out of the file, with the reason."""

    pattern: Pattern | None = added(None, "regular expression over the whole id, in the form that is written")
    chars_least: int = added(1, "fewest characters", ge=1)
    chars_most: int | None = added(None, "most characters", ge=1)
    bytes_most: int | None = added(None, "most bytes in UTF-8", ge=1)


class RequestField(Rule):
    """One field of the vendor's request."""

    name: str = Field(min_length=1, description="name; dots lead into objects: `audience.cid`")
    source: str = Field(
        pattern=_FIELD_SOURCE,
        description="`contact`, `variable:<name>`, `variables` (an object), `values` (a list, in order of name), `row` "
        "(contact and values with commas), `list:<variable>` (its text cut at commas), `signature`, `template` (of "
        "the person's variant), `send_id`, `request_id` (32 hexadecimal digits, another for each request) or "
        "`fixed:<text>`",
    )
    take: Literal["each", "shared"] = Field(
        default="shared",
        description="`each`: one entry per person, in order; `shared`: one value, and people who differ in it stand in "
        "other requests",
    )
    join: str | None = added(None, "write the entries as one text with this between them; else as a list")


class Request(Rule):
    """The JSON body of one request to the vendor, for several people at once."""

    most: int | None = added(None, "most people in one request", ge=1)
    fields: tuple[RequestField, ...] = Field(min_length=1, description="fields in the order in which they are written")
    apart: str | None = added(
        None,
        "variable that may hold several values with semicolons: the person has a request for each, and every `list:` "
        "field as many parts",
        pattern=_NAME,
    )


class Hours(Rule):
    """Hours of the brand's zone in which the vendor sends."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    opens: time = Field(alias="from", description="first minute at which a message may go out")
    closes: time = Field(alias="to", description="from here on none may go out")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"hours from {self.opens} to {self.closes}: expected a span within one day")
        return self


class Sms(Rule):
    """What the text of a short message must be, and how it is counted."""

    signature: str | None = added(None, "the brand's registered signature, without its brackets")
    signature_least: int = added(2, "fewest characters of a signature", ge=1)
    signature_most: int = added(12, "most characters of a signature", ge=1)
    opt_out: tuple[str, ...] = added((), "texts with one of which a marketing message must end")
    opt_out_added: str | None = added(None, "text that the vendor puts behind a marketing message itself; it counts")
    first: int = added(70, "UTF-16 units that go as one message", ge=1)
    next: int = added(67, "units of each part of a longer one", ge=1)
    links_in_variables: Literal["refuse", "allow"] = added("refuse", "whether a variable may hold a link")
    variable_most: int | None = added(None, "most UTF-16 units of one variable", ge=1)
    language: Literal["zh", "en"] = added("zh", "which of a campaign's texts is sent")


class Vendor(Rule):
    """What a vendor's machine accepts."""

    preset: str | None = added(None, "name of a shipped profile; what stands here goes before it")
    code: Code
    label: Label
    role: Literal["entrusted", "third_party"] = Field(description="PIPL: art. 21 entrusted, art. 23 third party")
    contact_type: ContactType = Field(description="what the vendor sends to")
    columns: tuple[VendorColumn, ...] = Field(description="columns of the file in order")
    with_header: bool = Field(default=True, description="whether a part begins with its header line")
    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = Field(default="utf-8", description="of the text")
    line_end: Literal["lf", "crlf"] = Field(default="lf", description="end of each line")
    rows_per_part: int = Field(default=50_000, ge=1, description="most rows that one file may hold")
    format: Format = added(
        "csv", "`csv`; `txt`, the same for machines alone; `xlsx`; `jsonl`, a request per line; `json`, one per file"
    )
    compress: Literal["none", "gzip", "zip"] = added("none", "each part packed alone; a zip holds one file, no folder")
    quoting: Literal["necessary", "all", "never"] = added(
        "necessary", "of csv and txt; under `never` a comma, quote or line end in a text becomes a space"
    )
    bytes_per_part: int | None = added(None, "most bytes of one file, as handed over", ge=4096)
    columns_most: int | None = added(None, "most columns", ge=1)
    file_name: str = added(
        "part-{n}", "name of a part without its ending; {n} is its number", pattern=r"^[A-Za-z0-9一-鿿_-]*\{n\}$"
    )
    contact_form: ContactForm = added(
        "stored",
        "`stored`: mobiles of the mainland as 11 digits, others with + and country; `bare11`: those of the mainland "
        "alone; `e164`: all with + and country; `cc_digits`: without the +; `email_lower`; `email_google`: no dots and "
        "no +suffix at Gmail",
    )
    hash: Literal["none", "md5", "sha256"] = added("none", "plain digest of the form, in lower-case hexadecimal digits")
    id: IdRule | None = added(None, "what the vendor takes for an id")
    request: Request | None = added(None, "of json and jsonl: the body of a request")
    hours: Hours | None = added(None, "when the vendor sends; campaigns are kept inside")
    sms: Sms | None = added(None, "of short messages: what the text must be")
    order: tuple[Annotated[str, Field(pattern=_ORDER)], ...] = added(
        (), "variables by which the rows stand; with - before it by number, the largest first; else by customer id"
    )
    part_by: str | None = added(None, "variable of which each value has files of its own", pattern=_NAME)
    confirmed_by_staff: bool = added(
        default=False, description="whether nothing goes out before a colleague of the brand's has confirmed it"
    )
    least_rows: int | None = added(None, "fewest people with whom the vendor can do anything", ge=1)
    encryption: Encryption | None = added(None, "what files are locked with; in clear when left out")
    transport: SftpDrop | None = added(None, "where published files are copied to, beside the outbox")
    link_minutes: int = added(60, "longest life of a link that `strata links` signs", ge=1, le=MINUTES_OF_A_WEEK)

    @property
    def suffix(self) -> str:
        """The ending of a part's name."""
        return f".{self.format}" + {"none": "", "gzip": ".gz", "zip": ".zip"}[self.compress]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse a profile whose parts contradict each other."""
        for is_wrong, told in _contradictions(self):
            if is_wrong:
                raise ValueError(told)
        return self


def _contradictions(vendor: Vendor) -> tuple[tuple[bool, str], ...]:
    is_request = vendor.format in {"json", "jsonl"}
    of_phone, of_email = vendor.contact_form in {"bare11", "e164", "cc_digits"}, vendor.contact_form.startswith("email")
    contacts = [column for column in vendor.columns if column.source == "contact"]
    several = sum(column.source == "variables" for column in vendor.columns)
    rows = vendor.rows_per_part + vendor.with_header
    return (
        (is_request != (vendor.request is not None), f"format {vendor.format}: `request` is for json and jsonl alone"),
        (len(contacts) != 1, f"{len(contacts)} columns with source `contact`: expected one"),
        (several > 1, "`variables` stands twice: expected once"),
        (of_phone and vendor.contact_type != "phone", f"contact_form {vendor.contact_form} is for phones"),
        (of_email and vendor.contact_type != "email", f"contact_form {vendor.contact_form} is for e-mail"),
        (vendor.format == "xlsx" and rows > EXCEL_ROWS, f"rows_per_part: a sheet holds {EXCEL_ROWS} rows in all"),
        (vendor.format == "xlsx" and vendor.compress != "none", "an xlsx is packed already: compress it no more"),
        (_is_apart_wrongly(vendor), "request.apart: for jsonl with `most: 1` and a field with that variable"),
        (is_request and vendor.encoding != "utf-8", "JSON is written in utf-8"),
        (not _is_written(vendor.part_by, vendor), f"part_by: the files do not say {vendor.part_by} of a row"),
        (_headers_collide(vendor), "two columns have one header"),
    )


def _headers_collide(vendor: Vendor) -> bool:
    headers = [column.header for column in vendor.columns]
    named = (re.search(r"\{(name|n)\}", column.header) for column in vendor.columns if column.source == "variables")
    return len(set(headers)) != len(headers) or not all(named)


def _is_written(name: str | None, vendor: Vendor) -> bool:
    """Whether the vendor reads a variable in its files; no name is none to read."""
    sources = {column.source for column in vendor.columns}
    sources |= {field.source for field in (vendor.request.fields if vendor.request else ())}
    return name is None or f"variable:{name}" in sources


def _is_apart_wrongly(vendor: Vendor) -> bool:
    request = vendor.request
    if request is None or request.apart is None:
        return False
    return vendor.format != "jsonl" or request.most != 1 or not _is_written(request.apart, vendor)
