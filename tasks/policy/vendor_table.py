"""The limits of vendors' profiles, side by side: what `strata vendors list` and docs/vendors.md show. Pure."""

from importlib import resources
from pathlib import Path

from tasks.policy.presets import names, with_preset
from tasks.policy.vendors import Vendor

FOLDER = Path(str(resources.files("tasks.policy") / "presets" / "vendors"))
_FORMS = {
    "stored": "", "bare11": "138…", "e164": "+86138…", "cc_digits": "86138…", "email_lower": "lower case",
    "email_google": "as Google matches",
}  # fmt: skip
_CONTACTS = {"push_token": "token", "external_userid": "external_userid", "member": "member id"}
_MIB = 1024 * 1024


def shipped() -> tuple[Vendor, ...]:
    """Every shipped profile under its own name, in order of name."""
    return tuple(
        Vendor.model_validate(with_preset("vendors", {"preset": name, "code": name})) for name in names("vendors")
    )


def limits_row(vendor: Vendor) -> dict[str, str]:
    """One row per profile: what its vendor takes, in words short enough for a table."""
    return {
        "profile": vendor.code,
        "vendor": vendor.label.en,
        "role": vendor.role.replace("_", " "),
        "id": _id(vendor),
        "file": _file(vendor),
        "rows": f"{vendor.rows_per_part:,}",
        "bytes": _bytes(vendor.bytes_per_part),
        "per request": f"{vendor.request.most:,}" if vendor.request and vendor.request.most else "",
        "hours": f"{vendor.hours.opens:%H:%M}–{vendor.hours.closes:%H:%M}" if vendor.hours else "",
        "text": f"{vendor.sms.first}/{vendor.sms.next}" if vendor.sms else "",
    }


def head_comment(name: str) -> str:
    """What a shipped profile says of itself: the comment at its head, in one line."""
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    head = [line.removeprefix("#").strip() for line in lines[: next(n for n, one in enumerate(lines) if one[0] != "#")]]
    return " ".join(head)


def _id(vendor: Vendor) -> str:
    kind = _CONTACTS.get(vendor.contact_type, vendor.contact_type)
    told = f"{kind} {_FORMS[vendor.contact_form]}".strip()
    return told if vendor.hash == "none" else f"{vendor.hash} of {told}"


def _file(vendor: Vendor) -> str:
    bom = ", BOM" if vendor.encoding == "utf-8-sig" else ""
    header = "" if vendor.with_header or vendor.request else ", no header"
    return vendor.suffix.removeprefix(".") + bom + header


def _bytes(most: int | None) -> str:
    return "" if most is None else f"{most / _MIB:.0f} MiB" if most >= _MIB else f"{most:,}"
