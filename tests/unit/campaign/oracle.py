"""An allocator in plain Python, person by person, written from the rules and not from the code that it judges."""

import hashlib
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from tasks.policy.campaigns import Campaign
from tests.support.allocation_worlds import GLOBAL, World, words_of
from tests.support.campaigns import SEND_ON, member, phone

PROOF = ("clicked", "delivered")
"""What nobody but a vendor can tell."""
ANSWER_DAYS = 3

Message = dict[str, Any]
Fate = tuple[str, str | None]


def bucket(salt: str, unit: str) -> int:
    """Algorithms: the first eight bytes of the hash as a number, scaled to 10,000."""
    number = int.from_bytes(hashlib.sha256(f"{salt}\x1f{unit}".encode()).digest()[:8], "big")
    return number * 10_000 >> 64


class Oracle:
    """Everything that one walk over the campaigns of a world decides."""

    def __init__(self, world: World) -> None:
        """Read the world."""
        self.world = world
        self.people: dict[str, int] = world["people"]
        self.names = {old: now for old, now in world["merges"].items() if now in self.people}
        self.messages = self._ledger()
        self.codes = world["codes"]
        self.fates: dict[tuple[str, str], Fate] = {}

    def walk(self) -> dict[tuple[str, str], Fate]:
        """Campaign and customer to outcome and variant."""
        for campaign in sorted(self.world["campaigns"], key=lambda c: (c.priority, c.code)):
            self._campaign(campaign)
        return self.fates

    def contact(self, one_id: str) -> str | None:
        """The only contact of a person."""
        number = self.world["phones"][one_id]
        return None if number is None else phone(number)

    def sharers(self, contact: str) -> list[str]:
        """Everyone who is reached by a contact."""
        return [p for p in self.people if self.contact(p) == contact]

    def _ledger(self) -> list[Message]:
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        stored = [row | {"one_id": self.names.get(row["one_id"], row["one_id"])} for row in self.world["touches"]]
        for row in (self._where_it_belongs(row, stored) for row in stored):
            message = (row["send_id"], row["campaign"], row["recipient_key"], row["one_id"])
            groups.setdefault(message, []).append(row)
        found = []
        for (send_id, code, key, one_id), rows in groups.items():
            off = [r["happened_at"] for r in rows if r["kind"] == "cancelled"]
            on = [r["happened_at"] for r in rows if r["kind"] in ("planned", "handed_over")]
            is_proven = any(r["kind"] in PROOF for r in rows)
            if off and not is_proven and not (on and max(on) >= max(off)):
                continue
            owners = [one_id] if one_id else [p for p in self.people if key in (member(p), self.contact(p))] or [None]
            found += [
                {"send_id": send_id, "campaign": code, "key": key, "one_id": p, "day": rows[0]["send_on"]}
                for p in owners
            ]
        return found

    @staticmethod
    def _where_it_belongs(row: Message, stored: list[Message]) -> Message:
        """A click or receipt under no send of ours is of the newest message that the contact was handed just before.

        A message that has a receipt takes no other.
        """
        ours = {r["send_id"] for r in stored if r["kind"] not in PROOF}
        if row["send_id"] in ours:
            return row
        receipted = {(r["send_id"], r["recipient_key"]) for r in stored if r["kind"] == "delivered"}
        near = [
            r for r in stored
            if r["kind"] == "handed_over" and r["recipient_key"] == row["recipient_key"]
            and 0 <= (row["send_on"] - r["send_on"]).days <= ANSWER_DAYS
            and not (row["kind"] == "delivered" and (r["send_id"], r["recipient_key"]) in receipted)
        ]  # fmt: skip
        if not near:
            return row
        newest = max(near, key=lambda r: (r["send_on"], r["send_id"], r["one_id"] or ""))
        return row | {name: newest[name] for name in ("send_id", "campaign", "send_on", "one_id")}

    def _standing(self, experiment: str, one_id: str) -> str | None:
        """The first place in an experiment of any part of a person; a holdout wins."""
        places = [
            (row["variant"] != "holdout", row["assigned_on"], row["variant"])
            for row in self.world["assignments"]
            if row["experiment"] == experiment and self.names.get(row["unit"], row["unit"]) == one_id
        ]
        return min(places)[2] if places else None

    def is_held(self, experiment: str, percent: Decimal, one_id: str) -> bool:
        standing = self._standing(experiment, one_id)
        return standing == "holdout" if standing else bucket(experiment, one_id) < percent * 100

    def _no(self, campaign: Campaign, one_id: str) -> str | None:
        """The first reason that concerns the person alone."""
        if self.people[one_id] < (3 if "3" in campaign.audience else 0):
            return "rule_not_met"
        contact = self.contact(one_id)
        if contact is None:
            return "no_contact"
        said = self.words()
        mine = [w for w in said if w[0] in (contact, member(one_id))]
        theirs = [w for p in self.sharers(contact) for w in said if w[0] in (contact, member(p))]
        if (("sms", "marketing", "granted") not in [w[1:] for w in mine]) or any(
            w[1:] == ("sms", "marketing", "withdrawn") for w in theirs
        ):
            return "no_consent"
        wide = [("sms", "*"), ("*", "*"), ("*", "marketing")]
        if any(w[1:3] in wide and w[3] == "withdrawn" for w in theirs):
            return "suppressed"
        if "bought" in campaign.stop_if and one_id in self.world["bought"]:
            return "bought_since"
        return None

    def words(self) -> list[tuple[str, str, str, str]]:
        """The last word of each subject, channel and purpose; of one instant a no."""
        last: dict[tuple[str, str, str], tuple[Any, str]] = {}
        for row in words_of(self.world):
            key = (row["subject"], row["touch_channel"], row["purpose"])
            told = (row["decided_at"], row["decision"])
            last[key] = max(last.get(key, told), told)
        return [(*key, decision) for key, (_, decision) in last.items()]

    def _campaign(self, campaign: Campaign) -> None:
        percent = self.world["global_percent"]
        holdout = campaign.holdout
        no = {p: self._no(campaign, p) for p in self.people}
        everywhere = {p: percent is not None and self.is_held(GLOBAL, Decimal(percent), p) for p in self.people}
        own = {p: holdout is not None and self.is_held(holdout.experiment, holdout.percent, p) for p in self.people}
        order = {p: bucket(holdout.experiment if holdout else f"order:{campaign.code}", p) for p in self.people}
        rank = {p: (-self.people[p], order[p], p) for p in self.people}
        for p in self.people:
            if no[p] is None:
                no[p] = self._contention(campaign, p, everywhere, own, rank)
        variants = {p: "holdout" if own[p] else self._variant(campaign, p) for p in self.people}
        is_covered = {p: own[p] or holdout is None or self._is_covered(campaign, p, variants[p]) for p in self.people}
        is_out = {p: everywhere[p] or own[p] or not is_covered[p] for p in self.people}
        for p in self._over_budget(
            campaign, [p for p in sorted(no, key=rank.__getitem__) if no[p] is None], is_out, variants
        ):
            no[p] = "over_budget"
        for p in self._without_a_code(campaign, [p for p in sorted(no, key=rank.__getitem__) if no[p] is None], is_out):
            no[p] = "no_coupon"
        going = [p for p in self.people if no[p] is None and not is_out[p]]
        if campaign.split.by and campaign.variants:
            variants |= self._places(campaign, going, variants)
        for p in self.people:
            self.fates[campaign.code, p] = self._fate(no[p], everywhere[p], own[p], is_covered[p], variants[p])
        planned = [p for p in going if self.fates[campaign.code, p][0] == "planned"]
        self.messages += [
            {"send_id": f"sms_vendor/{campaign.code}/{SEND_ON}", "campaign": campaign.code, "key": self.contact(p),
             "one_id": p, "day": SEND_ON}
            for p in planned
        ]  # fmt: skip

    @staticmethod
    def _fate(no: str | None, everywhere: bool, own: bool, is_covered: bool, variant: str | None) -> Fate:  # noqa: FBT001
        if no:
            return no, None
        if everywhere:
            return "global_holdout", None
        if own:
            return "holdout", "holdout"
        return ("planned", variant) if is_covered else ("not_covered", None)

    def _contention(
        self,
        campaign: Campaign,
        one_id: str,
        everywhere: dict[str, bool],
        own: dict[str, bool],
        rank: dict[str, Any],
    ) -> str | None:
        """Somebody else has the contact, a cap is full, or a rival was first."""
        contact = self.contact(one_id)
        experiment = campaign.holdout.experiment if campaign.holdout else ""
        claims = []
        for p in self.sharers(str(contact)):
            stands = (own[p] and self._standing(experiment, p)) or (everywhere[p] and self._standing(GLOBAL, p))
            if self._no(campaign, p) is None or stands:
                claims.append((not (own[p] or everywhere[p]), rank[p], p))
        if min(claims)[2] != one_id:
            return "duplicate_contact"
        about = [m for m in self.messages if one_id == m["one_id"] or contact == m["key"]]
        for cap in (*self.world["caps"], *campaign.caps):
            is_own = getattr(cap, "counts", "all") == "campaign"
            counted = [m for m in about if not is_own or m["campaign"] == campaign.code]
            by_person = {(m["day"], m["send_id"]) for m in counted if m["one_id"] == one_id}
            by_contact = {(m["day"], m["send_id"]) for m in counted if m["key"] == contact}
            if max(self.fullest(by_person, cap.days), self.fullest(by_contact, cap.days)) >= cap.most:
                return "capped"
        groups = {c.code: c.exclusive_group for c in self.world["campaigns"]}
        mine = campaign.exclusive_group
        rivals = {code for code, group in groups.items() if mine and group == mine and code != campaign.code}
        is_taken = any(m["campaign"] in rivals and m["day"] == SEND_ON for m in about)
        return "lower_priority" if is_taken else None

    @staticmethod
    def fullest(messages: Iterable[tuple[date, str]], days: int) -> int:
        """The most messages of any window of so many days that holds the day of the send."""
        told = list(messages)
        starts = [SEND_ON - timedelta(days=back) for back in range(days)]
        return max(sum(start <= day < start + timedelta(days=days) for day, _ in told) for start in starts)

    def _variant(self, campaign: Campaign, one_id: str) -> str | None:
        """The place that stands, else the one of the hash; none yet in a stratified split."""
        if campaign.holdout is None:
            return None
        codes = [v.code for v in campaign.variants] or ["treated"]
        standing = self._standing(campaign.holdout.experiment, one_id)
        if standing in codes:
            return standing
        if campaign.split.by and campaign.variants:
            return None
        weights = [v.weight for v in campaign.variants] or [1]
        mine = bucket(f"{campaign.holdout.experiment}:variants", one_id)
        for number, code in enumerate(codes):
            start = 10_000 * sum(weights[:number]) // sum(weights)
            end = 10_000 * sum(weights[: number + 1]) // sum(weights)
            if start <= mine < start + floor((end - start) * Fraction(campaign.split.coverage) / 100):
                return code
        return None

    def _is_covered(self, campaign: Campaign, one_id: str, variant: str | None) -> bool:
        if not (campaign.split.by and campaign.variants):
            return variant is not None
        experiment = campaign.holdout.experiment if campaign.holdout else ""
        return variant is not None or bucket(f"{experiment}:variants", one_id) < campaign.split.coverage * 100

    def cost(self, campaign: Campaign, variant: str | None) -> int:
        given = {
            v.code: campaign.incentive_fen if v.incentive_fen is None else v.incentive_fen for v in campaign.variants
        }
        incentive = given.get(str(variant), max(given.values(), default=campaign.incentive_fen))
        return campaign.message_cost_fen + incentive

    def _over_budget(
        self, campaign: Campaign, queue: list[str], is_out: dict[str, bool], variants: dict[str, str | None]
    ) -> list[str]:
        """Whom the money does not reach: the first who costs more than is left, and all after."""
        if campaign.budget_fen is None:
            return []
        since = SEND_ON - timedelta(days=campaign.budget_days or 10_000)
        paid: dict[tuple[str, str], str | None] = {}
        for m in sorted(self.messages, key=lambda m: (m["one_id"] is not None, m["one_id"] or "")):
            if m["campaign"] == campaign.code and m["day"] > since:
                paid.setdefault((m["send_id"], m["key"]), m["one_id"])
        left = campaign.budget_fen - sum(self.cost(campaign, variants.get(str(p))) for p in paid.values())
        is_placed_later = campaign.split.by and campaign.variants
        for number, p in enumerate(queue):
            cost = self.cost(campaign, None if is_placed_later else variants[p])
            if cost > left:
                return queue[number:]
            left -= 0 if is_out[p] else cost
        return []

    def _without_a_code(self, campaign: Campaign, queue: list[str], is_out: dict[str, bool]) -> list[str]:
        """Whom the pool does not reach; who has a code from before needs none."""
        if campaign.coupon_pool is None:
            return []
        has = {self.names.get(p, p) for code, p in self.world["holders"] if code == campaign.code}
        waits = [p for p in queue if p not in has]
        for number, p in enumerate(waits):
            if self.codes == 0:
                return waits[number:]
            self.codes -= not is_out[p]
        return []

    def _places(self, campaign: Campaign, going: list[str], variants: dict[str, str | None]) -> dict[str, str | None]:
        """Exact shares within each tier: whoever stands keeps their place, newcomers fill what is lacking."""
        weights = {v.code: v.weight for v in campaign.variants}
        experiment = campaign.holdout.experiment if campaign.holdout else ""
        found: dict[str, str | None] = {}
        for tier in sorted({self.world["tiers"][p] for p in going}):
            here = [p for p in going if self.world["tiers"][p] == tier]
            fresh = sorted(
                (p for p in here if variants[p] is None), key=lambda p: (bucket(f"{experiment}:variants", p), p)
            )
            stands = {code: sum(variants[p] == code for p in here) for code in weights}
            wanted = self._shares(len(here), weights)
            lacking = {code: max(wanted[code] - stands[code], 0) for code in weights}
            given = self._shares(len(fresh), lacking if any(lacking.values()) else weights)
            codes = [code for code, count in given.items() for _ in range(count)]
            found |= dict(zip(fresh, codes, strict=True))
        return found

    @staticmethod
    def _shares(total: int, weights: dict[str, int]) -> dict[str, int]:
        ends = [
            Fraction(total * sum(list(weights.values())[: n + 1]), sum(weights.values())) for n in range(len(weights))
        ]
        cuts = [0, *(floor(end + Fraction(1, 2)) for end in ends)]
        return {code: cuts[n + 1] - cuts[n] for n, code in enumerate(weights)}
