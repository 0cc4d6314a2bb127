"""The policy reference: every file of a brand's policy, field by field, as one Markdown page.

Pure; docs/policy.md is its output. Types, defaults and limits come from the models' JSON schemas.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from tasks.policy.activity import Activity
from tasks.policy.audiences import Audience
from tasks.policy.base import Rule
from tasks.policy.calendar import Calendar
from tasks.policy.campaigns import Campaign
from tasks.policy.clusters import Clusters
from tasks.policy.contacting import Contacting
from tasks.policy.drift import Drift
from tasks.policy.growth import Growth
from tasks.policy.habits import Habits
from tasks.policy.history import History
from tasks.policy.holds import Holds
from tasks.policy.identity import Identity
from tasks.policy.lifecycle import Lifecycle
from tasks.policy.models import Brand
from tasks.policy.rfm import Rfm
from tasks.policy.segments import Segments
from tasks.policy.social import Social
from tasks.policy.tags import Tag
from tasks.policy.tiers import Tiers
from tasks.policy.value import Value
from tasks.policy.vendors import Vendor

FILES: dict[str, tuple[type[Rule], str]] = {
    "brand.yaml": (Brand, "Required."),
    "rfm.yaml": (Rfm, ""),
    "segments.yaml": (Segments, ""),
    "tiers.yaml": (Tiers, ""),
    "holds.yaml": (Holds, ""),
    "calendar.yaml": (Calendar, ""),
    "growth.yaml": (Growth, ""),
    "lifecycle.yaml": (Lifecycle, ""),
    "activity.yaml": (Activity, ""),
    "value.yaml": (Value, ""),
    "habits.yaml": (Habits, ""),
    "social.yaml": (Social, ""),
    "clusters.yaml": (Clusters, ""),
    "tags.yaml": (Tag, "A list, in any order; a tag may read other tags."),
    "contacting.yaml": (Contacting, ""),
    "identity.yaml": (Identity, ""),
    "drift.yaml": (Drift, ""),
    "history.yaml": (History, "A list; what earlier campaigns did with people."),
    "audiences/<code>.yaml": (Audience, "One file per audience."),
    "campaigns/<code>.yaml": (Campaign, "One file per campaign."),
    "vendors/<code>.yaml": (Vendor, "One file per vendor."),
}
_INTRODUCTION = """\
# The policy, file by file

Generated from the models in `tasks/policy/` by `make docs`, and compared with them by a test: change the models, not
this page.

A brand's policy is a folder of YAML. A file that is not there is the default of `tasks/policy/defaults/`; a file that
is there replaces the default as a whole. An unknown field is an error. Money is in fen, the minor unit of the brand's
currency. A *condition* is one SQL expression over the columns of `customers` (dictionary.md) and the tags. Only the
meaning counts for the policy's digest: comments and the order of keys do not. `strata policy check` finds what is wrong
with a folder, all at once, each finding with its file and line; `strata policy diff A B` tells two policies apart.
"""

Schema = dict[str, Any]


def policy_markdown() -> str:
    """Return the whole page: one section per file, and under it each part that the file is made of."""
    sections = (model_section(name, model, note) for name, (model, note) in FILES.items())
    return "\n".join([_INTRODUCTION, *sections, _part_section("Label", Brand.model_json_schema()["$defs"])])


def model_section(name: str, model: type[BaseModel], note: str = "") -> str:
    """Return a heading, what the model is, a table of its fields, and the same for each part but labels."""
    schema = model.model_json_schema()
    parts: Schema = schema.get("$defs", {})
    text = f"{schema['description']} {note}".strip()
    nested = (_part_section(part, parts) for part in parts if part != "Label")
    return "\n".join([f"## {name}\n\n{text}\n\n{_table(schema, parts)}", *nested])


def _part_section(name: str, parts: Schema) -> str:
    return f"### {_part(name)}\n\n{parts[name]['description']}\n\n{_table(parts[name], parts)}"


def _table(schema: Schema, parts: Schema) -> str:
    required = frozenset(schema.get("required", ()))
    rows = (_row(name, field, parts, is_required=name in required) for name, field in schema["properties"].items())
    return "\n".join(["| field | type | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _row(name: str, field: Schema, parts: Schema, *, is_required: bool) -> str:
    default = "**required**" if is_required else _default(field.get("default"))
    meaning = "; ".join([field.get("description") or _meaning_of_part(field, parts), *_limits(field)])
    return f"| `{name}` | {_type(field)} | {default} | {meaning} |"


def _meaning_of_part(field: Schema, parts: Schema) -> str:
    """A field that says nothing of its own means what its part means: its first sentence."""
    told: str = parts.get(_type_name(field), {}).get("description", "")
    return re.split(r"[.;:]", told[:1].lower() + told[1:])[0]


def _type_name(field: Schema) -> str:
    """Return the name of the part that a field holds, alone, as a choice or in a list; empty for plain values."""
    inner = field.get("items") or next(iter(field.get("anyOf", ())), field)
    return str(inner.get("$ref", "")).rsplit("/", 1)[-1]


def _default(value: Any) -> str:
    return "–" if value in (None, [], {}) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _limits(field: Schema) -> Iterator[str]:
    """Yield the limits of a number, also where a choice of types hides it (a decimal is a number or its text)."""
    for choice in [field, *field.get("anyOf", ())]:
        if "minimum" in choice:
            yield f"at least {choice['minimum']:g}"
        if "maximum" in choice:
            yield f"at most {choice['maximum']:g}"


def _type(field: Schema) -> str:
    """Name the type as an author of YAML sees it; of a choice the first, the others being null or the same as text."""
    if "anyOf" in field:
        return _type(field["anyOf"][0])
    if "$ref" in field:
        return _part(_type_name(field))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{code}`" for code in field.get("enum", [field.get("const")]))
    return _plain(field)


def _plain(field: Schema) -> str:
    match field["type"]:
        case "array" if "prefixItems" in field:
            return f"pair of {_type(field['prefixItems'][0])}"
        case "array":
            return f"list of {_type(field['items'])}"
        case "object":
            return f"map to {_type(field['additionalProperties'])}"
        case "string" if field.get("format") == "date":
            return "date"
        case plain:
            return {"string": "text", "number": "number", "integer": "integer", "boolean": "true, false"}[plain]


def _part(name: str) -> str:
    """`SegmentRule` -> `segment rule`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
