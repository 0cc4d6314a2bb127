"""When a send is stopped because it is too unlike the one before: breaks of contacting.yaml and of a campaign."""

from pydantic import Field

from tasks.policy.base import Code, Rule


class Breaks(Rule):
    """Limits against the last delivered send of the same campaign; what is not said is not watched."""

    growth: float | None = Field(default=None, ge=0, description="most that the audience may grow: 0.5 is by half")
    fall: float | None = Field(default=None, ge=0, le=1, description="most that it may shrink: 0.5 is to half")
    overlap: float | None = Field(
        default=None, ge=0, le=1, description="least share of the people of the last send who are in this one too"
    )
    shift: float | None = Field(
        default=None, ge=0, le=100, description="most points of the audience by which the share of one part may move"
    )
    by: Code = Field(default="tier", description="column of customers whose values are the parts")
