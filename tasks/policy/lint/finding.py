"""One thing that is wrong with a policy, or doubtful."""

from dataclasses import dataclass
from typing import Any, Literal

from tasks.policy.lint.places import Place, Step

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """What a rule says of a path of the policy: an error stops a run or makes nonsense, a warning is likely a slip."""

    path: tuple[Step, ...]
    rule: str
    found: str
    next_step: str
    severity: Severity = "error"


@dataclass(frozen=True)
class Finding:
    """A problem where it is written."""

    place: Place
    rule: str
    severity: Severity
    found: str
    next_step: str

    def as_row(self) -> dict[str, Any]:
        """For a terminal or for machines."""
        return {
            "file": self.place.file, "line": self.place.line or None, "severity": self.severity, "rule": self.rule,
            "found": self.found, "next": self.next_step,
        }  # fmt: skip
