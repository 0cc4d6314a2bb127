"""Every table once: what a row is, its columns, its key, its partition.

A name that ends in `?` may be null. Types, units and meanings are those of the
vocabulary; schemas, row checks, suites, dictionary and test data are projections.
"""

from dataclasses import dataclass, field

import polars as pl

from expectations.traits import TRAIT_COLUMNS
from expectations.value import MODEL_COLUMNS, VALUE_COLUMNS
from expectations.vocabulary import MOVE_CAUSES, ORDER_KINDS, TOUCH_KINDS, VOCABULARY, Column


@dataclass(frozen=True)
class Table:
    """One table of the lake."""

    name: str
    grain: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    partition: str | None = None
    optional: frozenset[str] = field(default_factory=frozenset)
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Code lists that hold for this table alone, where the vocabulary leaves them open."""
    is_open: bool = False
    """True where policy adds columns of its own (tags)."""

    @property
    def bitemporal(self) -> bool:
        """True where a newer version closes the older one."""
        return "known_to" in self.columns

    @property
    def schema(self) -> pl.Schema:
        """Polars schema in column order."""
        return pl.Schema({name: VOCABULARY[name].dtype for name in self.columns})

    @property
    def logical(self) -> tuple[str, ...]:
        """The columns that a digest covers, in order."""
        return tuple(name for name in self.columns if VOCABULARY[name].logical)

    def column(self, name: str) -> Column:
        """Return the vocabulary's entry; KeyError names the column."""
        return VOCABULARY[name]

    def codes_of(self, name: str) -> tuple[str, ...]:
        """The values that a column may take here; empty means open."""
        return self.codes.get(name) or VOCABULARY[name].codes

    def empty(self) -> pl.LazyFrame:
        """No rows, the right columns."""
        return self.schema.to_frame().lazy()


TABLES: dict[str, Table] = {}


def _table(
    name: str,
    grain: str,
    columns: str,
    key: str,
    partition: str | None = None,
    *,
    codes: dict[str, tuple[str, ...]] | None = None,
    is_open: bool = False,
) -> None:
    names = columns.split()
    TABLES[name] = Table(
        name=name,
        grain=grain,
        columns=tuple(n.rstrip("?") for n in names),
        key=tuple(key.split()),
        partition=partition,
        optional=frozenset(n.rstrip("?") for n in names if n.endswith("?")),
        codes=codes or {},
        is_open=is_open,
    )


_VERSION = "exported_at known_from known_to? file_sha256 content_hash"

