"""What a send is and what became of it, as tables of the page: counts alone, nobody is named."""

from datetime import timedelta
from typing import Any

import polars as pl

from tasks.policy.campaigns import Campaign
from tasks.policy.models import Policy
from tasks.reports.data import ReportData
from tasks.reports.ledgers import ENDS
from tasks.reports.numbers import count, money, percent
from tasks.reports.view import Table, head, row
from tasks.reports.words import Labels, Text, same

FUNNEL: Labels = {
    "planned": Text("计划", "Planned"),
    "handed_over": Text("已交付供应商", "Handed over"),
    "recalled": Text("已召回", "Recalled"),
    "accepted": Text("供应商已受理", "Accepted"),
    "delivered": Text("已送达", "Delivered"),
    "failed": Text("发送失败", "Failed"),
    "clicked": Text("已点击", "Clicked"),
    "replied": Text("已回复", "Replied"),
    "bought": Text("7 天内购买", "Bought within 7 days"),
}
_CONFIRMED: Labels = {
    "handed_over": Text("已交付，待员工确认", "Handed over, staff must confirm"),
    "waiting": Text("员工尚未确认", "Not confirmed by staff yet"),
}
_ROLES: Labels = {
    "entrusted": Text("受托处理（个保法第 21 条）", "entrusted (PIPL art. 21)"),
    "third_party": Text("对外提供（个保法第 23 条）", "third party (PIPL art. 23)"),
}


def about_table(data: ReportData, send: dict[str, Any]) -> Table | None:
    """Vendor, template, variants, messages, cost, hours and expiry of a send; None for a campaign of no policy."""
    found = [campaign for campaign in data.policy.campaigns if campaign.code == send["campaign"]]
    if not found:
        return None
    members = data.audience_members.filter(pl.col("send_id") == send["send_id"], pl.col("outcome").is_in(ENDS))
    rows = tuple(row(name, value) for name, value in _facts(data, found[0], send, members))
    return Table(Text("这次发送", "This send"), head(("项目", "What"), ("内容", "Value")), rows, wordy=frozenset({1}))


def _facts(
    data: ReportData, campaign: Campaign, send: dict[str, Any], members: pl.DataFrame
) -> list[tuple[Text, Text | str]]:
    vendor = data.policy.vendor(campaign.vendor)
    return [
        (Text("供应商", "Vendor"), Text(vendor.label.zh, vendor.label.en)),
        (Text("法律角色", "Legal role"), _ROLES[vendor.role]),
        (Text("模板", "Template"), campaign.template),
        *((Text(f"方案 {code}", f"Variant {code}"), count(people)) for code, people in _variants(campaign, members)),
        (Text("消息数", "Messages"), count(members.height)),
        _price(data, campaign, send["send_id"], members),
        (Text("可发送时段", "Hours"), _hours(data.policy, campaign)),
        (Text("删除期限", "To be deleted by"), str(send["send_on"] + timedelta(days=campaign.expires_days))),
        (Text("已发布版本", "Revisions"), _revisions(data, send["send_id"])),
    ]


def _price(data: ReportData, campaign: Campaign, send_id: str, members: pl.DataFrame) -> tuple[Text, Text | str]:
    """What the ledger says that its messages cost; before they are handed over, that of one part each."""
    spent = data.spent.filter(pl.col("send_id") == send_id)["price_fen"]
    if spent.len():
        return Text("价格（已交付，按段计）", "Price, by parts as handed over"), money(spent[0], data.currency)
    cost = members.height * campaign.message_cost_fen
    return Text("价格（按一条一段）", "Price (one part each)"), money(cost, data.currency)


def _variants(campaign: Campaign, members: pl.DataFrame) -> list[tuple[str, int]]:
    counts = dict(members.group_by("variant").len().iter_rows())
    return [(one.code, int(counts.get(one.code, 0))) for one in campaign.variants]


def _hours(policy: Policy, campaign: Campaign) -> str:
    """The hours as they are written, vendor before campaign; the usual ones where neither says any."""
    told = [rule.hours for rule in (policy.vendor(campaign.vendor), campaign) if rule.hours is not None]
    return " ∩ ".join(f"{h.opens:%H:%M}–{h.closes:%H:%M}" for h in told) or "09:00–20:00"


def _revisions(data: ReportData, send_id: str) -> str:
    """Rows added and called back by each revision, in order."""
    own = data.deliveries.filter(pl.col("send_id") == send_id).sort("seq")
    changes = (f"+{count(rows)}/−{count(recalled)}" for rows, recalled in own.select("rows", "recalled").iter_rows())
    return ", ".join(changes) or "–"


def funnel_table(data: ReportData, send_id: str) -> Table | None:
    """How far the messages of a send came; None where none was planned."""
    own = data.funnel.filter(pl.col("send_id") == send_id)
    if own.is_empty():
        return None
    counts = own.row(0, named=True)
    names = FUNNEL | (_CONFIRMED if _must_confirm(data, send_id) else {})
    rows = tuple(row(name, count(counts[step]), _share(counts, step)) for step, name in names.items())
    caption = Text(
        "回执漏斗：交付不等于发送，只报总数的供应商停在交付",
        "What came back; handed over is not sent, and sums tell no more",
    )
    columns = head(("阶段", "Step"), ("消息", "Messages"), ("占交付", "Of those handed over"))
    return Table(caption, columns, rows)


def _must_confirm(data: ReportData, send_id: str) -> bool:
    """Whether the vendor of the send's campaign waits for staff; no for a campaign of no policy."""
    codes = set(data.audience_members.filter(pl.col("send_id") == send_id)["campaign"])
    own = (campaign.vendor for campaign in data.policy.campaigns if campaign.code in codes)
    return any(data.policy.vendor(code).confirmed_by_staff for code in own)


def _share(counts: dict[str, Any], step: str) -> Text:
    handed = counts["handed_over"]
    return same(percent(counts[step], handed) if handed and step not in {"planned", "handed_over"} else "")
