"""Read a brand's policy folder over the defaults, check it, and give it a digest.

A brand's file replaces the default of the same name as a whole, so that what holds can be
read in one place; `audiences/`, `campaigns/` and `vendors/` hold one file for each of them.
`layouts/` and `corrections/` hold what the brand says about its export files; they are carried as
they were written (tasks/policy/documents.py), and tasks/sources gives them their meaning.
"""

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.errors import BadPolicyError
from tasks.policy import conditions
from tasks.policy.audience_graph import check_audiences
from tasks.policy.documents import read_documents, read_yaml
from tasks.policy.hours import check_hours
from tasks.policy.message_text import check_texts
from tasks.policy.models import Policy
from tasks.policy.presets import with_preset
from tasks.policy.profiling import check_profiling
from tasks.policy.seen import SEEN
from tasks.policy.tag_graph import check_tags, people_columns

SINGLE = (
    "brand", "rfm", "segments", "tiers", "holds", "calendar", "growth", "lifecycle", "activity", "habits", "social",
    "clusters", "value", "tags", "contacting", "identity", "history",
)  # fmt: skip
MANY = ("audiences", "campaigns", "vendors")
ABOUT_SOURCES = ("layouts", "corrections")
OWN_FOLDERS = frozenset({"master"})
"""What lies in the outbox beside vendors' folders: the customer master."""
DEFAULTS = Path(str(resources.files("tasks.policy") / "defaults"))


def load_policy(folder: Path) -> Policy:
    """Read and check the policy of a brand.

    Raises:
        BadPolicyError: a file is missing, unreadable or breaks a rule; the message names it.
    """
    policy = parse_policy(read_content(folder), str(folder))
    check_hours(policy.campaigns, policy.vendors)  # one that is stored may be of before this was asked
    return policy


def read_content(folder: Path) -> dict[str, Any]:
    """What the files of a policy say, over the defaults and presets, before anything is checked.

    Raises:
        BadPolicyError: there is no brand.yaml, or a file is no YAML.
    """
    if not (folder / "brand.yaml").is_file():
        raise BadPolicyError(
            f"{folder} has no brand.yaml", expected="a policy folder",
            next_step="make one with `strata init DIR`, or name it with --policy",
        )  # fmt: skip
    content: dict[str, Any] = {name: with_preset(name, read_yaml(path)) for name, path in single_files(folder).items()}
    for name, paths in entry_files(folder, *MANY).items():
        content[name] = [with_preset(name, read_yaml(path)) for path in paths]
    return content | {name: read_documents(folder / name) for name in ABOUT_SOURCES}


def single_files(folder: Path) -> dict[str, Path]:
    """Each part of the policy that is one file, and that file: the brand's own, or the default."""
    return {name: _first(name, folder, DEFAULTS) for name in SINGLE}


def entry_files(folder: Path, *parts: str) -> dict[str, list[Path]]:
    """Each part that has a file for each entry, and those files by name."""
    return {name: sorted((folder / name).glob("*.yaml")) for name in parts}


def over_defaults(content: dict[str, Any]) -> dict[str, Any]:
    """A policy that was stored before some part of it existed: of that part it says what the defaults say."""
    absent = [name for name in SINGLE if name not in content]
    files = {name: DEFAULTS / f"{name}.yaml" for name in absent}
    return {name: with_preset(name, read_yaml(path)) for name, path in files.items() if path.is_file()} | content


def parse_policy(content: dict[str, Any], where: str) -> Policy:
    """Build the policy from plain data and check every condition it holds."""
    try:
        policy = Policy.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadPolicyError(f"{where}: {place}: {first['msg']}", expected="see docs/policy.md") from error
    _check_names(policy)
    _check_conditions(policy, where)
    check_profiling(policy)
    check_texts(policy.campaigns, policy.vendors)
    return policy


def digest_of(policy: Policy) -> str:
    """SHA-256 over the meaning of the policy: comments and order of keys do not count.

    A policy from which an erasure took somebody keeps the digest by which its runs are recorded.
    """
    return policy.recorded_as or hashlib.sha256(canonical(policy).encode()).hexdigest()


def canonical(policy: Policy) -> str:
    """The policy as canonical JSON: the form that is stored with every run."""
    return json.dumps(policy.model_dump(mode="json"), ensure_ascii=False, sort_keys=True, indent=1)


def _first(name: str, *folders: Path) -> Path:
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise BadPolicyError(f"{name}.yaml is missing", next_step=f"add it to {folders[0]}")


def customer_columns(policy: Policy) -> tuple[str, ...]:
    """The columns that campaigns may read: of customers and traits, tags, moves, history, and the audiences."""
    tags = (name for tag in policy.tags for name in (tag.code, tag.confirmed_column) if name)
    history = (name for entry in policy.history for name in entry.columns)
    audiences = (audience.column for audience in policy.audiences)
    return (*people_columns(), *tags, *(column.name for column in SEEN), *history, *audiences)


def _check_conditions(policy: Policy, where: str) -> None:
    """Parse every condition: those of tags, and those of campaigns, which may read all of them."""
    check_tags(policy.tags, f"{where}/tags.yaml")
    known = customer_columns(policy)
    check_audiences(policy.audiences, known, where)
    for campaign in policy.campaigns:
        conditions.parse(campaign.audience, known, where=f"campaign {campaign.code}: audience")
        for name, text in campaign.variables.items():
            conditions.parse(text, known, where=f"campaign {campaign.code}: variable {name}")
    _check_tag_sync(policy)


def _check_tag_sync(policy: Policy) -> None:
    """Refuse two campaigns that keep tags in step, for what one set the other would not know; and unknown columns."""
    keeping = [campaign for campaign in policy.campaigns if campaign.tag_sync]
    if len(keeping) > 1:
        raise BadPolicyError(
            f"{', '.join(campaign.code for campaign in keeping)} have `tag_sync`", expected="one campaign of a policy",
            next_step="name all tags in one of them",
        )  # fmt: skip
    stored = (*people_columns(), *(tag.code for tag in policy.tags))
    for campaign in keeping:
        for name in campaign.tag_sync:
            conditions.parse(name, stored, where=f"campaign {campaign.code}: tag_sync")


def _check_names(policy: Policy) -> None:
    """Refuse doubled codes, a vendor under a name of the outbox's own, and campaigns whose vendor does not exist."""
    vendors = [vendor.code for vendor in policy.vendors]
    if taken := OWN_FOLDERS.intersection(vendors):
        raise BadPolicyError(
            f"vendor {min(taken)} has the name of a folder of the outbox that is not a vendor's",
            expected="a code of its own", next_step="rename the vendor, also in its campaigns",
        )  # fmt: skip
    for kind, codes in (
        ("column", [*customer_columns(policy)]),
        ("campaign", [c.code for c in policy.campaigns]),
        ("vendor", vendors),
        ("tier", [t.code for t in policy.tiers.tiers]),
    ):
        doubled = sorted({code for code in codes if codes.count(code) > 1})
        if doubled:
            raise BadPolicyError(f"{kind} {doubled[0]} is declared twice", expected="one meaning for each code")
    for campaign in policy.campaigns:
        if campaign.vendor not in vendors:
            raise BadPolicyError(
                f"campaign {campaign.code} names vendor {campaign.vendor}", expected=f"one of {', '.join(vendors)}"
            )
