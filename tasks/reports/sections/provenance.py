"""What the page was made from, so that it can be made again; and the stored key figures."""

from tasks.reports.data import ReportData
from tasks.reports.numbers import count, money, percent
from tasks.reports.view import Block, Section, Table, row
from tasks.reports.words import Text

WHOLE_IN_POINTS = 10_000


def provenance_section(data: ReportData) -> Section:
    """Dates, digests and versions of the run."""
    facts = data.facts
    known = facts.known_as_of.strftime("%Y-%m-%d %H:%M:%S UTC") if facts.known_as_of else "–"
    rows = (
        row(Text("业务日期", "As of"), str(facts.as_of)),
        row(Text("知识截止", "Known as of"), known),
        row(Text("营业时区", "Business zone"), data.policy.brand.zone),
        row(Text("币种", "Currency"), data.currency),
        row(Text("快照序号", "Snapshot"), str(facts.snapshot_seq)),
        row(Text("规则摘要", "Policy digest"), facts.policy_digest),
        row(Text("代码版本", "Code version"), facts.code_version),
    )
    columns = (Text("项目", "What"), Text("值", "Value"))
    lead = Text(
        "相同的输入、规则与代码得到逐字节相同的页面。本页没有任何个人数据。",
        "The same inputs, policy and code give this page byte for byte. No person's data is on it.",
    )
    origin = Block(table=Table(Text("本页由来", "What this page was made from"), columns, rows, wordy=frozenset({1})))
    return Section("provenance", Text("出处", "Provenance"), lead, (origin, *_metrics(data)))


def _metrics(data: ReportData) -> tuple[Block, ...]:
    """The key figures that the month's run stored, as they are."""
    if data.metrics.is_empty():
        return ()
    rows = tuple(
        row(name, group, _written(name, value, data.currency))
        for name, group, value in data.metrics.sort("metric", "segment_code")
        .select("metric", "segment_code", "value").iter_rows()
    )  # fmt: skip
    columns = (Text("指标", "Metric"), Text("群体", "Group"), Text("值", "Value"))
    table = Table(Text("已存指标", "Stored key figures"), columns, rows, wordy=frozenset({1}))
    return (Block(Text("已存指标", "Stored key figures"), folded=table),)


def _written(name: str, value: int, currency: str) -> str:
    """A value in the unit that the metric's name ends in."""
    if name.endswith("_fen"):
        return money(value, currency)
    return percent(value, WHOLE_IN_POINTS) if name.endswith("_bp") else count(value)
