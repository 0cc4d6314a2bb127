"""When a campaign's messages may arrive: inside the vendor's hours and its own, in the brand's zone."""

from collections.abc import Iterable
from datetime import time
from typing import Final

from tasks.errors import BadPolicyError
from tasks.policy.campaigns import Campaign
from tasks.policy.vendors import Hours, Vendor

QUIET_ENDS: Final = time(9)
QUIET_BEGINS: Final = time(20)
"""Outside of these nobody is disturbed where neither vendor nor campaign names hours."""
Span = tuple[time, time]


def hours_of(*spans: Span | None) -> Span | None:
    """The hours that all the spans share; the usual ones where there is no span, None where they share nothing."""
    told = [span for span in spans if span is not None] or [(QUIET_ENDS, QUIET_BEGINS)]
    opens, closes = max(span[0] for span in told), min(span[1] for span in told)
    return (opens, closes) if opens < closes else None


def shared_hours(campaign: Campaign, vendor: Vendor) -> Span | None:
    """The hours in which both allow a message to arrive; None where there are none."""
    return hours_of(_span(vendor.hours), _span(campaign.hours))


def hours_for(campaign: Campaign, vendor: Vendor) -> Span:
    """The hours in which a campaign's messages may arrive through a vendor.

    Raises:
        BadPolicyError: they share none, or a variant is for an hour outside of them.
    """
    shared = shared_hours(campaign, vendor)
    if shared is None:
        raise BadPolicyError(
            f"campaign {campaign.code} and its vendor {vendor.code} share no hour",
            expected="`hours` of the campaign inside those of the vendor", next_step="change one of the two",
        )  # fmt: skip
    told = f"{shared[0]:%H:%M} to {shared[1]:%H:%M}"
    for variant in campaign.variants:
        if variant.hour is not None and not shared[0] <= time(variant.hour) < shared[1]:
            raise BadPolicyError(
                f"variant {variant.code} of campaign {campaign.code} is for {variant.hour} o'clock",
                expected=f"an hour from {told}, when its messages may arrive",
                next_step="change the variant's `hour`, or `hours` of the campaign or of its vendor",
            )
    return shared


def check_hours(campaigns: Iterable[Campaign], vendors: Iterable[Vendor]) -> None:
    """Refuse a campaign whose messages could never arrive; see `hours_for`."""
    by_code = {vendor.code: vendor for vendor in vendors}
    for campaign in campaigns:
        hours_for(campaign, by_code[campaign.vendor])


def _span(hours: Hours | None) -> Span | None:
    return (hours.opens, hours.closes) if hours else None
