"""The columns that conditions of audiences and campaigns may read, beside those of customers, traits and tags."""

from dataclasses import dataclass

from expectations.vocabulary import STAGES

MOVED = ("up", "down", "same", "new")


@dataclass(frozen=True)
class Seen:
    """One column that tasks/transforms/seen.py adds."""

    name: str
    meaning: str
    codes: tuple[str, ...] = ()


_BEFORE = "at the date of customers before this one; null for who was not there"
_MONTH = "at the end of the month before; null for who was not there"
SEND_ON = Seen("send_on", "Business date of the send.")
MOVES = (
    Seen("tier_before", f"Tier {_BEFORE}."),
    Seen("segment_before", f"Segment {_BEFORE}."),
    Seen("stage_before", f"Stage {_BEFORE}.", STAGES),
    Seen("tier_moved", "How the tier moved since that date; `new` for who was not there.", MOVED),
)
MONTH_MOVES = (
    Seen("tier_last_month", f"Tier {_MONTH}."),
    Seen("segment_last_month", f"Segment {_MONTH}."),
    Seen("stage_last_month", f"Stage {_MONTH}.", STAGES),
    Seen("tier_moved_in_month", "How the tier moved since the end of the month before.", MOVED),
)
_TAGS = "on the contact of the adviser who followed last, of those that `tag_sync` names, with commas; empty where none"
_EACH = "for each of `contacts_to_tag` in that order, between semicolons, the tags with commas"
TAG_CHANGES = (
    Seen("contacts_to_tag", "Advisers, by userid with semicolons, on whose contact a tag changes; empty where none."),
    Seen("contact_tags_to_add", f"What to add: {_EACH}."),
    Seen("contact_tags_to_remove", f"What to remove: {_EACH}."),
    Seen("tags_to_add", f"Tags that hold and do not stand yet {_TAGS}."),
    Seen("tags_to_remove", f"Tags that we set and that hold no more {_TAGS}."),
)
SEEN = (SEND_ON, *MOVES, *MONTH_MOVES, *TAG_CHANGES)
