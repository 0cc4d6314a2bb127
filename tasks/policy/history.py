"""What earlier campaigns did with people, as columns that conditions may read: history.yaml."""

from typing import Literal

from pydantic import Field

from tasks.policy.base import Code, Pattern, Rule


class History(Rule):
    """Two columns: `<name>`, how often it happened in days before the send, and `<name>_days`, days since the last."""

    name: Code = Field(description="column that counts; with `_days` behind it, the days since the last, null if never")
    campaigns: Pattern = Field(
        description="regular expression over codes of campaigns, found anywhere in them; one that keeps tags in step "
        "tells nobody, and counts only where its whole code stands here"
    )
    kind: Literal["planned", "handed_over", "delivered", "clicked", "replied", "bought"] = Field(
        description="planned: meant to go or gone; handed_over: gone to the vendor; delivered, clicked, replied: as "
        "vendors report; bought: orders paid on the day of such a message or later"
    )
    days: int = Field(ge=1, le=3660, description="days before the day of the send that count; that day itself does not")

    @property
    def columns(self) -> tuple[str, str]:
        """The names of both columns."""
        return (self.name, f"{self.name}_days")
