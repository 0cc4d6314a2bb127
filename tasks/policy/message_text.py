"""What can be said of a message's text before anybody gets it: signature, opt-out, variables."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from tasks.errors import BadPolicyError
from tasks.policy.base import Label
from tasks.policy.campaigns import Campaign
from tasks.policy.vendors import Sms, Vendor

VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
ADDED_ELSEWHERE = frozenset({"coupon", "link", "url"})
"""Variables that a run gives beside those of the campaign."""
_WORDS = re.compile(r"[A-Za-z0-9一-鿿]")
_SIGNATURE = re.compile(r"[A-Za-z0-9一-鿿]+")


def text_of(campaign: Campaign, vendor: Vendor) -> str | None:
    """The text in the language that the vendor sends; None where the campaign does not say it."""
    if isinstance(campaign.text, Label):
        return campaign.text.en if vendor.sms and vendor.sms.language == "en" else campaign.text.zh
    return campaign.text


def texts_of(campaign: Campaign, vendor: Vendor) -> dict[str, str]:
    """The text of each variant that has one, by its code; the campaign's own under the empty code."""
    own = text_of(campaign, vendor)
    of_variants = {variant.code: variant.text or own for variant in campaign.variants}
    return {code: text for code, text in {"": own, **of_variants}.items() if text is not None}


def check_text(campaign: Campaign, vendor: Vendor) -> Iterator[str]:
    """What the vendor would refuse, a sentence each; nothing where the campaign says no text or sends no SMS."""
    if campaign.utm and vendor.sms and vendor.sms.links_in_variables == "refuse":
        yield "utm makes a link of a variable, which this vendor refuses: write the link into the template"
    texts = texts_of(campaign, vendor)
    if not texts or vendor.sms is None or campaign.touch_channel != "sms":
        return
    yield from _of_signature(vendor.sms)
    for code, text in texts.items():
        names = campaign.variables.keys() | {n for one in campaign.variants if one.code == code for n in one.variables}
        for told in _of_text(text, names, vendor.sms, is_marketing=campaign.purpose == "marketing"):
            yield f"variant {code}: {told}" if code else told


def _of_text(text: str, names: AbstractSet[str], sms: Sms, *, is_marketing: bool) -> Iterator[str]:
    yield from _of_variables(text, names)
    if "【" in text or "】" in text:
        yield "the text holds 【】: the vendor puts the signature before it, leave it out"
    if is_marketing:
        yield from _of_opt_out(text, sms)


def _of_signature(sms: Sms) -> Iterator[str]:
    if sms.signature is None:
        yield "sms.signature is missing: write the registered signature into the vendor's file"
        return
    if not _SIGNATURE.fullmatch(sms.signature) or sms.signature.isdigit():
        yield f"signature {sms.signature}: expected Chinese, letters and digits, not digits alone, without brackets"
    if not sms.signature_least <= len(sms.signature) <= sms.signature_most:
        told = f"{sms.signature_least} to {sms.signature_most}"
        yield f"signature {sms.signature} has {len(sms.signature)} characters: expected {told}"


def _of_variables(text: str, names: AbstractSet[str]) -> Iterator[str]:
    unknown = sorted(set(VARIABLE.findall(text)) - names - ADDED_ELSEWHERE)
    if unknown:
        yield f"the text names {', '.join(unknown)}: expected variables of the campaign"


def _of_opt_out(text: str, sms: Sms) -> Iterator[str]:
    """The opt-out at the end, and words of the sender's own before it."""
    ending = next((one for one in sms.opt_out if text.rstrip("。.！! ").endswith(one)), None)
    if sms.opt_out and ending is None and sms.opt_out_added is None:
        yield f"a marketing message ends with its opt-out: expected one of {', '.join(sms.opt_out)}"
    if not _WORDS.search(VARIABLE.sub("", text).replace(ending or "", "")):
        yield "the text is variables alone, which vendors refuse: expected words of your own"


def check_texts(campaigns: Iterable[Campaign], vendors: Iterable[Vendor]) -> None:
    """Refuse a campaign whose text its vendor would refuse.

    Raises:
        BadPolicyError: the first such campaign, with all that is wrong with its text.
    """
    by_code = {vendor.code: vendor for vendor in vendors}
    for campaign in campaigns:
        wrong = list(check_text(campaign, by_code[campaign.vendor]))
        if wrong:
            raise BadPolicyError(
                f"campaign {campaign.code}: {'; '.join(wrong)}",
                expected=f"a text that {campaign.vendor} takes",
                next_step="correct the campaign's text, or `sms` in the vendor's file",
            )
