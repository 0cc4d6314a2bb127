"""What is wrong between vendors, the profiles they are made from, and the campaigns that send by them."""

from collections.abc import Iterator

from tasks.policy.campaigns import Campaign
from tasks.policy.lint.finding import Problem
from tasks.policy.models import Policy
from tasks.policy.vendor_table import shipped
from tasks.policy.vendors import Vendor


def check_vendors(policy: Policy) -> Iterator[Problem]:
    """Limits wider than the vendor's own, a missing signature, a role that hides a third party, lacking variables."""
    own = {vendor.code: vendor for vendor in shipped()}
    for number, vendor in enumerate(policy.vendors):
        for path, rule, told, next_step in _of_profile(vendor, own.get(vendor.preset or "")):
            yield Problem(("vendors", number, *path), rule, told, next_step, "warning")
    for number, campaign in enumerate(policy.campaigns):
        lacking = _lacking(campaign, policy.vendor(campaign.vendor))
        if lacking:
            yield Problem(
                ("campaigns", number, "variables"), "vendor_fits",
                f"campaign {campaign.code} gives no {', '.join(lacking)}, which {campaign.vendor} writes",
                "add the variable to the campaign, or take the column out of the vendor's profile",
            )  # fmt: skip


def _of_profile(vendor: Vendor, preset: Vendor | None) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    if vendor.sms and not vendor.sms.signature:
        yield (
            ("sms",), "signature", f"vendor {vendor.code} has no signature: parts and cost are counted without it",
            "write the registered signature as `sms: {signature: …}`",
        )  # fmt: skip
    if vendor.hash != "none" and vendor.role != "third_party":
        yield (
            ("role",), "role", f"vendor {vendor.code} matches people by digests and is said to be entrusted",
            "`third_party` if it matches them with data of its own: PIPL art. 23 asks for a separate consent",
        )  # fmt: skip
    for field in ("rows_per_part", "bytes_per_part", "columns_most") if preset else ():
        most, given = getattr(preset, field), getattr(vendor, field)
        if most is not None and (given is None or given > most):
            yield (
                (field,), "limits", f"vendor {vendor.code}: {field} is {given}, the shipped profile says {most}",
                "leave it out, unless the vendor told you otherwise",
            )  # fmt: skip


def _lacking(campaign: Campaign, vendor: Vendor) -> list[str]:
    """Variables that the vendor's profile names and no variant of the campaign gives."""
    sources = [column.source for column in vendor.columns]
    sources += [field.source for field in (vendor.request.fields if vendor.request else ())]
    wanted = {name for kind, _, name in (one.partition(":") for one in sources) if kind in {"variable", "list"}}
    wanted |= {name.lstrip("-") for name in vendor.order}
    given = campaign.variables.keys() | {name for variant in campaign.variants for name in variant.variables}
    also = {"variant", "template", "hour"} if campaign.variants else set()
    return sorted(wanted - given - also)
