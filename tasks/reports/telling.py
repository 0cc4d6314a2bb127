"""An explanation in plain words, Chinese or English: each sentence says a value and the rule behind it."""

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.policy.models import Policy
from tasks.reports.causes import CAUSES
from tasks.reports.numbers import money
from tasks.reports.words import MOVES, Labels, Language, Text, name_of, segment_labels, stage_labels, tier_labels

Told = Mapping[str, Any]
TIER_CAUSES: Labels = {
    "fraud": Text("风控暂停", "suspended for fraud"),
    "manual": Text("人工锁定", "locked by hand"),
    "upgrade": Text("本期升级", "reached in this period"),
    "reinstated": Text("恢复", "reinstated"),
    "base": Text("起始等级", "the tier where everybody starts"),
    "refund": Text("因退款下调", "lowered by a refund"),
    "in_validity": Text("在有效期内", "still valid"),
    "awaiting_review": Text("等待评定", "waiting for its review"),
    "kept": Text("保级成功", "kept at the review"),
    "no_downgrade": Text("不降级", "never lowered"),
    "grace_start": Text("进入宽限期", "in its period of grace from now"),
    "in_grace": Text("宽限期内", "in its period of grace"),
    "downgrade": Text("评定后降级", "lowered at the review"),
}
_NAMES = {"tier": tier_labels, "segment": segment_labels, "stage": stage_labels}
_DIMENSIONS: Labels = {"tier": Text("等级", "tier"), "segment": Text("分群", "segment"), "stage": Text("阶段", "stage")}


def sentences(told: Told, language: Language, policy: Policy) -> list[str]:
    """Tier first, then what is between the customer and the next, scores, segment, stage, tags, moves."""
    parts = (_tier, _keep, _above, _scores, _segment, _stage, _tags, _moves)
    return [text.within(language) for part in parts for text in part(told, policy)]


def _tier(told: Told, policy: Policy) -> Iterator[Text]:
    tier, why = told["tier"], name_of(TIER_CAUSES, told["tier"]["cause"])
    spend, since = money(tier["spend_fen"], policy.brand.currency), tier["since"]
    yield Text(
        f"截至 {told['as_of']}，等级为{tier['zh']}（{why.zh}）{f'，自 {since} 起' if since else ''}；"
        f"近 {tier['window_days']} 天计入等级的净消费 {spend}。",
        f"On {told['as_of']}: tier {tier['en']}, {why.en}{f', since {since}' if since else ''}; "
        f"{spend} of net spend count in the last {tier['window_days']} days.",
    )


def _keep(told: Told, policy: Policy) -> Iterator[Text]:
    tier, currency = told["tier"], policy.brand.currency
    if tier["keep_by"] is None:
        return
    keep, gap = money(tier["keep_fen"], currency), money(tier["keep_gap_fen"], currency)
    if tier["keep_gap_fen"]:
        yield Text(
            f"等级保留至 {tier['keep_by']}；保级需 {keep}，还差 {gap}。",
            f"The tier is safe until {tier['keep_by']}; keeping it asks for {keep}, which is {gap} more.",
        )
    else:
        yield Text(
            f"等级保留至 {tier['keep_by']}；保级需 {keep}，目前已达到。",
            f"The tier is safe until {tier['keep_by']}; keeping it asks for {keep}, which stands.",
        )


def _above(told: Told, policy: Policy) -> Iterator[Text]:
    """Why not the tier above."""
    tier, currency = told["tier"], policy.brand.currency
    if tier["next"] is None:
        yield Text("已是最高等级。", "There is no higher tier.")
    for reason in tier["why_not_above"]:
        match reason["code"]:
            case "spend":
                up, gap = money(tier["next_up_fen"], currency), money(reason["fen"], currency)
                yield Text(
                    f"为何不是{tier['next_zh']}：需 {up}，还差 {gap}。",
                    f"Why not {tier['next_en']}: it asks for {up}, which is {gap} more.",
                )
            case "waits_for_review":
                day = tier["next_review"]
                yield Text(
                    f"消费已达到{tier['next_zh']}，于 {day} 评定时升级。",
                    f"The spend reaches {tier['next_en']}; it is granted at the review of {day}.",
                )
            case "maturing":
                yield Text(
                    f"最近 {reason['days']} 天的订单过了退货期才计入。",
                    f"Orders of the last {reason['days']} days count when they can no longer be sent back.",
                )
            case "locked":
                why = f"({reason['why']})" if reason["why"] else ""
                yield Text(
                    f"等级人工锁定至 {reason['until']}{why}。",
                    f"The tier is locked by hand until {reason['until']} {why}.",
                )
            case _:
                yield Text("风控期间没有等级。", "There is no tier while a fraud flag stands.")


