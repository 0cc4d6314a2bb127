"""Algorithms §7 in plain Python, written from the text: dictionaries and loops, one question at a time, slow and plain.

Nothing here is shared with the resolver but the policy that both read.
"""

from base64 import b32encode
from collections import defaultdict
from datetime import date, datetime
from hashlib import sha256
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

from tasks.policy.identity import Identity

RANKS = {"strong": 0, "linking": 1, "weak": 2}


def name_of(node):
    """The bytes that are hashed: `type 0x1F scope 0x1F pseudonym`, and the epoch from the second on."""
    (kind, scope, value), epoch = node
    return f"{kind}\x1f{scope}\x1f{value}{'' if epoch == 1 else f'#{epoch}'}"


def in_order(node):
    (kind, scope, value), epoch = node
    return f"{kind}\x1f{scope}\x1f{value}".encode(), epoch


def printed(node):
    (kind, scope, value), epoch = node
    return f"{kind}:{scope}:{value}{'' if epoch == 1 else f'#{epoch}'}"


def one_id(node):
    return "c_" + b32encode(sha256(name_of(node).encode()).digest()).decode().lower()[:16]


class Oracle:
    """One answer: `identities` and `conflicts` as sets of tuples."""

    def __init__(self, sightings, links, rules: Identity, as_of: date, zone: str, blocked=frozenset()) -> None:
        """Answer at once."""
        self.rules, self.zone = rules, ZoneInfo(zone)
        sightings = [s for s in sightings if self.day(s["seen_at"]) <= as_of and s["key"] not in blocked]
        links = [link for link in links if self.day(link["decided_at"]) <= as_of]
        self.seen = self.usable(sightings)
        self.phones_shown = {
            (s["record"], s["key"]) for s in sightings if s["key_role"] == "contact" and s["key_type"] == "phone"
        }
        self.most = rules.hub.record_keys
        self.keys = {key for key, _ in self.seen}
        by_text = {printed((key, 1)): key for key in self.keys}
        self.links = [
            (link["link"], by_text[link["key_a"]], by_text.get(link["key_b"]), link["decided_at"])
            for link in links
            if link["key_a"] in by_text and (link["link"] == "rebind" or link["key_b"] in by_text)
        ]
        self.epochs = {key: self.epochs_of(key) for key in self.keys}
        self.resolve()

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def rank(self, key) -> int:
        return RANKS[self.rules.class_of(key[0])]

    def usable(self, sightings):
        """(key, record) to its earliest time and strongest evidence."""
        used = {"strong", "linking"} | ({"weak"} if self.rules.use_weak else set())
        seen = {}
        for s in sightings:
            if s["key_role"] == "identity" and self.rules.class_of(s["key_type"]) in used:
                place = (s["key_type"], s["key_scope"], s["pseudonym"]), s["record"]
                at, evidence = seen.get(place, (s["seen_at"], s["evidence_rank"]))
                seen[place] = min(at, s["seen_at"]), min(evidence, s["evidence_rank"])
        return seen

    # Step 4: numbers that change hands.

    def epochs_of(self, key):
        """The key's epochs as (number, since, until); since and until may be None."""
        if key[0] not in self.rules.recycled or self.rank(key) == 0:
            return [(1, None, None)]
        times = sorted(at for (k, _), (at, _) in self.seen.items() if k == key)
        rebinds = sorted({at for link, a, _, at in self.links if link == "rebind" and a == key})
        bounds = sorted({*rebinds, *self.after_silence(key, times, rebinds)})
        stretches = list(zip([None, *bounds], [*bounds, None], strict=True))
        inhabited = [
            (since, until) for since, until in stretches
            if any((since is None or since <= at) and (until is None or at < until) for at in times)
        ]  # fmt: skip
        return [(number, since, until) for number, (since, until) in enumerate(inhabited, 1)]

    def after_silence(self, key, times, rebinds):
        for since, until in zip([None, *rebinds], [*rebinds, None], strict=True):
            within = [at for at in times if (since is None or since <= at) and (until is None or at < until)]
            for before, after in pairwise(within):
                is_silent = (self.day(after) - self.day(before)).days >= self.rules.silent_days
                old = self.strong_beside(key, [at for at in within if at <= before])
                new = self.strong_beside(key, [at for at in within if at >= after])
                if is_silent and old and new and not old & new:
                    yield after

    def strong_beside(self, key, times):
        records = {record for (k, record), (at, _) in self.seen.items() if k == key and at in times}
        records = {one for one in records if sum(record == one for _, record in self.seen) <= self.most}
        return {k for k, record in self.seen if record in records and self.rank(k) == 0}

    def node_at(self, key, at):
        for number, since, until in self.epochs[key]:
            if (since is None or since <= at) and (until is None or at < until):
                return key, number
        return None

    # Steps 5, 3 and 6: edges, hubs, union.

    def resolve(self):
        rules = self.rules
        on_record = defaultdict(dict)
        for (key, record), (at, evidence) in self.seen.items():
            on_record[record][self.node_at(key, at)] = at, evidence
        self.first = {}
        for nodes in on_record.values():
            for node, (at, _) in nodes.items():
                self.first[node] = min(self.first.get(node, at), at)
        met, crowds = defaultdict(list), defaultdict(list)
        for nodes in on_record.values():
            ordered = sorted(nodes, key=in_order)
            crowded = len(ordered) > rules.hub.record_keys
            pairs = [(ordered[0], other) for other in ordered[1:]] if crowded else combinations(ordered, 2)
            for a, b in pairs:
                at, evidence = (max(x, y) for x, y in zip(nodes[a], nodes[b], strict=True))
                (crowds if crowded else met)[a, b].append((evidence, at))
        word = self.latest_words()
        for (a, b), (at, link) in word.items():
            ends = self.node_at(a, at), self.node_at(b, at)
            if link == "must" and None not in ends:
                met[tuple(sorted(ends, key=in_order))].append((0, at))
        edges = {pair: self.edge(times) for pair, times in met.items()}
        self.conflicts = set()
        self.hubs = {node: why for node in self.first if (why := self.hub(node, edges, on_record))}
        parts = self.unite(edges, word)
        self.answer(parts, edges, {p: self.edge(t) for p, t in crowds.items() if p not in edges})

    def edge(self, times):
        """(evidence rank, distinct days, first seen)."""
        return min(e for e, _ in times), len({self.day(at) for _, at in times}), min(at for _, at in times)

    def latest_words(self):
        word = {}
        for link, a, b, at in self.links:
            if link != "rebind" and a != b:
                pair = tuple(sorted((a, b), key=lambda key: in_order((key, 1))))
                said = word.get(pair)
                if said is None or (at, link == "cannot") > (said[0], said[1] == "cannot"):
                    word[pair] = at, link
        return word

    def hub(self, node, edges, on_record):
        """Why a node is a hub; empty where it is none."""
        if self.rank(node[0]) == 0:
            return ""
        why = {*self.beside_too_many(node, edges), *self.used_too_much(node, on_record)}
        return "; ".join(sorted(why))

    def beside_too_many(self, node, edges):
        beside = defaultdict(set)
        for pair in edges:
            if node in pair:
                mate = pair[0] if pair[1] == node else pair[1]
                if self.rank(mate[0]) == 0:
                    beside[mate[0][:2]].add(mate)
        for (kind, scope), mates in beside.items():
            if len(mates) > (limit := self.rules.hub_limit_of(kind)):
                yield f"{kind}{'@' if scope else ''}{scope}: {len(mates)} > {limit}"

    def used_too_much(self, node, on_record):
        records = {record: nodes[node][0] for record, nodes in on_record.items() if node in nodes}
        orders = defaultdict(set)
        for record, at in records.items():
            if record.startswith("order:"):
                orders[record.rpartition(":")[0], self.day(at)].add(record)
        most = max((len(made) for made in orders.values()), default=0)
        if most > self.rules.hub.orders_per_day:
            yield f"orders of one shop in a day: {most} > {self.rules.hub.orders_per_day}"
        shown = {phone for record, phone in self.phones_shown if record in records and phone != printed((node[0], 1))}
        if len(shown) > self.rules.hub.receivers:
            yield f"receivers: {len(shown)} > {self.rules.hub.receivers}"

    def unite(self, edges, word):
        """Every node to its part, a frozenset; each part one person."""
        part = {node: frozenset([node]) for node in self.first}
        order = sorted(edges.items(), key=lambda e: (e[1][0], -e[1][1], e[1][2], in_order(e[0][0]), in_order(e[0][1])))
        for (a, b), edge in order:
            if a in self.hubs or b in self.hubs or part[a] is part[b]:
                continue
            both = part[a] | part[b]
            if apart := self.apart(part[a], part[b], word):
                self.conflicts.add(("cannot_link", a, b, edge, apart))
            elif over := self.over(both):
                self.conflicts.add(("cap", a, b, edge, over))
            else:
                part.update(dict.fromkeys(both, both))
        return part

    def apart(self, one, other, word):
        dates = [
            f"declared apart on {self.day(at)}"
            for (a, b), (at, link) in word.items()
            if link == "cannot"
            for x, y in ((a, b), (b, a))
            if any(node[0] == x for node in one) and any(node[0] == y for node in other)
        ]
        return min(dates, default="")

    def over(self, both):
        """The caps that a union would break."""
        told = []
        for kind, scope in sorted({node[0][:2] for node in both}):
            count = sum(node[0][:2] == (kind, scope) for node in both)
            if count > (cap := self.rules.cap_of(kind)):
                told.append(f"{kind}{'@' if scope else ''}{scope}: {count} > {cap}")
        return "; ".join(told)

    # Step 7: ids.

    def answer(self, parts, edges, crowds):
        of = {}
        for node, part in parts.items():
            anchor = min(part, key=lambda n: (self.first[n], self.rank(n[0]), in_order(n)))
            of[node] = None if node in self.hubs else one_id(anchor)
        for (a, b), edge in edges.items():
            if why := "; ".join(self.hubs[node] for node in (a, b) if node in self.hubs):
                self.conflicts.add(("hub", a, b, edge, why))
        for (a, b), edge in crowds.items():
            self.conflicts.add(("crowded", a, b, edge, f"keys of one record > {self.rules.hub.record_keys}"))
        self.conflicts = {
            (rule, printed(a), printed(b), of[a], of[b], *edge, why) for rule, a, b, edge, why in self.conflicts
        }
        self.identities = set()
        for key in self.keys:
            for number, since, until in self.epochs[key]:
                node = key, number
                if of[node]:
                    kind = self.rules.class_of(key[0])
                    text = printed((key, 1))
                    self.identities.add(
                        (text, number, of[node], one_id(node), key[0], kind, self.first[node], since, until)
                    )