_table(
    "files",
    "One export file received.",
    """sha256 channel shop_id layout? name encoding? outcome reason? exported_at received_at rows_read rows_accepted
    rows_duplicate rows_quarantined money_read_fen money_accepted_fen money_duplicate_fen money_quarantined_fen
    money_unreadable drift""",
    "sha256",
    codes={"outcome": ("accepted", "refused")},
)
_table(
    "quarantine",
    "One source row that was refused, once for each rule it broke.",
    "file_sha256 row_number rule column? value_redacted? row_money_fen? file_month",
    "file_sha256 row_number rule",
    "file_month",
)
_table(
    "orders",
    "One version of one platform order.",
    f"""channel shop_id order_id kind buyer_key? ordered_at paid_at? paid_on? status currency gross_fen paid_fen
    refunded_fen coupon_fen? freight_fen? fees_fen? modified_at? parent_order_id? payment_method? {_VERSION} unsaid?
    paid_month?""",
    "channel shop_id order_id known_from content_hash",
    "paid_month",
    codes={"kind": ORDER_KINDS},
)
_table(
    "order_lines",
    "One version of one line of an order.",
    f"""channel shop_id order_id line_id product_id? product_name? quantity gross_fen paid_fen coupon_fen?
    {_VERSION} unsaid? paid_month?""",
    "channel shop_id order_id line_id known_from content_hash",
    "paid_month",
)
_table(
    "refunds",
    "One version of one refund of an order, or of what a file shows or says was paid back on it.",
    f"""channel shop_id order_id refund_id refund_basis refund_state refund_fen refunded_at? refunded_on? {_VERSION}
    paid_month?""",
    "channel shop_id order_id refund_id refund_basis known_from content_hash",
    "paid_month",
)
_table(
    "products",
    "One version of one product with brand and category.",
    f"channel shop_id product_id product_name? brand? category? department? {_VERSION} unsaid?",
    "channel shop_id product_id known_from content_hash",
)
_table(
    "members",
    "One version of one membership profile.",
    f"""channel shop_id member_key joined_at? gender? birth_month? age_band? income_band? home_ownership?
    marital_status? household_size? kids_count? province? city? member_level? source_tags? {_VERSION} unsaid?""",
    "channel member_key known_from content_hash",
)
_table(
    "follows",
    "One version of one adviser's contact with one customer.",
    f"channel shop_id adviser_id customer_key followed_at add_way? source_tags? {_VERSION} unsaid?",
    "channel adviser_id customer_key known_from content_hash",
)
_table(
    "events",
    "One behaviour or interaction event, in the canonical vocabulary.",
    f"""channel shop_id event_id event event_name customer_key? happened_at happened_on product_id? campaign?
    {_VERSION} event_month""",
    "channel event_id known_from content_hash",
    "event_month",
)
_table(
    "consents",
    "One consent change of one subject; suppression is a withdrawal with purpose `*`.",
    f"channel subject touch_channel purpose decision decided_at evidence? {_VERSION}",
    "channel subject touch_channel purpose decision decided_at known_from content_hash",
)
_table(
    "sightings",
    "One identity key seen on one record.",
    "key_type key_scope pseudonym key key_role record evidence_rank seen_at channel known_from file_sha256 seen_month",
    "key record",
    "seen_month",
)
_table(
    "contacts",
    "One contact point, sealed.",
    "pseudonym contact_type nonce ciphertext key_id known_from file_sha256",
    "pseudonym contact_type",
)
_table(
    "touches",
    "One thing that happened to one message: planned, handed over, delivered, clicked, …",
    """send_id campaign vendor touch_channel recipient_key one_id? kind happened_at send_on cost_fen? known_from
    file_sha256? send_month""",
    "send_id recipient_key kind happened_at",
    "send_month",
    codes={"kind": TOUCH_KINDS},
)
_table(
    "send_statistics",
    "One version of what a vendor counted for one message: sums over devices, they cannot tell who received it.",
    f"""channel shop_id vendor touch_channel message_id direct_received_count? android_sent_count?
    android_received_count? ios_sent_count? ios_received_count? ios_message_received_count? windows_sent_count?
    {_VERSION}""",
    "channel shop_id vendor message_id known_from content_hash",
)
_table(
    "identity_links",
    "One version of one declaration about two keys: one person, never one person, or a number that changed hands.",
    f"channel link key_a key_b decided_at evidence? {_VERSION}",
    "channel link key_a key_b decided_at known_from content_hash",
)
_table(
    "identities",
    "One identity key, in one of its epochs, and the customer that it belongs to, at one date.",
    "key epoch one_id own_id key_type key_class first_seen_at valid_from? valid_to? as_of",
    "key epoch as_of",
    "as_of",
)
_table(
    "identity_conflicts",
    "One link between two keys that was refused, at one date.",
    "as_of rule key_a key_b one_id_a? one_id_b? evidence_rank distinct_days first_seen_at evidence",
    "as_of rule key_a key_b",
    "as_of",
    codes={"rule": ("cap", "cannot_link", "hub", "crowded")},
)
_table(
    "identity_changes",
    "One move of keys from one customer id to another since the date before.",
    "as_of old_id new_id change keys",
    "as_of old_id new_id",
    "as_of",
    codes={"change": ("merged_into", "split_from", "moved", "dissolved")},
)
_table(
    "customers",
    "One customer (first seen by as_of, known by known_as_of) at one date.",
    f"""one_id as_of recency_days? days_since_order? frequency monetary_fen
    frequency_scored? monetary_scored_fen? r_score f_score m_score rfm_cell? segment
    tier stage first_order_on? last_order_on? gross_orders life_orders life_net_fen purchase_days coupon_rate?
    weekday_rate? preferred_category? spend_3m_fen first_seen_at tier_level tier_cause tier_since? tier_valid_until?
    tier_grace_until? tier_granted_by? tier_window_end? tier_locked_until? tier_lock_reason? tier_spend_fen
    tier_gap_fen? {VALUE_COLUMNS} policy_digest""",
    "one_id as_of",
    "as_of",
)
_table(
    "traits",
    "One customer at one date: activity, silence, habits and character.",
    TRAIT_COLUMNS,
    "one_id as_of",
    "as_of",
)
_table(
    "models",
    "One number of one fitted model at one date.",
    MODEL_COLUMNS,
    "as_of model parameter",
    "as_of",
)
_table(
    "cutoffs",
    "The least value that earned a score, per dimension and score, at one date.",
    "as_of dimension score cutoff? base_count effective_levels max_tie_share? method measure computed_on?",
    "as_of dimension score",
    "as_of",
    codes={"dimension": ("r", "f", "m")},
)
_table(
    "tags",
    "One customer at one date, one column per tag of the policy.",
    "one_id as_of",
    "one_id as_of",
    "as_of",
    is_open=True,
)
_table(
    "tag_changes",
    "How many customers gained, kept, changed or lost a tag between two dates, by its values.",
    "as_of from_as_of tag change from_value? to_value? customers",
    "as_of tag change from_value to_value",
    "as_of",
    codes={"change": ("added", "kept", "expired", "changed", "removed")},
)
_table(
    "migrations",
    "One customer's move between two dates.",
    "one_id dimension from_as_of as_of from_code to_code cause? label_path? monetary_fen",
    "one_id dimension as_of",
    "as_of",
    codes={"dimension": ("tier", "segment", "stage"), "cause": MOVE_CAUSES},
)
_table(
    "metrics",
    "One key figure at one date.",
    "as_of metric segment_code value",
    "as_of metric segment_code",
    "as_of",
)
_table(
    "assignments",
    "One unit's variant or holdout in one experiment; the first assignment stands.",
    "experiment unit variant bucket assigned_on",
    "experiment unit",
)
_table(
    "audience_members",
    "One customer considered for one send, and the outcome: planned, delivered or why not.",
    "send_id one_id send_on campaign outcome evidence? recipient_key? variant? seq?",
    "send_id one_id",
    "send_on",
)
_table(
    "coupons",
    "One version of one coupon code of a pool.",
    f"channel shop_id pool code_key batch? face_fen? valid_until? {_VERSION}",
    "channel code_key known_from content_hash",
)
_table(
    "coupon_allocations",
    "One coupon code and the one person and send that it was given to, for ever.",
    "pool code_key send_id one_id campaign send_on allocated_at",
    "code_key",
)
_table(
    "deliveries",
    "One published revision of one send.",
    """send_id seq revision campaign vendor send_on rows recalled manifest_sha256 waterfall policy_digest run_id
    published_at""",
    "send_id seq",
)
_table(
    "runs",
    "One step of one run: inputs, outputs, digests, and each file it added.",
    """run_id step flow as_of? known_as_of? inputs inputs_digest policy_digest code_version outputs added_files
    started_at""",
    "run_id step",
)
_table(
    "tombstones",
    "One mark by which a person who was forgotten is recognised if an export brings them back; it names nobody.",
    "mark mark_kind erased_at request_id",
    "mark",
)
_table(
    "erasures",
    "One export file of which the rows of a forgotten person were taken out of the stored bytes.",
    "request_id file_sha256 erased_at rows_erased erased_rows raw_sha256",
    "request_id file_sha256",
)
