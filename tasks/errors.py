"""The one tree of errors. Permanent ones are never retried, transient ones are.

Every message says what was found, what was expected and what to do next. The
exit codes are those of docs/commands.md.
"""

from typing import ClassVar


class StrataError(Exception):
    """Something went wrong that a person or a retry can act on."""

    exit_code: ClassVar[int] = 1

    def __init__(self, found: str, *, expected: str = "", next_step: str = "") -> None:
        """Keep the three parts apart so that every surface can lay them out its own way."""
        self.found = found
        self.expected = expected
        self.next_step = next_step
        super().__init__(found, expected, next_step)

    def __str__(self) -> str:
        """Return one readable line: found, expected, next step."""
        parts = [
            self.found,
            f"expected {self.expected}" if self.expected else "",
            f"next: {self.next_step}" if self.next_step else "",
        ]
        return "; ".join(part for part in parts if part)


class PermanentError(StrataError):
    """A rerun with the same inputs cannot change this."""

    exit_code = 2


class BadFileError(PermanentError):
    """An export file that cannot be understood or trusted as a whole."""


class GateRefusedError(PermanentError):
    """A candidate table failed its suite, or the gate itself failed; nothing was published."""


class BreakerTrippedError(PermanentError):
    """A send is too unlike the campaign's last one; nothing was published, and an operator may give their word."""


class UnbalancedError(PermanentError):
    """Rows or money do not add up; nothing was published."""


class MissingDataError(PermanentError):
    """A table, month or customer that was asked for does not exist in the snapshot."""


class DigestMismatchError(PermanentError):
    """A recomputation gave another result than the one recorded."""


class ObjectExistsError(PermanentError):
    """An immutable key already holds other bytes; nothing was overwritten."""


class ConfigurationError(PermanentError):
    """Settings, usage or policy that cannot work as written."""

    exit_code = 4


class BadPolicyError(ConfigurationError):
    """A policy file that breaks its own rules."""


class HeldError(ConfigurationError):
    """A campaign that waits for the yes of an operator."""


class SecurityRefusedError(ConfigurationError):
    """Something that would leak, escape its folder or use a key it must not."""


class TransientError(StrataError):
    """Safe to try again."""

    exit_code = 3


class StoreUnavailableError(TransientError):
    """The object store did not answer in time, or answered that it cannot."""


class LakeBusyError(TransientError):
    """Another run holds the writer's lease."""


class SnapshotMovedError(TransientError):
    """Another run published first; what was computed rests on an old snapshot."""


class DamagedError(TransientError):
    """Stored bytes differ from their recorded SHA-256, or are gone."""


class OutcomeUnknownError(StrataError):
    """Not even reading back could tell whether a write landed; a person must look."""

    exit_code = 5


class PolicyChangedError(StrataError):
    """The past is intact, but the brand's policy differs from the one that made it."""

    exit_code = 6
