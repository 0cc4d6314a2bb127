"""The message each person gets, counted as operators bill it: UTF-16 units, parts, cost, links in variables.

Length = signature and its brackets + text with the person's values + the opt-out, wherever it comes from.
Up to 70 units go as one message; a longer one is billed in parts of 67 (both by the vendor's profile).
Nothing here returns a message's text: counts alone leave this module.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.message_text import VARIABLE
from tasks.policy.vendors import Sms

LINK: Final = "link_in_variable"
LONG: Final = "variable_too_long"
_ASTRAL: Final = r"[\x{10000}-\x{10FFFF}]"
_MARKS: Final = r"[\p{Cf}\p{Mn}]"
_HIDDEN: Final = r"[\s\p{Cf}\p{Mn}]"
_DOTS: Final = r"[。．｡•·]|\(dot\)|\[dot\]"
_ENDINGS: Final = (
    "com|cn|net|org|gov|edu|top|xyz|cc|vip|shop|club|info|io|co|me|ly|tv|link|site|online|wang|ink|ltd|app|dev|hk|tw|"
    "jp|us|uk|ru|biz|mobi|pro|store|tech|fun|icu|work|live|asia|im|gg|to|gl|do|url|中国|公司|网络|网址"
)
_LINK: Final = rf"h[tx]{{2}}ps?:?//?|[a-z]{{2,}}://|www\.|[a-z0-9一-龥-]+\.(?:{_ENDINGS})(?:$|[^a-z0-9])"
_ONWARD: Final = r"\.[a-z]{2,}(?::[0-9]+)?(?:/(?:[a-z0-9~%@#?&=_.-]|$)|/?\?[a-z0-9_]+=)"
"""Any ending and what leads on from it; a brand and its Chinese name, `DR.WU/达尔肤`, are no address."""
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_NUMBERS: Final = rf"(?:^\.?|[^0-9.]|[^0-9]\.){_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}(?:$|[^0-9.]|\.(?:$|[^0-9]))"
_ADDRESS: Final = rf"[a-z0-9]{_ONWARD}|//[a-z0-9一-龥-]+\.[a-z]{{2,}}|xn--[a-z0-9]|{_NUMBERS}"
"""Addresses whose ending is none of the known: found where no blank stands in them, for prose has dots as well."""


_ODD: Final = r"[^0-9A-Za-z一-龥 -]|(?i:xn--)"
"""What every text with a link has; digits, letters, Chinese, blanks and hyphens alone are none, however folded."""


class Bill(NamedTuple):
    """What a send's messages come to; no person's."""

    people: int
    longest: int
    parts: dict[int, int]
    """Parts of a message to people who get one so long."""
    cost_fen: int

    @property
    def messages(self) -> int:
        """Messages that the operator bills."""
        return sum(parts * people for parts, people in self.parts.items())


def units(text: pl.Expr) -> pl.Expr:
    """Length in UTF-16 units: an emoji counts two."""
    return (text.str.len_chars() + text.str.count_matches(_ASTRAL)).cast(pl.Int64)


def message_units(text: str, sms: Sms | None, *, is_marketing: bool) -> pl.Expr:
    """Units of the message that each row's variables make; a variable that is not known is empty."""
    fixed = _utf16(VARIABLE.sub("", text)) + _utf16(_around(sms, is_marketing=is_marketing))
    own = [units(pl.col(name).cast(pl.String).fill_null("")) for name in VARIABLE.findall(text)]
    return pl.sum_horizontal(pl.lit(fixed, pl.Int64), *own)


def parts(length: pl.Expr, sms: Sms | None) -> pl.Expr:
    """Messages that the operator bills for one of so many units."""
    rules = sms or Sms()
    longer = (length + (rules.next - 1)) // rules.next
    return pl.when(length <= rules.first).then(pl.lit(1, pl.Int64)).otherwise(longer)


def bill(variables: pl.DataFrame, text: str, campaign: Campaign, sms: Sms | None) -> Bill:
    """Parts and cost of one message per row; `campaign.message_cost_fen` is the price of one part."""
    length = message_units(text, sms, is_marketing=campaign.purpose == "marketing")
    sized = variables.with_columns(length.alias("length")).select("length", parts=parts(pl.col("length"), sms))
    by_parts = dict(sized.group_by("parts").len().sort("parts").iter_rows()) if sized.height else {}
    total = sum(count * people for count, people in by_parts.items())
    longest = int(sized["length"].max() or 0) if sized.height else 0  # type: ignore[arg-type]
    return Bill(sized.height, longest, by_parts, total * campaign.message_cost_fen)


