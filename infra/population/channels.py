"""What people did, channel by channel: records, and the keys that each record shows."""

import polars as pl

from infra.exports.draw import draw
from infra.population.people import PHONES, WHO, happens
from infra.population.shares import DAY, SPAN, Shares
from infra.population.tills import NOBODY, STRANGE, agent_of, clerks, is_through_agent, typed
from infra.population.world import ROOM, Kind, Slot, World


def kinds(people: pl.DataFrame, everybody: int, shares: Shares, seed: str) -> list[Kind]:
    """Every record of these people; `everybody` is the size of the whole population."""
    world = World(people, everybody, shares, seed)
    return [*_taobao(world), *_wxmini(world), *_pos(world), *_wecom(world), *_web(world), *_jd(world), _list(world)]


def _taobao(world: World) -> list[Kind]:
    accounts = world.accounts("taobao", world.shares.second_account)
    by_api = happens(f"{world.seed}/api", world.shares.api, "unit")
    account = (Slot("nick", "taobao", pl.col("unit")), Slot("ouid", "tmall_main", pl.col("unit"), where=by_api))
    bound = accounts.filter("taobao_bound").with_columns(at=pl.min_horizontal(pl.col("at") + DAY, SPAN - 1))
    return [
        Kind("order", "taobao", 3, world.repeats(accounts, "taobao"), account),
        Kind("bind", "taobao", 1, bound, (*account, world.phone_slot(), _card())),
    ]


def _card() -> Slot:
    """The programme opens one card for a phone; a second account on another phone shows none."""
    return Slot("member", "club", pl.col(WHO) * 2, where=pl.col("has_card") & (pl.col("account") == 0))


def _wxmini(world: World) -> list[Kind]:
    accounts = world.accounts("wxmini", world.shares.second_account)
    visits = world.repeats(accounts, "wxmini")
    is_order = world.share("mini order", world.shares.mini_order)
    allowed = visits.filter(pl.col("wxmini_phone"))
    openid, unionid = (Slot(name, scope, pl.col("unit")) for name, scope in (("openid", "wx_mini"), ("unionid", "wx")))
    stranger = Slot("phone", "", PHONES * draw(f"{world.seed}/receiver", world.everybody, "row"), role="contact",
                    where=pl.col(WHO) % world.shares.agent_every == 0)  # fmt: skip
    return [
        Kind("login", "wxmini", 2, visits.filter(~is_order | (pl.col("nth") == 0)), (openid, unionid)),
        Kind("bind", "wxmini", 1, accounts.filter(pl.col("wxmini_phone")), (openid, world.phone_slot(), _card())),
        Kind("order", "wxmini", 3, allowed.filter(is_order), (openid, world.phone_slot(), stranger)),
    ]


def _pos(world: World) -> list[Kind]:
    accounts, shares = world.accounts("pos", world.shares.second_card), world.shares
    card, phone = Slot("member", "club", pl.col("unit")), typed(world)
    orders, is_shown = world.repeats(accounts, "pos"), world.share("card shown", shares.card_shown)
    also = phone._replace(where=world.share("typed", shares.phone_beside_card))
    return [
        Kind("member", "pos", 2, accounts.filter(~is_through_agent(world)), (card, phone)),
        Kind("member", "pos", 2, accounts.filter(is_through_agent(world)), (card, agent_of(world))),
        Kind("order", "pos", 3, orders.filter(is_shown), (card, also)),
        Kind("order", "pos", 3, orders.filter(~is_shown), (phone,)),
    ]


def _wecom(world: World) -> list[Kind]:
    accounts = world.accounts("wecom", 0)
    union = pl.col("has_wxmini") & happens(f"{world.seed}/union", world.shares.unionid_known)
    noted = Slot(
        "phone", "", world.phone(), world.phone_owner(), world.share("noted", world.shares.noted), role="contact"
    )
    keys = (Slot("external_userid", "corp", pl.col("unit")), Slot("unionid", "wx", pl.col("unit"), where=union), noted)
    return [Kind("follow", "wecom", 2, accounts, keys)]


def _web(world: World) -> list[Kind]:
    accounts, orders = world.accounts("web", 0), world.repeats(world.accounts("web", 0), "web")
    email, number = Slot("email", "", pl.col(WHO)), Slot("shopify_customer", "web", pl.col("unit"))
    gives = happens(f"{world.seed}/web phone", world.shares.web_phone, "unit")
    ordered = world.phone_slot(gives & world.share("web order", world.shares.phone_on_order))
    return [
        Kind("account", "web", 2, accounts, (number, email, world.phone_slot(gives))),
        Kind("order", "web", 3, orders, (email, ordered)),
    ]


def _jd(world: World) -> list[Kind]:
    accounts = world.accounts("jd", 0)
    pin = Slot("jd_pin", "jd", pl.col("unit"))
    return [
        Kind("order", "jd", 3, world.repeats(accounts, "jd"), (pin,)),
        Kind("bind", "jd", 1, accounts.filter("jd_bound"), (pin, world.phone_slot(), _card())),
    ]


def _list(world: World) -> Kind:
    """A list from an older system: card and phone, in some rows the hotline."""
    hotline = world.share("hotline", world.shares.hotline)
    phone = pl.when(hotline).then(3 * STRANGE).otherwise(world.phone())
    owner = pl.when(hotline).then(NOBODY - clerks(world.everybody)).otherwise(world.phone_owner())
    listed = world.people.filter("is_listed").with_columns(account=pl.lit(0, pl.Int64), unit=pl.col(WHO) * 2)
    rows = listed.with_columns(row=pl.col("unit") * ROOM, at=pl.col("joined").clip(upper_bound=SPAN - DAY))
    return Kind("list", "crm", 4, rows, (_card(), Slot("phone", "", phone, owner)))
