"""The month in a handful of figures, each in plain words."""

import polars as pl

from tasks.reports.data import ReportData
from tasks.reports.figures import FIFTH, pareto_curve, scored_base, sum_of
from tasks.reports.ledgers import revenue_months
from tasks.reports.moves import climbs, move_matrix
from tasks.reports.numbers import NOTHING, count, percent, short_money, signed
from tasks.reports.view import Tile
from tasks.reports.words import Text, same, tier_labels

LEAVING = ("at_risk", "silent")


def headline(data: ReportData) -> tuple[Tile, ...]:
    """The tiles at the top of the page."""
    return (_customers(data), _revenue(data), _fifth(data), _leaving(data), _tiers(data), _delivered(data))


def _customers(data: ReportData) -> Tile:
    everyone, buyers = data.customers.height, scored_base(data.customers).height
    days = data.policy.rfm.window_days
    change = _change(everyone - data.previous.height) if data.facts.previous_as_of else Text("", "")
    return Tile(
        Text("客户", "Customers"),
        same(count(everyone)),
        Text(
            f"其中 {count(buyers)} 人近 {days} 天内有购买。{change.zh}",
            f"{count(buyers)} of them bought in the last {days} days. {change.en}",
        ),
    )


def _change(number: int) -> Text:
    return Text(f"较上月 {signed(number)} 人。", f"{signed(number)} on the month before.")


def _revenue(data: ReportData) -> Tile:
    months = revenue_months(data.revenue, last=data.month)
    this = months.filter(pl.col("paid_month") == data.month)
    orders = count(sum_of(this, "orders"))
    net, known = sum_of(this, "net_fen"), sum_of(this, "identified_fen")
    share = percent(known, net)
    return Tile(
        Text("本月净收入", "Net revenue this month"),
        short_money(net, data.currency),
        Text(
            f"{orders} 笔订单，其中 {share} 的金额能归到具体客户。",
            f"{orders} orders; {share} of the money belongs to known customers.",
        )
        if not this.is_empty()
        else Text("本月没有已支付的订单。", "No order was paid this month."),
    )


def _fifth(data: ReportData) -> Tile:
    curve = pareto_curve(data.customers)
    top, whole = curve.row(FIFTH, named=True), curve["monetary_fen"][-1]
    return Tile(
        Text("头部 20% 客户贡献", "The top 20% bring"),
        same(percent(top["monetary_fen"], whole)),
        Text(
            f"消费最高的 {count(top['customers'])} 人在窗口期消费中的占比。",
            f"of the window's spend: the best {count(top['customers'])} customers.",
        )
        if whole
        else Text("窗口期内没有消费。", "Nobody spent anything in the window."),
    )


def _leaving(data: ReportData) -> Tile:
    known = data.customers.filter(pl.col("stage").is_in(LEAVING))
    days = data.policy.lifecycle.active_days
    money = short_money(sum_of(known, "monetary_fen"), data.currency)
    return Tile(
        Text("正在远离", "Slipping away"),
        same(count(known.height)),
        Text(
            f"预警与沉默客户：超过 {days} 天未下单；他们在窗口期共消费 {money.zh}。",
            f"at risk or silent: over {days} days without an order; they spent {money.en} in the window.",
        ),
    )


def _tiers(data: ReportData) -> Tile:
    labels = tier_labels(data.policy)
    matrix = move_matrix(data.migrations, "tier", labels)
    title = Text("等级升 / 降", "Tiers: up / down")
    if matrix.is_empty():
        return Tile(title, same(NOTHING), Text("首月，没有可比的上月。", "The first month: there is none to compare."))
    rose, fell = (count(number) for number in climbs(matrix, list(labels)))
    words = Text(f"{rose} 人升级，{fell} 人降级。", f"{rose} rose a tier or more, {fell} fell.")
    return Tile(title, same(f"{rose} / {fell}"), words)


def _delivered(data: ReportData) -> Tile:
    members = data.audience_members
    reached = members.filter(pl.col("outcome") == "delivered").height
    sends = members["send_id"].n_unique()
    return Tile(
        Text("已交付触达", "Messages delivered"),
        same(count(reached)),
        Text(f"{count(sends)} 次活动的人群包。", f"in the audience files of {count(sends)} sends.")
        if sends
        else Text("本月没有活动。", "No campaign ran this month."),
    )
