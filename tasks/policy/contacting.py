"""How often people may be written to over all campaigns, who never is, and what stops a send."""

from typing import Literal

from pydantic import Field

from tasks.policy.base import Code, Rule, added
from tasks.policy.breaks import Breaks
from tasks.policy.variants import Holdout

MARKETPLACES = ("taobao", "jd", "douyin", "pdd", "kuaishou", "xiaohongshu", "wechat_shop")


class Cap(Rule):
    """At most `most` messages in the last `days`, per person and per contact point."""

    touch_channel: str = Field(default="*", description="channel that is counted; `*` is all together")
    days: int = Field(ge=1, description="length of the rolling window")
    most: int = Field(ge=1, description="messages allowed in it")


class CampaignCap(Cap):
    """A cap that one campaign keeps beside those of contacting.yaml."""

    counts: Literal["campaign", "all"] = Field(
        default="campaign", description="messages that count: those of this campaign, or of all campaigns"
    )


class Contacting(Rule):
    """What holds over all campaigns."""

    caps: tuple[Cap, ...] = Field(default=(), description="all of them must hold")
    global_holdout: Holdout | None = added(
        None,
        description="people who get nothing from any campaign but those of purpose service; drawn anew, for the next "
        "half-year, by naming another experiment",
    )
    breaks: Breaks | None = added(
        None, description="when a send is stopped because it is too unlike the campaign's last"
    )
    marketplaces: tuple[Code, ...] = added(
        MARKETPLACES,
        description="channels of platforms: a yes in their files counts for nothing, and a contact that was seen there "
        "alone needs a consent of the brand's own",
    )
