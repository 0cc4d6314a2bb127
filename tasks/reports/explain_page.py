"""One customer's explanation as a page: the sentences first, then what they rest on. Pseudonyms alone, no contact."""

from collections.abc import Mapping, Sequence
from typing import Any

from expectations.vocabulary import VOCABULARY
from tasks.policy.models import Policy
from tasks.reports.causes import CAUSES
from tasks.reports.numbers import money
from tasks.reports.page import dress
from tasks.reports.telling import sentences
from tasks.reports.view import Block, Section, Table, Tile, head, row
from tasks.reports.words import (
    MOVES,
    Text,
    brand_name,
    name_of,
    same,
    segment_labels,
    stage_labels,
    tier_labels,
)

TITLE = Text("客户说明", "One customer, explained")
_NAMES = {"tier": tier_labels, "segment": segment_labels, "stage": stage_labels}
Told = Mapping[str, Any]


def render_explanation(told: Told, policy: Policy) -> str:
    """Make the page in Chinese and English; it loads nothing from anywhere."""
    sections = (_why(told, policy), _scores(told, policy), _tags(told), _moves(told, policy), _facts(told, policy))
    return dress(TITLE, str(told["one_id"]), brand_name(policy), told["as_of"], _tiles(told, policy), sections)


def _tiles(told: Told, policy: Policy) -> tuple[Tile, ...]:
    tier, segment, stage = told["tier"], told["segment"], told["stage"]
    spend = money(tier["spend_fen"], policy.brand.currency)
    cell = "".join(str(told["scores"][name]["score"]) for name in "rfm")
    return (
        Tile(Text("等级", "Tier"), _label(tier), Text(f"计入净消费 {spend}。", f"{spend} of net spend count.")),
        Tile(Text("分群", "Segment"), _label(segment), Text("按 R、F、M 得分。", "from the scores R, F and M.")),
        Tile(Text("得分", "Scores"), same(cell), Text("依次为 R、F、M。", "R, F and M in this order.")),
        Tile(Text("阶段", "Stage"), _label(stage), Text("按未下单天数。", "from the days without an order.")),
    )


def _label(entry: Told) -> Text:
    return Text(str(entry["zh"]), str(entry["en"]))


def _why(told: Told, policy: Policy) -> Section:
    both = zip(sentences(told, "zh", policy), sentences(told, "en", policy), strict=True)
    block = Block(lines=tuple(Text(zh, en) for zh, en in both))
    return Section(
        "why", Text("为什么", "Why"), Text("每句话都写明取值与规则。", "Each value with its rule."), (block,)
    )


def _scores(told: Told, policy: Policy) -> Section:
    rows = tuple(_score(name, entry, policy.brand.currency) for name, entry in told["scores"].items())
    columns = head(
        ("维度", "Dimension"), ("取值", "Value"), ("得分", "Score"), ("该分要求", "Asks for"), ("高一分", "Next")
    )
    table = Table(Text("得分与分数线", "Scores and cut-offs"), columns, rows)
    lead = Text("取值、该分与高一分的门槛。", "The value, and what this score and the next ask for.")
    return Section("scores", Text("得分", "Scores"), lead, (Block(table=table),))


def _score(name: str, entry: Told, currency: str) -> tuple[Text, ...]:
    value, least, above = (
        _measured(name, entry[key], currency)
        for key in ("value", "least_value_of_this_score", "value_of_the_next_score")
    )
    return row(name.upper(), value, _shown(entry["score"]), least, above)


def _measured(name: str, value: int | None, currency: str) -> Text:
    """A score's measure with its unit: days, orders or money."""
    if value is None:
        return same("–")
    if name == "m":
        return same(money(value, currency))
    return Text(f"{value} 天", f"{value} days") if name == "r" else Text(f"{value} 单", f"{value} orders")


def _tags(told: Told) -> Section:
    """Tags that say something of the customer, then on demand the others."""
    says = [entry for entry in told["tags"] if entry["value"] not in (None, False)]
    others = [entry for entry in told["tags"] if entry["value"] in (None, False)]
    block = Block(
        table=_tag_table(Text("已有的标签", "Tags that are set"), says),
        folded=_tag_table(Text(f"其余 {len(others)} 个标签为何没有", f"Why the other {len(others)} are not"), others),
    )
    return Section("tags", Text("标签", "Tags"), Text("每个标签看到了什么。", "What each rule saw."), (block,))


def _tag_table(caption: Text, entries: Sequence[Told]) -> Table:
    columns = head(("标签", "Tag"), ("值", "Value"), ("规则", "Rule"), ("依据", "Evidence"))
    rows = tuple(
        row(_label(entry), _shown(entry["value"]), entry["rule"], _evidence(entry["saw"])) for entry in entries
    )
    return Table(caption, columns, rows, wordy=frozenset({1, 2, 3}))


def _moves(told: Told, policy: Policy) -> Section:
    rows = tuple(_move(move, policy) for move in told["moves"])
    columns = head(("日期", "Date"), ("原", "From"), ("现", "To"), ("原因", "Cause"), ("经过", "On the way"))
    table = Table(Text("变动", "Moves"), columns, rows, wordy=frozenset({1, 2, 3, 4}))
    lead = Text("最近的变动与原因。", "The last moves, each with its cause.")
    return Section("moves", Text("变动", "Moves"), lead, (Block(table=table),) if rows else ())


def _move(move: Told, policy: Policy) -> tuple[Text, ...]:
    labels = _NAMES[move["dimension"]](policy) | MOVES
    return row(
        str(move["as_of"]), name_of(labels, move["from_code"]), name_of(labels, move["to_code"]),
        name_of(CAUSES, move["cause"] or "–"), move["label_path"] or "–",
    )  # fmt: skip


def _facts(told: Told, policy: Policy) -> Section:
    rows = tuple(row(name, _fact(name, value, policy.brand.currency)) for name, value in told["facts"].items())
    table = Table(Text("事实", "Facts"), head(("列", "Column"), ("值", "Value")), rows)
    lead = Text("一切由此得出；列见数据字典。", "What everything rests on; the columns are those of the dictionary.")
    return Section("facts", Text("事实", "Facts"), lead, (Block(table=table),))


def _fact(name: str, value: Any, currency: str) -> str:
    return money(value, currency) if VOCABULARY[name].unit == "fen" and value is not None else _shown(value)


def _evidence(saw: Told) -> str:
    return ", ".join(f"{name} = {_shown(value)}" for name, value in saw.items())


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)
