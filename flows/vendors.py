"""What `strata vendors` does: limits of profiles side by side, a brand's own checked. Nothing is written."""

from pathlib import Path
from typing import Any

from tasks.policy.lint.check import check_folder
from tasks.policy.load import load_policy
from tasks.policy.vendor_table import limits_row, shipped
from tasks.settings import Settings


def limits(folder: str = "") -> list[dict[str, str]]:
    """One row per shipped profile, or per vendor of a policy folder."""
    vendors = load_policy(Path(folder)).vendors if folder else shipped()
    return [limits_row(vendor) for vendor in vendors]


def check(folder: str = "") -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """The vendors of a policy folder with their limits, and every finding about them or a campaign's fit to them."""
    path = Path(folder or Settings().policy or "policy")
    findings = [one for one in check_folder(path) if one.place.file.startswith(("vendors", "campaigns", "brand"))]
    is_broken = any(one.severity == "error" for one in findings)
    return [] if is_broken else limits(str(path)), [one.as_row() for one in findings]
