"""How often people may be written to, over all campaigns."""

from pydantic import Field

from tasks.policy.base import Code, Rule

MARKETPLACES = ("taobao", "jd", "douyin", "pdd", "kuaishou", "xiaohongshu", "wechat_shop")


class Cap(Rule):
    """At most `most` messages in the last `days`, per person and per contact point."""

    touch_channel: str = Field(default="*", description="channel that is counted; `*` is all together")
    days: int = Field(ge=1, description="length of the rolling window")
    most: int = Field(ge=1, description="messages allowed in it")


class Contacting(Rule):
    """Caps that hold over all campaigns."""

    caps: tuple[Cap, ...] = Field(default=(), description="all of them must hold")
    marketplaces: tuple[Code, ...] = Field(
        default=MARKETPLACES,
        exclude_if=lambda channels: channels == MARKETPLACES,
        description="channels of platforms: a yes in their files counts for nothing, and a contact that was seen there "
        "alone needs a consent of the brand's own",
    )
