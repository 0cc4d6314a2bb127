"""The form in which a vendor wants an id: digits of a phone, an address as it is matched, a plain digest.

One phone has three digests: of 11 digits (China), of 86… (Meta), of +86… (Google). The form belongs to
the vendor's profile, so no column of hashes is ever shared between vendors.
"""

from typing import Final

import polars as pl
from polars_hash import CryptographicHashingNameSpace, NonCryptographicHashingNameSpace

from tasks.policy.vendors import IdRule, Vendor

_MAINLAND: Final = r"^(?:\+?86)?(1[3-9][0-9]{9})$"
_ABROAD: Final = r"^\+([1-9][0-9]{6,14})$"
_ADDRESS: Final = r"^([^@]+)@([^@]+)$"
_GMAIL: Final = ("gmail.com", "googlemail.com")
_PLAIN: Final = r"^\+?[0-9A-Za-z][\x21\x23-\x2b\x2d-\x7e]*$"
"""What can stand in any file without quotes or an apostrophe: printable ASCII, no comma, no quote, no formula."""
_UNSEPARATED: Final = r"""^[^\s\p{C},;"']+$"""
_FORMULA: Final = r"^[=+\-@＝＋－＠]"


def is_plain_contact(contact: pl.Expr) -> pl.Expr:
    """True where a contact can be written into any file as it is."""
    return contact.str.contains(_PLAIN).fill_null(False)


def written_id(contact: pl.Expr, vendor: Vendor) -> pl.Expr:
    """The contact as the vendor's file has it; null for one that has no such form or that the vendor would refuse."""
    formed = _form(contact, vendor.contact_form)
    return _digest(pl.when(_is_taken(formed, vendor)).then(formed), vendor.hash)


def same_id(contact: pl.Expr, vendor: Vendor) -> pl.Expr:
    """What is equal for two contacts that are one id in the vendor's file: the form before any digest."""
    return _form(contact, vendor.contact_form)


def may_be_one(vendor: Vendor) -> bool:
    """Whether two contacts that the vault has apart can be one id for the vendor: spellings of one address."""
    return vendor.contact_form == "email_google"


def can_carry(contact: pl.Expr, vendor: Vendor) -> pl.Expr:
    """True where the vendor's file can name the contact."""
    formed = _form(contact, vendor.contact_form)
    return formed.is_not_null() & _is_taken(formed, vendor)


def _form(contact: pl.Expr, form: str) -> pl.Expr:
    """The contact in a form; null where it has none."""
    national, abroad = contact.str.extract(_MAINLAND), contact.str.extract(_ABROAD)
    full = pl.coalesce(pl.concat_str(pl.lit("86"), national), abroad)
    lower = contact.str.strip_chars().str.to_lowercase()
    match form:
        case "bare11":
            return national
        case "cc_digits":
            return full
        case "e164":
            return pl.concat_str(pl.lit("+"), full)
        case "email_lower":
            return pl.when(lower.str.contains(_ADDRESS)).then(lower)
        case "email_google":
            return pl.when(lower.str.contains(_ADDRESS)).then(_as_google_matches(lower))
        case _:
            return contact


def _as_google_matches(address: pl.Expr) -> pl.Expr:
    """A Gmail address without the dots and the +suffix that Gmail passes over; any other as it is."""
    name, domain = address.str.extract(_ADDRESS, 1), address.str.extract(_ADDRESS, 2)
    bare = pl.concat_str(name.str.replace(r"\+.*$", "").str.replace_all(".", "", literal=True), pl.lit("@"), domain)
    return pl.when(domain.is_in(_GMAIL)).then(bare).otherwise(address)


def _is_taken(formed: pl.Expr, vendor: Vendor) -> pl.Expr:
    """True for an id that can be written safely and that keeps the vendor's own rule.

    A rule with a pattern of its own (an alias may be Chinese) widens what is safe to all but separators,
    quotes and control characters; where people open the file, nothing may begin like a formula either.
    """
    rule = vendor.id or IdRule()
    safe = formed.str.contains(_PLAIN)
    if rule.pattern:
        is_opened = vendor.format in {"csv", "xlsx"}
        unsafe = formed.str.contains(_FORMULA) & ~safe if is_opened else pl.lit(value=False)
        safe = formed.str.contains(_UNSEPARATED) & ~unsafe & formed.str.contains(f"^(?:{rule.pattern})$")
    return (safe & _is_of_length(formed, rule)).fill_null(False)


def _is_of_length(formed: pl.Expr, rule: IdRule) -> pl.Expr:
    chars = formed.str.len_chars()
    fits = chars >= rule.chars_least
    if rule.chars_most:
        fits &= chars <= rule.chars_most
    return fits & (formed.str.len_bytes() <= rule.bytes_most) if rule.bytes_most else fits


def _digest(formed: pl.Expr, kind: str) -> pl.Expr:
    """Lower-case hexadecimal digest of the UTF-8 text; null stays null."""
    match kind:
        case "sha256":
            hashed = CryptographicHashingNameSpace(formed).sha2_256()
        case "md5":
            hashed = NonCryptographicHashingNameSpace(formed).md5()
        case _:
            return formed
    return pl.when(formed.is_not_null()).then(hashed)