def bill_by_variant(people: pl.DataFrame, texts: Mapping[str, str], campaign: Campaign, sms: Sms | None) -> Bill | None:
    """The bill of a whole send; None where somebody gets a message whose text the campaign does not say.

    `people` has variant (null without one) and the variables; `texts` the text by variant's code, the campaign's
    own under the empty one.
    """
    bills = []
    for (code,), rows in people.group_by("variant", maintain_order=True):
        text = texts.get(str(code or ""), texts.get(""))
        if text is None:
            return None
        bills.append(bill(rows, text, campaign, sms))
    counts = sorted({count for one in bills for count in one.parts})
    together = {count: sum(one.parts.get(count, 0) for one in bills) for count in counts}
    longest = max((one.longest for one in bills), default=0)
    return Bill(people.height, longest, together, sum(one.cost_fen for one in bills))


def cost_by_person(
    people: pl.DataFrame, texts: Mapping[str, str], campaign: Campaign, sms: Sms | None
) -> pl.DataFrame | None:
    """What each person's message costs (one_id, cost_fen), as `bill_by_variant` counts it; None as there."""
    priced = [pl.DataFrame(schema={"one_id": pl.String, "cost_fen": pl.Int64})]
    for (code,), rows in people.group_by("variant", maintain_order=True):
        text = texts.get(str(code or ""), texts.get(""))
        if text is None:
            return None
        length = message_units(text, sms, is_marketing=campaign.purpose == "marketing")
        priced.append(rows.select("one_id", cost_fen=parts(length, sms) * campaign.message_cost_fen))
    return pl.concat(priced)


def without_refused(members: pl.DataFrame, variables: pl.DataFrame, names: list[str], sms: Sms | None) -> pl.DataFrame:
    """The members of a send, whoever is planned and has a variable that the vendor refuses as `refused_text`."""
    if sms is None or not names:
        return members
    why = variables.select("one_id", why=refused_variable(names, sms))
    is_refused = (pl.col("outcome") == "planned") & pl.col("why").is_not_null()
    long = pl.lit(f"a variable of the message has more than {sms.variable_most} characters")
    told = pl.when(pl.col("why") == LINK).then(pl.lit("a variable of the message holds a link")).otherwise(long)
    return (
        members.join(why, on="one_id", how="left", maintain_order="left")
        .with_columns(
            outcome=pl.when(is_refused).then(pl.lit("refused_text")).otherwise("outcome"),
            evidence=pl.when(is_refused).then(told).otherwise("evidence"),
        )
        .select(members.columns)
    )


def refused_variable(names: list[str], sms: Sms | None) -> pl.Expr:
    """Why the vendor would refuse a row's variables, LINK or LONG; null where it takes them."""
    nothing = pl.lit(None, pl.String)
    if sms is None or not names:
        return nothing
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in names]
    is_link = pl.any_horizontal(holds_link(text) for text in texts)
    reason = pl.when(is_link).then(pl.lit(LINK)) if sms.links_in_variables == "refuse" else None
    if sms.variable_most is None:
        return nothing if reason is None else reason
    is_long = pl.any_horizontal(units(text) > sms.variable_most for text in texts)
    return pl.when(is_long).then(pl.lit(LONG)) if reason is None else reason.when(is_long).then(pl.lit(LONG))


def holds_link(text: pl.Expr) -> pl.Expr:
    """True for a text with a link, also in full-width letters, with blanks or invisible marks in it, or `hxxp`.

    An ending that is not among the known makes a link where a path or a query follows it. Four numbers up to 255 with
    dots are an address, three are none.
    """
    return text.map_batches(_links_in, return_dtype=pl.Boolean, is_elementwise=True)


def _links_in(texts: pl.Series) -> pl.Series:
    """True for each text with a link; most have no sign that a link needs, and are not folded at all."""
    is_odd = texts.str.contains(_ODD).fill_null(value=False)
    plain = texts.filter(is_odd).str.normalize("NFKC").str.to_lowercase()
    folded = plain.str.replace_all(_HIDDEN, "").str.replace_all(_DOTS, ".")
    shown = plain.str.replace_all(_MARKS, "")
    is_address = shown.str.replace_all(_DOTS, ".").str.contains(_ADDRESS)
    held = folded.str.contains(_LINK) | is_address | shown.str.contains(f"[一-龥]{_ONWARD}")
    return pl.repeat(value=False, n=texts.len(), dtype=pl.Boolean, eager=True).scatter(is_odd.arg_true(), held)


def _around(sms: Sms | None, *, is_marketing: bool) -> str:
    """What stands before and behind the campaign's own text."""
    if sms is None:
        return ""
    signature = f"【{sms.signature}】" if sms.signature else ""
    return signature + ((sms.opt_out_added or "") if is_marketing else "")


def _utf16(text: str) -> int:
    return len(text) + len(re.findall("[\U00010000-\U0010ffff]", text))
