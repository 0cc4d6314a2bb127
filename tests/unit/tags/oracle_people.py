"""The oracle's laws about who somebody is: profiles, lists, stages, silence and social weight."""

from tests.unit.tags.oracle import Person, World, has_word, is_among, says, value, yes


def _stated(code: str, column: str) -> None:
    def law(person: Person, _world: World) -> object:
        return person.fact(column)

    law.__name__ = code
    says(law)


for _code, _column in (
    ("age_group", "age_band"), ("home_province", "province"), ("home_city", "city"), ("income_group", "income_band"),
    ("level_in_shop", "member_level"), ("home_shop", "home_store"), ("activity_level", "activity"),
    ("influence", "koc_level"), ("customer_cluster", "cluster"), ("browsing_style", "browsing_type"),
    ("decision_style", "decision_type"), ("left_unfinished", "silent_scenario_kind"),
):  # fmt: skip
    _stated(_code, _column)


@says
def sex(person: Person, _world: World) -> object:
    return person.fact("gender") if person.fact("gender") in {"female", "male", "other"} else None


@yes
def has_children(person: Person, _world: World) -> bool | None:
    kids = person.fact("kids_count")
    return None if kids is None else kids not in {"0", "None/Unknown", "None", "无"}


@yes
def is_birthday_next_month(person: Person, _world: World) -> bool:
    month = person.fact("birth_month")
    return month is not None and int(month) == (1 if person.day.month == 12 else person.day.month + 1)


@yes
def is_shop_vip(person: Person, _world: World) -> bool | None:
    if not person.profiles:
        return None
    return any("VIP" in (profile["source_tags"] or "").split("|") for profile in person.profiles)


@says
def adviser_level(person: Person, _world: World) -> str | None:
    said = [
        (contact["followed_at"], tag.removeprefix("客户等级:"))
        for contact in person.contacts
        for tag in (contact["source_tags"] or "").split("|")
        if tag.startswith("客户等级:")
    ]
    newest = max((at for at, _ in said), default=None)
    return min((level for at, level in said if at == newest), default=None)


@yes
def is_new_customer(person: Person, _world: World) -> bool:
    first = person.fact("first_order_on")
    return first is not None and (person.day - first).days <= 90


@yes
def is_new_member(person: Person, _world: World) -> bool:
    since = person.fact("member_since_on")
    return since is not None and (person.day - since).days < 30


@yes
def is_growing(person: Person, _world: World) -> bool:
    return person.fact("stage") == "growing"


@yes
def is_at_risk(person: Person, _world: World) -> bool:
    return person.fact("stage") == "at_risk"


@yes
def is_returned(person: Person, _world: World) -> bool:
    return person.fact("stage") == "returned"


@yes
def is_one_time_buyer(person: Person, _world: World) -> bool:
    return person.fact("purchase_days") == 1


@yes
def is_repeat_buyer(person: Person, _world: World) -> bool:
    return person.fact("purchase_days") > 1


@yes
def is_sleeping(person: Person, _world: World) -> bool:
    return person.fact("stage") in {"silent", "lost"}


@yes
def is_lost_vip(person: Person, world: World) -> bool:
    return person.fact("stage") == "lost" and value("is_top_by_life", person, world)


@yes
def has_early_warning(person: Person, _world: World) -> bool:
    return person.fact("early_warning")


@yes
def is_potential_customer(person: Person, _world: World) -> bool:
    return person.fact("is_potential")


@says
def customer_class(person: Person, world: World) -> str | None:
    if value("is_high_spender", person, world) and not value("is_sleeping", person, world):
        return "A"
    if value("is_potential_customer", person, world):
        return "B"
    if value("is_sleeping", person, world):
        return "C"
    is_fresh = value("is_new_member", person, world) or person.fact("stage") in {"prospect", "new"}
    return "D" if is_fresh else None


@yes
def is_silent_by_behaviour(person: Person, _world: World) -> bool:
    return person.fact("silent_behaviour")


@yes
def is_silent_by_value(person: Person, _world: World) -> bool:
    return person.fact("silent_value")


@yes
def is_silent_in_scenario(person: Person, _world: World) -> bool:
    return person.fact("silent_scenario")


@yes
def is_silent_latent(person: Person, _world: World) -> bool:
    return person.fact("silent_latent")


@yes
def is_silent_again(person: Person, _world: World) -> bool:
    return person.fact("silent_again")


@says
def first_silence(person: Person, world: World) -> str | None:
    kinds = {"value": "by_value", "again": "again", "scenario": "in_scenario", "behaviour": "by_behaviour",
             "latent": "latent"}  # fmt: skip
    return next((kind for kind, tag in kinds.items() if value(f"is_silent_{tag}", person, world)), None)


@yes
def is_silent_30(person: Person, _world: World) -> bool:
    days = person.fact("days_since_order")
    return days is not None and days >= 31


@yes
def is_silent_vip(person: Person, world: World) -> bool:
    return person.fact("m_score") in {3, 4, 5} and value("is_silent_30", person, world)


@yes
def has_adviser(person: Person, _world: World) -> bool:
    return person.fact("adviser_id") is not None


@yes
def is_koc(person: Person, _world: World) -> bool:
    return person.fact("koc_level") not in {None, "none"}


@yes
def is_strong_interactor(person: Person, world: World) -> bool:
    count, ranked = person.fact("interactions_30d"), world.by_interactions
    return count > 0 and is_among(ranked, count, len(ranked) // 10)


@says
def influence_type(person: Person, world: World) -> str | None:
    if person.fact("activity") == "unknown":
        return None
    if person.fact("content_30d") > 1:
        return "creator"
    return "interactor" if value("is_strong_interactor", person, world) else "ordinary"


@yes
def has_referred(person: Person, _world: World) -> bool:
    return person.fact("referrals_life") > 0


@yes
def joined_community(person: Person, _world: World) -> bool:
    return bool(person.did(365, "community_join"))


@yes
def mentions_allergy(person: Person, _world: World) -> bool | None:
    return _mentions(person, 365, "过敏", "敏感肌", "allergy", "hypoallergenic")


@yes
def mentions_weaning(person: Person, _world: World) -> bool | None:
    return _mentions(person, 180, "断奶", "辅食", "weaning")


def _mentions(person: Person, days: int, *words: str) -> bool | None:
    texts = [event["event_name"] for event in person.did(days)]
    texts += [line["product_name"] for order in person.bought(days) for line in order["lines"]]
    texts += [said["source_tags"] for said in (*person.profiles, *person.contacts)]
    return any(has_word(text, *words) for text in texts) or None
