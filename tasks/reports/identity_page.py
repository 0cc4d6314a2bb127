"""The identity report as a page: figures in, one self-contained HTML file out. No id and no key is on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tasks.reports import identity_charts as charts
from tasks.reports.drawing import picture
from tasks.reports.identity import IdentityData
from tasks.reports.identity_words import CHANGES, CLASSES, GUARDS, KEY_TYPES, RULES
from tasks.reports.numbers import count, percent
from tasks.reports.page import dress
from tasks.reports.view import Block, Key, Section, Table, Tile, head, row, warned
from tasks.reports.words import Labels, Text, brand_name, name_of, same

TITLE = Text("客户身份报告", "Who is who")
KEYS = tuple(Key(colour, CLASSES[kind]) for kind, colour in charts.COLOURS.items())
Figures = Mapping[str, Any]


def render_identity(data: IdentityData, figures: Figures) -> str:
    """Make the page of one date, in Chinese and English."""
    sections = (
        _sizes(figures), _types(figures), _biggest(data, figures), _bridges(figures), _hubs(figures),
        _refused(figures), _changes(figures), _guards(figures),
    )  # fmt: skip
    return dress(TITLE, str(data.as_of), brand_name(data.policy), data.as_of, _tiles(figures), sections)


def _tiles(figures: Figures) -> tuple[Tile, ...]:
    persons, keys, joined = (figures[name] for name in ("customers", "keys", "joined_customers"))
    largest, limit = figures["largest"], figures["guards"][0]["limit"]
    held, refused, changes = figures["bridges"]["customers"], figures["refused"]["links"], figures["changes"]
    return (
        Tile(Text("客户", "Customers"), same(count(persons)),
             Text(f"由 {count(keys)} 个标识认出。", f"known by {count(keys)} keys.")),
        Tile(Text("跨标识合一", "Known by several keys"), same(percent(joined, persons)),
             Text(f"{count(joined)} 位客户有两个以上标识。", f"{count(joined)} customers have two keys or more.")),
        Tile(Text("最大客户", "The largest"), same(count(largest)),
             Text(f"个标识；超过 {limit} 个则运行失败。", f"keys; a run fails above {limit}.")),
        Tile(Text("靠一个号码相连", "Held by one phone or e-mail"), same(count(held)),
             Text("位客户：没有它就会分成两人。", "customers: without it they would be two.")),
        Tile(Text("被拒的连接", "Links refused"), same(count(refused)),
             Text("证据存在但不可信，已列入冲突。", "there was evidence, but no person can be so.")),
        Tile(Text("客户号变动", "Ids that changed"), same(count(changes["changed_ids"])),
             Text(f"上期共 {count(changes['customers_before'])} 位客户。",
                  f"of {count(changes['customers_before'])} customers at the date before.")),
    )  # fmt: skip


def _sizes(figures: Figures) -> Section:
    rows = [(size["keys"], size["customers"]) for size in figures["sizes"]]
    labels = {size: Text(f"{size} 个标识", f"{size} key" if size == "1" else f"{size} keys") for size, _ in rows}
    lead = Text("每位客户由多少个标识组成。", "How many keys a customer is made of.")
    table = Table(
        Text("标识数", "Keys of a customer"),
        head(("标识数", "Keys"), ("客户", "Customers"), ("占比", "Share"), ("其标识合计", "Keys in all")),
        tuple(
            row(size["keys"], count(size["customers"]), percent(size["customers"], figures["customers"]),
                count(size["keys_held"]))
            for size in figures["sizes"]
        ),
        row(Text("合计", "Total"), count(figures["customers"]), "", ""),
    )  # fmt: skip
    return Section("sizes", Text("客户大小", "Sizes"), lead, _with_bars(rows, labels, "people", lead, table))


def _types(figures: Figures) -> Section:
    rows = [(kind["key_type"], kind["keys"]) for kind in figures["types"]]
    lead = Text(
        "每种标识的数量，以及其中与别的标识相连的比例。",
        "How many keys of each type there are, and how many of them are joined to another.",
    )
    table = Table(
        Text("标识类型", "Types of keys"),
        head(("类型", "Type"), ("效力", "Proves"), ("标识", "Keys"), ("客户", "Customers"), ("已相连", "Joined")),
        tuple(
            row(name_of(KEY_TYPES, kind["key_type"]), name_of(CLASSES, kind["key_class"]), count(kind["keys"]),
                count(kind["customers"]), percent(kind["joined_keys"], kind["keys"]))
            for kind in figures["types"]
        ),
        wordy=frozenset({1}),
    )  # fmt: skip
    return Section("types", Text("标识类型", "Types of keys"), lead, _with_bars(rows, KEY_TYPES, "people", lead, table))


def _with_bars(
    rows: Sequence[tuple[str, int]], labels: Labels, colour: str, said: Text, table: Table
) -> tuple[Block, ...]:
    """A picture with the table beside it; nothing where there are no rows."""
    if not rows:
        return ()
    return (Block(picture=picture(lambda language: charts.bars(rows, labels, colour, language), said), table=table),)


def _biggest(data: IdentityData, figures: Figures) -> Section:
    title = Text("最大的客户", "The largest customers")
    lead = Text(
        "标识最多的客户及其构成；连线表示同现于一条记录。编号见 strata identity report 的终端输出。",
        "Those with most keys, and what they are made of; a line is a record with both keys. "
        "`strata identity report` prints their ids in the terminal.",
    )
    if not figures["biggest"]:
        return Section("largest", title, Text("没有由多个标识组成的客户。", "No customer has several keys."))
    persons = _drawn(data, [person["one_id"] for person in figures["biggest"]])
    said = Text("三位标识最多的客户的标识与连接。", "Keys and ties of the three customers with most keys.")
    drawn = picture(lambda language: charts.graphs(persons, KEY_TYPES, language), said, KEYS, is_wide=True)
    table = Table(
        Text("构成", "What they are made of"), head(("名次", "Rank"), ("标识", "Keys"), ("构成", "Made of")),
        tuple(row(str(nth + 1), count(person["keys"]), _made_of(person["made_of"]))
              for nth, person in enumerate(figures["biggest"])),
        wordy=frozenset({2}),
    )  # fmt: skip
    return Section("largest", title, lead, (Block(picture=drawn, table=table),))


def _made_of(kinds: Sequence[Mapping[str, Any]]) -> Text:
    names = [(name_of(KEY_TYPES, kind["key_type"]), count(kind["count"])) for kind in kinds]
    return Text("、".join(f"{name.zh} {n}" for name, n in names), ", ".join(f"{n} {name.en}" for name, n in names))


def _drawn(data: IdentityData, one_ids: Sequence[str]) -> list[charts.Person]:
    """The first of these persons, ready to draw."""
    chosen = pl.LazyFrame({"one_id": one_ids[: charts.ACROSS]})
    known = data.identities.join(chosen, on="one_id", how="semi").unique(["one_id", "key"])
    keys = known.sort("key_type", "key").select("one_id", "key", "key_type", "key_class").collect()
    ties = data.ties.join(chosen, on="one_id", how="semi").collect()
    return [
        _person(keys.filter(one_id=one_id), ties.filter(one_id=one_id)) for one_id in one_ids[: charts.ACROSS]
    ]  # fmt: skip


def _person(keys: pl.DataFrame, ties: pl.DataFrame) -> charts.Person:
    at = {key: position for position, key in enumerate(keys["key"])}
    sets = ties.group_by("tie").agg(pl.col("key"))["key"]
    pairs = charts.pairs_of([[at[key] for key in tie if key in at] for tie in sets])
    return charts.Person(tuple(keys["key_type"]), tuple(keys["key_class"]), pairs)


def _bridges(figures: Figures) -> Section:
    found = figures["bridges"]
    rows = [(kind["key_type"], kind["customers"]) for kind in found["by_type"]]
    lead = Text(
        "仅靠一个手机号或邮箱相连的客户。号码若易主或输错，他们就是两个人。",
        "Customers whose strong keys hang together by one phone or e-mail alone. If it was mistyped or changed hands, "
        "they are two persons.",
    )
    table = Table(
        Text("两侧强标识最多的", "Those with most strong keys on both sides"),
        head(("连接标识", "Bridge"), ("小侧", "Smaller side"), ("大侧", "Larger side")),
        tuple(row(name_of(KEY_TYPES, one["key_type"]), count(one["smaller"]), count(one["larger"]))
              for one in found["widest"]),
    )  # fmt: skip
    return Section("bridges", Text("桥", "Bridges"), lead, _with_bars(rows, KEY_TYPES, "spend", lead, table))


def _hubs(figures: Figures) -> Section:
    hubs = figures["hubs"]
    lead = Text(
        f"指向太多人的标识（门店电话、店员手机、热线）：{count(len(hubs))} 个。它们不连接任何人，也不属于任何人。",
        f"Keys that tell of too many, such as a shop's phone, a clerk's or a hotline: {count(len(hubs))}. They link "
        "nobody and belong to nobody.",
    )
    rows = [(str(nth + 1), hub["links"]) for nth, hub in enumerate(hubs[:10])]
    names = {str(nth + 1): _numbered(nth + 1, hub["key"]) for nth, hub in enumerate(hubs[:10])}
    table = Table(
        Text("拒绝连接最多的", "Those that would have linked most"),
        head(("标识", "Key"), ("被拒的连接", "Links refused"), ("依据", "Because of")),
        tuple(row(names[code], count(hub["links"]), str(hub["evidence"]))
              for code, hub in zip(names, hubs, strict=False)),
        wordy=frozenset({2}),
    )  # fmt: skip
    return Section("hubs", Text("公共号码", "Hubs"), lead, _with_bars(rows, names, "loss", lead, table))


def _numbered(nth: int, key: str) -> Text:
    """A hub by its type and rank; its pseudonym stays in the terminal."""
    kind = name_of(KEY_TYPES, key.partition(":")[0])
    return Text(f"{kind.zh} {nth}", f"{kind.en} {nth}")


def _refused(figures: Figures) -> Section:
    refused = figures["refused"]["by_rule"]
    rows = [(str(nth), kind["links"]) for nth, kind in enumerate(refused)]
    names = {str(nth): _rule(kind) for nth, kind in enumerate(refused)}
    lead = Text(
        "有证据但被规则拒绝的连接：接受它们，一个人就会有两张会员卡，或两位被声明为不同的人会合为一人。",
        "Links with evidence that a rule refused: with them, one person would have two cards of one programme, or two "
        "who were declared different would be one.",
    )
    table = Table(
        Text("按规则", "By rule"), head(("规则", "Rule"), ("依据", "Because of"), ("连接", "Links")),
        tuple(row(name_of(RULES, kind["rule"]), str(kind["evidence"]), count(kind["links"])) for kind in refused),
        row(Text("合计", "Total"), "", count(figures["refused"]["links"])),
        wordy=frozenset({1}),
    )  # fmt: skip
    return Section("refused", Text("被拒的连接", "Refused links"), lead, _with_bars(rows, names, "loss", lead, table))


def _rule(kind: Mapping[str, Any]) -> Text:
    """A cap by what it caps; any other refusal by its rule. The table has both."""
    return same(kind["evidence"]) if kind["rule"] == "cap" and kind["evidence"] else name_of(RULES, kind["rule"])


def _changes(figures: Figures) -> Section:
    title, changes = Text("与上期相比", "Since the date before"), figures["changes"]
    if figures["previous_as_of"] is None:
        return Section("changes", title, Text("首期，没有可比的上期。", "The first date: there is none to compare."))
    lead = Text(
        f"自 {figures['previous_as_of']} 以来，标识在客户号之间的移动。旧客户号永远查得到。",
        f"Keys that moved between customer ids since {figures['previous_as_of']}. Old ids can be looked up for ever.",
    )
    rows = [(kind["change"], kind["old_ids"]) for kind in changes["by_kind"]]
    table = Table(
        Text("按去向", "By what became of them"),
        head(("变动", "Change"), ("旧客户号", "Old ids"), ("新客户号", "New ids"), ("标识", "Keys")),
        tuple(row(name_of(CHANGES, kind["change"]), count(kind["old_ids"]), count(kind["new_ids"]),
                  count(kind["keys"])) for kind in changes["by_kind"]),
    )  # fmt: skip
    return Section("changes", title, lead, _with_bars(rows, CHANGES, "people", lead, table))


def _guards(figures: Figures) -> Section:
    lead = Text("超过任何一条，运行即失败，结果不发布。", "A run that passes one of these fails and publishes nothing.")
    broken = [guard for guard in figures["guards"] if not guard["is_kept"]]
    table = Table(
        Text("护栏", "Guards"), head(("护栏", "Guard"), ("实际", "Found"), ("上限", "Limit"), ("", "")),
        tuple(row(name_of(GUARDS, guard["guard"]), guard["found"], guard["limit"], "✓" if guard["is_kept"] else "✗")
              for guard in figures["guards"]),
    )  # fmt: skip
    warnings = warned((bool(broken), Text("本期超过护栏。", "This date is beyond a guard.")))
    return Section("guards", Text("护栏", "Guards"), lead, (Block(table=table, warnings=warnings),))
