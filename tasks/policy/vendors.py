"""What a vendor's machine accepts: vendors/*.yaml."""

from typing import Literal

from pydantic import Field

from tasks.policy.base import Code, Label, Rule


class VendorColumn(Rule):
    """One column of a vendor's file."""

    header: str = Field(description="header as the vendor wants it")
    source: str = Field(description="`contact`, or `variable:<name>`")


class Vendor(Rule):
    """What a vendor's machine accepts."""

    code: Code
    label: Label
    role: Literal["entrusted", "third_party"] = Field(description="PIPL: art. 21 entrusted, art. 23 third party")
    contact_type: Literal["phone", "push_token", "email"] = Field(description="what the vendor sends to")
    columns: tuple[VendorColumn, ...] = Field(description="columns of the file in order")
    with_header: bool = Field(default=True, description="whether a part begins with its header line")
    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = Field(default="utf-8", description="of the text")
    line_end: Literal["lf", "crlf"] = Field(default="lf", description="end of each line")
    rows_per_part: int = Field(default=50_000, ge=1, description="most rows that one file may hold")
