"""Where the numbers come from, added up: files, refused rows, and how much of the revenue has a customer."""

import polars as pl

from tasks.reports import charts
from tasks.reports.data import ReportData
from tasks.reports.drawing import picture
from tasks.reports.figures import sum_of
from tasks.reports.ledgers import file_accounts, revenue_months
from tasks.reports.numbers import count, money, percent, whole_money
from tasks.reports.view import Block, Key, Section, Table, head, row, warned, without_none
from tasks.reports.words import Text

REVENUE_KEYS = (
    Key("people", Text("可识别客户", "Known customers")),
    Key("anonymous", Text("匿名订单", "Anonymous orders")),
)
REFUSED = Text("拒收", "refused")
PARTS = ("read", "accepted", "duplicate", "quarantined")


def revenue_section(data: ReportData) -> Section:
    """Net revenue by month, and the share of it that belongs to known customers."""
    months = revenue_months(data.revenue, last=data.month)
    title = Text("收入与识别率", "Revenue and how much of it is identified")
    if months.is_empty():
        return Section("revenue", title, Text("还没有已支付的订单。", "No order has been paid yet."))
    drawn = picture(
        lambda language: charts.revenue_columns(months, data.currency, language),
        _months_in_words(months, data.currency),
        REVENUE_KEYS,
    )
    lead = Text(
        "净收入 = 实付 − 退款。匿名订单计入金额，但不属于任何客户。",
        "Net revenue is paid less refunded. Anonymous orders count as money but belong to no customer.",
    )
    block = Block(picture=drawn, table=_month_table(months, data.currency))
    return Section("revenue", title, lead, (block,))


def _month_table(months: pl.DataFrame, currency: str) -> Table:
    rows = tuple(
        row(
            month["paid_month"], count(month["orders"]), whole_money(month["net_fen"], currency),
            whole_money(month["anonymous_fen"], currency), percent(month["identified_fen"], month["net_fen"]),
        )
        for month in months.iter_rows(named=True)
    )  # fmt: skip
    columns = head(("月份", "Month"), ("订单", "Orders"), ("净收入", "Net revenue"), ("其中匿名", "Anonymous"),
                   ("识别率", "Identified"))  # fmt: skip
    return Table(Text("各月净收入", "Net revenue by month"), columns, rows)


def _months_in_words(months: pl.DataFrame, currency: str) -> Text:
    said = [(m["paid_month"], whole_money(m["net_fen"], currency)) for m in months.iter_rows(named=True)]
    return Text(
        "柱状图：" + "，".join(f"{month} 净收入 {net}" for month, net in said) + "。",
        "Columns: " + ", ".join(f"{month} {net}" for month, net in said) + ".",
    )


def account_section(data: ReportData) -> Section:
    """Files: read = accepted + duplicate + quarantined, in rows and in money."""
    accounts = file_accounts(data.files)
    lead = Text(
        "每个文件：读入 = 接受 + 重复 + 隔离，行数与金额都必须相等。",
        "Every file: read = accepted + duplicate + quarantined, in rows and in money.",
    )
    if accounts.is_empty():
        return Section("accounts", _TITLE, Text("还没有收到文件。", "No file has been received yet."))
    unreadable = sum_of(accounts, "money_unreadable")
    warnings = warned((
        not accounts["is_balanced"].all(), Text("有文件对不上账。", "There are files that do not add up."),
    ), (
        unreadable > 0,
        Text(f"有 {count(unreadable)} 行金额无法读取，按 0 计。",
             f"The money of {count(unreadable)} rows could not be read and counts as 0."),
    ))  # fmt: skip
    blocks = without_none((
        Block(table=_account_table(accounts, "rows", "", data.currency), warnings=warnings),
        Block(table=_account_table(accounts, "money", "_fen", data.currency)),
        _refusals(data),
    ))  # fmt: skip
    return Section("accounts", _TITLE, lead, blocks)


_TITLE = Text("数据对账", "Row accounting")


def _account_table(accounts: pl.DataFrame, what: str, unit: str, currency: str) -> Table:
    names = [f"{what}_{part}{unit}" for part in PARTS]
    rows = tuple(
        row(
            _source(line), count(line["files"]), *(_amount(line[name], unit, currency) for name in names),
            "✓" if line["is_balanced"] else "✗",
        )
        for line in accounts.iter_rows(named=True)
    )  # fmt: skip
    sums = [_amount(sum_of(accounts, name), unit, currency) for name in names]
    balanced = "✓" if accounts["is_balanced"].all() else "✗"
    total = row(Text("合计", "Total"), count(sum_of(accounts, "files")), *sums, balanced)
    columns = head(("来源", "Source"), ("文件", "Files"), ("读入", "Read"), ("接受", "Accepted"),
                   ("重复", "Duplicate"), ("隔离", "Quarantined"), ("平衡", "Adds up"))  # fmt: skip
    caption = Text("按来源的行数", "Rows by source") if what == "rows" else Text("按来源的金额", "Money by source")
    return Table(caption, columns, rows, total)


def _source(line: dict[str, object]) -> Text:
    """Channel and layout; file names stay out, for a shop may write anything into them."""
    layout = line["layout"] or "?"
    name = f"{line['channel']} · {layout}"
    is_refused = line["outcome"] == "refused"
    return Text(f"{name}（{REFUSED.zh}）", f"{name} ({REFUSED.en})") if is_refused else Text(name, name)


def _amount(number: int, unit: str, currency: str) -> str:
    return money(number, currency) if unit else count(number)


def _refusals(data: ReportData) -> Block | None:
    if data.refusals.is_empty():
        return None
    rows = tuple(
        row(rule, count(number), money(fen, data.currency))
        for rule, number, fen in data.refusals.sort("rows", "rule", descending=[True, False]).iter_rows()
    )
    columns = head(("规则", "Rule"), ("行数", "Rows"), ("金额", "Money"))
    note = Text("同一行违反几条规则，就在几处计数。", "A row that broke two rules counts under both.")
    title = Text("被隔离的行", "Quarantined rows")
    return Block(title, note, table=Table(Text("按规则", "By rule"), columns, rows))
