"""What became of the base in each campaign: every reason, and who was delivered."""

from typing import Any

import polars as pl

from tasks.reports import charts
from tasks.reports.data import ReportData
from tasks.reports.drawing import picture
from tasks.reports.ledgers import Step, is_published_as, outcome_counts, published_account, waterfall
from tasks.reports.numbers import count, percent
from tasks.reports.reasons import ORDER, OUTCOMES
from tasks.reports.sections.sends import about_table, funnel_table
from tasks.reports.view import Block, Section, Table, row, warned
from tasks.reports.words import Text, campaign_labels, name_of


def campaign_section(data: ReportData) -> Section:
    """One waterfall per send; base = delivered + each reason."""
    counts = outcome_counts(data.audience_members)
    sends = counts.partition_by("send_id", maintain_order=True)
    lead = Text(
        "客户总数逐项减去未触达的原因，等于交付人数，一人不多、一人不少。",
        "From all customers, reason by reason, down to those delivered: nobody is missing and nobody counts twice.",
    )
    none = Text("本月没有活动。", "No campaign ran this month.")
    return Section("campaigns", Text("活动人群", "Campaign audiences"), lead if sends else none,
                   tuple(block for send in sends for block in _blocks(data, send)))  # fmt: skip


def _blocks(data: ReportData, send: pl.DataFrame) -> tuple[Block, ...]:
    """The account of one send, what it is, and what came back."""
    first = send.row(0, named=True)
    tables = (about_table(data, first), funnel_table(data, first["send_id"]))
    return (_block(data, send), *(Block(table=table) for table in tables if table is not None))


def _block(data: ReportData, send: pl.DataFrame) -> Block:
    first = send.row(0, named=True)
    outcomes = dict(send.select("outcome", "customers").iter_rows())
    steps = waterfall(outcomes, ORDER)
    shown, skipped = _in_view(steps)
    name = name_of(campaign_labels(data.policy), first["campaign"])
    title = Text(f"{name.zh} · {first['send_on']}", f"{name.en} · {first['send_on']}")
    drawn = picture(
        lambda language: charts.waterfall_bars(shown, OUTCOMES, language),
        _in_words(title, steps),
    )
    return Block(title, _skipped(skipped), drawn, _table(steps), _doubts(data, first, outcomes))


def _in_view(steps: list[Step]) -> tuple[list[Step], list[Step]]:
    """Leave out leading reasons that take more than half of the base: they would hide all the others."""
    base, rest = steps[0], steps[1:]
    skipped = []
    while len(rest) > 1 and rest[0].end and 2 * rest[0].customers > base.customers:
        skipped.append(rest[0])
        base, rest = Step("base", "considered", rest[0].end, rest[0].end, 0), rest[1:]
    return [base, *rest], skipped


def _skipped(steps: list[Step]) -> Text | None:
    if not steps:
        return None
    zh = "、".join(f"{name_of(OUTCOMES, step.code).zh} {count(step.customers)} 人" for step in steps)
    en = ", ".join(f"{name_of(OUTCOMES, step.code).en} ({count(step.customers)})" for step in steps)
    return Text(f"图中从符合条件的人开始；此前已减去：{zh}。", f"The picture begins after: {en}.")


def _in_words(title: Text, steps: list[Step]) -> Text:
    zh = "，".join(f"{name_of(OUTCOMES, step.code).zh} {count(step.customers)}" for step in steps)
    en = ", ".join(f"{name_of(OUTCOMES, step.code).en} {count(step.customers)}" for step in steps)
    return Text(f"人群瀑布图，{title.zh}：{zh}。", f"Audience waterfall, {title.en}: {en}.")


def _table(steps: list[Step]) -> Table:
    base = steps[0].customers
    rows = tuple(
        row(
            name_of(OUTCOMES, step.code), count(-step.customers if step.kind == "reason" else step.customers),
            percent(step.customers, base), count(step.end) if step.kind == "reason" else "",
        )
        for step in steps
    )  # fmt: skip
    total = row(
        Text("合计（交付 + 各原因）", "Sum of all outcomes"),
        count(sum(s.customers for s in steps[1:])),
        percent(base, base),
        "",
    )
    columns = (Text("去向", "What became of them"), Text("人数", "Customers"), Text("占总数", "Of all"),
               Text("剩余", "Left"))  # fmt: skip
    return Table(Text("逐项对账", "The account"), columns, rows, total)


def _doubts(data: ReportData, send: dict[str, Any], outcomes: dict[str, int]) -> tuple[Text, ...]:
    """Say when people are missing, when nothing was published, or when what was published counts otherwise."""
    stored = published_account(data.deliveries, send["send_id"])
    base = sum(outcomes.values())
    return warned(
        (
            base != data.customers.height and not _is_triggered(data, send["campaign"]),
            Text(
                f"活动考虑了 {count(base)} 人，而本月有 {count(data.customers.height)} 位客户。",
                f"{count(base)} customers were considered, but the month has {count(data.customers.height)}.",
            ),
        ),
        (stored is None, Text("没有发布任何文件（演练或尚未交付）。", "Nothing was published: a dry run, or not yet.")),
        (
            stored is not None and not is_published_as(outcomes, stored),
            Text("与已发布清单中的人数不一致。", "The published manifest counts other people than this."),
        ),
    )


def _is_triggered(data: ReportData, code: str) -> bool:
    """Whether persons set the campaign off by what they did: only they are considered then."""
    return any(campaign.code == code and campaign.trigger is not None for campaign in data.policy.campaigns)