def _scores(told: Told, policy: Policy) -> Iterator[Text]:
    for name, entry in told["scores"].items():
        yield _score(name, entry, policy.brand.currency)


def _score(name: str, entry: Told, currency: str) -> Text:
    letter = name.upper()
    if not entry["score"]:
        return Text(f"{letter}：窗口内无有效订单，不参与评分。", f"{letter}: no qualifying order, not scored.")
    value, least, above = (
        _value(name, entry[key], currency) for key in ("value", "least_value_of_this_score", "value_of_the_next_score")
    )
    bound = Text("至多", "at most") if name == "r" else Text("至少", "at least")
    more = Text(f"；高一分要求{bound.zh} {above.zh}", f"; one score more for {bound.en} {above.en}")
    more = more if entry["value_of_the_next_score"] is not None else Text("", "")
    return Text(
        f"{letter} = {entry['score']}：取值 {value.zh}，该分要求{bound.zh} {least.zh}{more.zh}。",
        f"{letter} = {entry['score']}: the value is {value.en}, this score asks for {bound.en} {least.en}{more.en}.",
    )


def _value(name: str, value: int | None, currency: str) -> Text:
    if name == "m":
        return Text(*[money(value, currency)] * 2)
    return Text(f"{value} 天", f"{value} days") if name == "r" else Text(f"{value} 单", f"{value} orders")


def _segment(told: Told, _: Policy) -> Iterator[Text]:
    segment = told["segment"]
    asked = segment.get("asks_for")
    if not asked:
        yield Text(f"分群：{segment['zh']}。", f"Segment: {segment['en']}.")
        return
    ranges = ", ".join(f"{name.upper()} {low}–{high}" for name, (low, high) in asked.items())
    play = segment["play"]
    yield Text(
        f"分群：{segment['zh']}（{ranges}）{'；' + play['zh'] if play else ''}。",
        f"Segment: {segment['en']} ({ranges}){'; ' + play['en'] if play else ''}.",
    )


def _stage(told: Told, policy: Policy) -> Iterator[Text]:
    stage = told["stage"]
    if stage.get("next") is None:
        yield Text(f"阶段：{stage['zh']}。", f"Stage: {stage['en']}.")
        return
    later = name_of(stage_labels(policy), stage["next"])
    yield Text(
        f"阶段：{stage['zh']}，已 {stage['days_since_order']} 天未下单；"
        f"若无新订单，{stage['next_on']} 起为{later.zh}。",
        f"Stage: {stage['en']}, {stage['days_since_order']} days without an order; "
        f"without a new one it is {later.en} from {stage['next_on']}.",
    )


def _tags(told: Told, _: Policy) -> Iterator[Text]:
    true = [entry for entry in told["tags"] if entry["value"] is True]
    if true:
        yield Text(
            f"标签：{'、'.join(entry['zh'] for entry in true)}。", f"Tags: {', '.join(entry['en'] for entry in true)}."
        )


def _moves(told: Told, policy: Policy) -> Iterator[Text]:
    """Each move with its cause, the newest first."""
    for move in told["moves"]:
        labels = _NAMES[move["dimension"]](policy) | MOVES
        start, end = name_of(labels, move["from_code"]), name_of(labels, move["to_code"])
        what, why = name_of(_DIMENSIONS, move["dimension"]), name_of(CAUSES, move["cause"] or "–")
        yield Text(
            f"{move['as_of']} {what.zh}：{start.zh} → {end.zh}，原因：{why.zh}。",
            f"{move['as_of']}, {what.en}: {start.en} → {end.en}, because of: {why.en.lower()}.",
        )
