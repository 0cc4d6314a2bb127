"""Every column once: its type, unit, meaning, what null means, and how personal it is.

Nothing here says which table has a column; expectations/tables.py does.
"""

import polars as pl

from expectations.columns import INSTANT, MAX_FEN, Column
from expectations.columns import at as _at
from expectations.columns import count as _count
from expectations.columns import days as _days
from expectations.columns import fen as _fen
from expectations.columns import on as _on
from expectations.columns import rate as _rate
from expectations.columns import score as _score
from expectations.columns import text as _text
from expectations.habits import PAYMENT_METHODS
from expectations.traits import TRAITS
from expectations.value import VALUE

__all__ = ["INSTANT", "MAX_FEN", "VOCABULARY", "Column"]

VOCABULARY: dict[str, Column] = {}


def _add(*columns: Column) -> None:
    for column in columns:
        if column.name in VOCABULARY:
            message = f"column {column.name} is declared twice"
            raise ValueError(message)
        VOCABULARY[column.name] = column


ORDER_KINDS = ("purchase", "gift", "topup", "test", "wholesale")
ORDER_STATUSES = ("unpaid", "on_hold", "paid", "shipped", "finished", "closed", "cancelled")
REFUND_BASES = ("itemised", "shown", "status")
EVENTS = (
    "login", "view", "search", "favourite", "cart_add", "cart_remove", "checkout", "share", "message",
    "live_watch", "live_interact", "coupon_claim", "coupon_use", "review", "service", "survey", "referral",
    "follow", "unfollow", "community_join", "post", "visit_store", "other",
)  # fmt: skip
TOUCH_CHANNELS = ("sms", "push", "wecom", "email", "phone", "print")
PURPOSES = ("marketing", "service", "third_party", "profiling")
DECISIONS = ("granted", "unreachable", "withdrawn")
TOUCH_KINDS = (
    "planned", "cancelled", "handed_over", "waiting", "accepted", "delivered", "failed", "clicked", "replied",
)  # fmt: skip
MOVE_CAUSES = ("config", "identity", "late_data", "refund", "time", "new_orders", "cutoffs", "manual")
STAGES = ("prospect", "refunded_only", "new", "growing", "returned", "active", "at_risk", "silent", "lost")

# Where a row comes from, and the two clocks.
_add(
    _text("channel", "Sales channel that the row comes from, such as taobao or youzan."),
    _text("shop_id", "Shop within the channel; `main` where a channel has one."),
    _text("file_sha256", "SHA-256 of the export file that the row was read from."),
    Column("row_number", pl.Int64(), "Line of the source file, 1 is the first data row.", "the whole file", minimum=1),
    _at("exported_at", "When the shop's back office made the export; decides which version is newest."),
    _at("known_from", "When Strata received this version.", logical=False),
    _at("known_to", "When a newer version replaced this one.", "this version is current", logical=False),
    Column(
        "unsaid",
        pl.String(),
        "Columns that the row's export does not have: `column` where none ever said it, `column@…` where another did.",
        "the export says every column",
        logical=False,
    ),
    _text("content_hash", "SHA-256 over the mapped columns of this version; equal means nothing changed."),
    _text("record", "The record a key was seen on: `order:<channel>:<shop>:<id>`, `member:<channel>:<pseudonym>`."),
)

# Files, quarantine, runs.
_add(
    _text("sha256", "SHA-256 of the file's bytes as received."),
    _text("layout", "Layout that read the file.", "no layout fits"),
    _text("name", "The file's own name."),
    _at(
        "received_at", "When Strata received the file; an input of the run, not a reading of the clock.", logical=False
    ),
    _text("outcome", "What became of the file or the person.", codes=()),
    _text("reason", "Why, in one sentence with the next step.", "nothing to explain"),
    _text("encoding", "Text encoding found in the file.", "not a text file"),
    _count("rows_read", "Data rows read from the file."),
    _count("rows_accepted", "Rows accepted; a version that a later export replaces still counts."),
    _count("rows_duplicate", "Rows that say nothing new."),
    _count("rows_quarantined", "Rows refused by a rule."),
    _fen("money_read_fen", "Sum of the layout's money column over all rows read.", minimum=-MAX_FEN),
    _fen("money_accepted_fen", "The same over accepted rows.", minimum=-MAX_FEN),
    _fen("money_duplicate_fen", "The same over duplicate rows.", minimum=-MAX_FEN),
    _fen("money_quarantined_fen", "The same over quarantined rows.", minimum=-MAX_FEN),
    _count("money_unreadable", "Rows whose money could not be read and counts as 0."),
    _text("drift", "JSON: missing, extra and changed columns against the layout."),
    _text("rule", "Name of the rule that refused the row."),
    _text("column", "Column that the rule looked at.", "the row as a whole"),
    _text("value_redacted", "The refused value with letters and digits masked.", "nothing was there"),
    Column("row_money_fen", pl.Int64(), "The refused row's value in the layout's money column.", "unreadable", "fen"),
    _text("file_month", "Month of receipt of the file, YYYY-MM."),
    _text("run_id", "Content id of a run: the same inputs give the same id."),
    _text("step", "Step within the run."),
    _text("flow", "Flow that ran."),
    _text("inputs", "JSON: what the step read."),
    _text("inputs_digest", "SHA-256 over all inputs."),
    _text("policy_digest", "SHA-256 of the policy that was in force."),
    _text("code_version", "SHA-256 over Strata's own source."),
    _text("outputs", "JSON: table to rows and digest."),
    _text("added_files", "JSON: path, bytes and SHA-256 of each file the step added to the lake."),
    _at("started_at", "When the run started, as recorded once.", logical=False),
    _at("known_as_of", "Knowledge limit of the run.", "all that was known at the start", logical=False),
)

# Orders, lines, refunds, products.
_add(
    _text("order_id", "Order number as the platform printed it."),
    _text("kind", "What the row is.", codes=()),
    _text(
        "buyer_key",
        "Strongest buyer-side key, `type:scope:pseudonym`.",
        "anonymous: money without a customer",
        pii="pseudonym",
    ),
    _at("ordered_at", "When the order was placed."),
    _at("paid_at", "When the order was paid.", "not paid"),
    _on("paid_on", "Business date of the payment.", "not paid"),
    _text("paid_month", "Business month of the payment, YYYY-MM; the partition.", "not paid"),
    _text("status", "State of the order in this version.", codes=ORDER_STATUSES),
    _text("currency", "ISO 4217 code; no sum crosses currencies."),
    _fen("gross_fen", "List amount before discounts."),
    _fen("paid_fen", "Paid for goods, without freight, tax and tips."),
    _fen("refunded_fen", "Refunds known in this version."),
    _fen("coupon_fen", "Part of the price met by coupons.", "the channel does not say"),
    _fen("freight_fen", "Freight charged.", "the channel does not say"),
    _fen("fees_fen", "Tax, tips and service fees charged beside goods and freight.", "the channel does not say"),
    _at("modified_at", "When the platform last changed the record.", "the channel does not say"),
    Column(
        "parent_order_id",
        pl.String(),
        "Number of the order that this one is a part of; all parts are one order. `content_hash` covers it.",
        "no part of another, or the channel does not say",
        logical=False,
    ),
    Column(
        "payment_method",
        pl.String(),
        "How the order was paid, by the channel's own word. `content_hash` covers it.",
        "the channel does not say, or only that it was paid online",
        codes=PAYMENT_METHODS,
        logical=False,
    ),
    _text("line_id", "Line or sub-order number within the order."),
    _text("product_id", "Product id of the shop.", "the channel does not say"),
    _text("product_name", "Product name as printed.", "the channel does not say"),
    Column("quantity", pl.Int64(), "Pieces.", "not known", "pieces", minimum=0),
    _text("refund_id", "Refund number; the order number where the channel has none."),
    _text(
        "refund_basis",
        "What the amount rests on: a refund with its own number, the order's running total, or a status word alone. "
        "Amounts of two bases are never added.",
        codes=REFUND_BASES,
    ),
    _text(
        "refund_state",
        "Whether money went back, may still go back, or will not.",
        codes=("paid_back", "pending", "void"),
    ),
    _fen("refund_fen", "Amount refunded, or asked for."),
    _at(
        "refunded_at",
        "When the refund succeeded; the export that first showed it where no time is given.",
        "no money went back",
    ),
    _on("refunded_on", "Business date of the refund.", "no money went back"),
    _text("brand", "Brand of the product.", "the shop does not say"),
    _text("category", "Product category by the shop's column or the brand's mapping.", "unmapped"),
    _text("department", "Coarse category.", "the shop does not say"),
)

# People: keys, members, contacts, consents.
_add(
    _text("key_type", "Type of an identity key: member, phone, nick, unionid, …"),
    _text("key_scope", "Within what the key is unique: platform, programme, corp; empty for phones."),
    _text("pseudonym", "Keyed HMAC-SHA256 of the normalised value, hex.", pii="pseudonym"),
    _text("key", "`type:scope:pseudonym`.", pii="pseudonym"),
    _text("key_role", "Whether the key may define the person or only reaches them.", codes=("identity", "contact")),
    Column(
        "evidence_rank",
        pl.Int64(),
        "0 declared by hand, 1 explicit bind, 2 authenticated record, 3 order, 4 imported list.",
        minimum=0,
        maximum=4,
    ),
    _at("seen_at", "When the key was seen, by the record's own time."),
    _text("seen_month", "Business month of the sighting, YYYY-MM."),
    _text("member_key", "Membership key, `type:scope:pseudonym`.", pii="pseudonym"),
    _at("joined_at", "When the person joined.", "the channel does not say"),
    _text("gender", "Gender as stated.", "not stated", codes=("female", "male", "other")),
    _text("birth_month", "Month of birth, MM; the day stays sealed.", "not stated"),
    _text("age_band", "Age band as the source states it.", "not stated"),
    _text("income_band", "Income band as the source states it.", "not stated"),
    _text("home_ownership", "Home ownership as stated.", "not stated"),
    _text("marital_status", "Marital status as stated.", "not stated"),
    _text("household_size", "Household size as stated.", "not stated"),
    _text("kids_count", "Children as stated.", "not stated"),
    _text("province", "Province or state.", "not stated"),
    _text("city", "City.", "not stated"),
    _text("member_level", "Level in the shop's own programme.", "not stated"),
    _text("source_tags", "Tags that the source put on the person, `|` between them.", "none"),
    _text("adviser_id", "Staff account of the adviser."),
    _text("customer_key", "Key of the customer, `type:scope:pseudonym`.", pii="pseudonym"),
    _at("followed_at", "When the adviser and the customer became contacts."),
    _text("add_way", "How the contact was made, the source's own code.", "the source does not say"),
    _text(
        "contact_type",
        "Kind of contact point; an id where a vendor knows people by it.",
        codes=("phone", "email", "push_token", "external_userid", "member", "name", "coupon"),
    ),
    Column("nonce", pl.Binary(), "Nonce of the sealed value, 12 bytes.", pii="sealed", logical=False),
    Column(
        "ciphertext",
        pl.Binary(),
        "Value sealed with AES-256-GCM; the pseudonym is the associated data.",
        pii="sealed",
        logical=False,
    ),
    _text("key_id", "Id of the key that sealed the value."),
    _text("subject", "Key that the consent is about, `type:scope:pseudonym`.", pii="pseudonym"),
    _text("touch_channel", "Channel of a message or a consent; `*` is all.", codes=(*TOUCH_CHANNELS, "*")),
    _text(
        "purpose",
        "Purpose of a consent; `*` is suppression of all, `third_party` the separate consent of PIPL art. 23, "
        "`profiling` the use of scores and tags of art. 24.",
        codes=(*PURPOSES, "*"),
    ),
    _text(
        "decision",
        "What the person said; `unreachable` is no word of theirs, but a vendor's that the contact is dead.",
        codes=DECISIONS,
    ),
    _at("decided_at", "When they said it."),
    _text("evidence", "Where the proof lies, or what a refusal rests on.", "none given"),
)

# Who is who.
_add(
    _text("link", "What is declared of two keys.", codes=("must", "cannot", "rebind")),
    _text("key_a", "One key; `#n` at its end is its n-th epoch.", pii="pseudonym"),
    _text("key_b", "The other key; of a rebind, which is about one number, the same key again.", pii="pseudonym"),
    Column("epoch", pl.Int64(), "Which of a number's successive owners; 1 where it never changed hands.", minimum=1),
    _text("own_id", "The one_id that this key has as an anchor: an old id is looked up here.", pii="pseudonym"),
    _text("key_class", "How much a key of this type proves.", codes=("strong", "linking", "weak")),
    _at("valid_from", "From when on the key belongs to this customer, inclusive.", "since ever"),
    _at("valid_to", "Until when it does, exclusive.", "still"),
    _text("one_id_a", "Customer of the one key.", "the key belongs to nobody", pii="pseudonym"),
    _text("one_id_b", "Customer of the other key.", "the key belongs to nobody", pii="pseudonym"),
    Column("distinct_days", pl.Int64(), "Business days on which the two were seen together.", unit="days", minimum=0),
    _text("old_id", "The customer id that the keys had at the date before.", pii="pseudonym"),
    _text("new_id", "The customer id that they have now; of a dissolved one, the old id again.", pii="pseudonym"),
    _text(
        "change", "What became of an old id (joined to another, divided, robbed of keys, left with none) or of a tag."
    ),
    _count("keys", "Keys that moved."),
)

# Events and touches.
_add(
    _text("event_id", "Event number of the source, or a hash of its content."),
    _text(
        "event",
        "Event in the canonical vocabulary; `other` is an event that it has no word for, event_name says which.",
        codes=EVENTS,
    ),
    _text("event_name", "The source's own name of the event."),
    _at("happened_at", "When it happened."),
    _on("happened_on", "Business date on which it happened."),
    _text("event_month", "Business month, YYYY-MM."),
    _text("campaign", "Campaign by its code.", "none"),
    _text("send_id", "`<vendor>/<campaign>/<send_on>`."),
    _text("recipient_key", "Contact or member key that the message goes to.", "no contact point", pii="pseudonym"),
    _text("vendor", "Vendor that sends the message."),
    _text("send_month", "Month of the send, YYYY-MM."),
    _on("send_on", "Business date of the send."),
    _fen("cost_fen", "Price of the message.", "not known"),
)

# What vendors count without saying who.
_add(
    _text("message_id", "Number of the message at the vendor."),
    _count("direct_received_count", "Devices that received it over the vendor's own connection.", "not reported"),
    _count("android_sent_count", "Sent over the Android makers' channels.", "not reported"),
    _count("android_received_count", "Received over the Android makers' channels.", "not reported"),
    _count("ios_sent_count", "Accepted by Apple's push service.", "not reported"),
    _count("ios_received_count", "Received on Apple devices.", "not reported"),
    _count("ios_message_received_count", "In-app messages received on Apple devices.", "not reported"),
    _count("windows_sent_count", "Accepted by Microsoft's push service.", "not reported"),
)

# The customer at a date.
_add(
    _text("one_id", "Stable id of the customer.", "anonymous", pii="pseudonym"),
    _on("as_of", "Business date: the end of that day in the brand's zone."),
    _at("first_seen_at", "Earliest event of the customer or key."),
    _days(
        "recency_days",
        "Days from the last qualifying payment in the window to as_of; 0 is today.",
        "none in the window",
    ),
    _days("days_since_order", "Days from the last qualifying payment in the whole life to as_of.", "never bought"),
    _count("frequency", "Distinct qualifying orders in the window, the parts of a split one together."),
    _fen("monetary_fen", "Net spend of qualifying orders in the window."),
    _count("frequency_scored", "Different purchase days in the window.", "the score rests on frequency itself"),
    _fen(
        "monetary_scored_fen",
        "What the monetary score rests on: spend with single huge purchases capped, or per order.",
        "the score rests on monetary_fen itself",
    ),
    _count("gross_orders", "Paid orders in the whole life, refunded ones included; the parts of a split one together."),
    _count("life_orders", "Qualifying orders in the whole life, the parts of a split one together."),
    _fen("life_net_fen", "Net spend of qualifying orders in the whole life: historic lifetime value."),
    _count("purchase_days", "Distinct days with a qualifying order in the whole life."),
    _on("first_order_on", "Business date of the first qualifying order.", "never bought"),
    _on("last_order_on", "Business date of the last qualifying order.", "never bought"),
    _rate("coupon_rate", "Share of the window's qualifying orders that used a coupon.", "no order in the window"),
    _rate("weekday_rate", "Share of the window's qualifying orders paid Monday to Friday.", "no order in the window"),
    _text("preferred_category", "Category with the largest spend in the window; ties by name.", "no categorised spend"),
    _fen("spend_3m_fen", "Net spend in the last 3 business months, this one included."),
    _score("r_score", "Recency score, higher is more recent."),
    _score("f_score", "Frequency score."),
    _score("m_score", "Monetary score."),
    _text(
        "rfm_cell",
        "High or low against the base's mean score, in the order R F M, such as HLH.",
        "outside the scored base",
    ),
    _text("segment", "Named segment of the policy's map."),
    _text("tier", "Spend tier by its code; `none` while a fraud flag stands."),
    Column("tier_level", pl.Int64(), "Rank of the tier, 0 is the base tier, -1 none.", minimum=-1, maximum=20),
    _text("tier_cause", "Why the tier is what it is after this review."),
    _on("tier_since", "Date of the last change of tier.", "never changed"),
    _on("tier_valid_until", "Last day on which the tier is safe.", "the base tier has no end"),
    _on("tier_grace_until", "Last day of grace.", "no grace is running"),
    _text("tier_granted_by", "Which threshold granted the tier.", "neither", codes=("up", "keep")),
    _on("tier_window_end", "End of the window that granted or renewed the tier.", "base tier"),
    _on("tier_locked_until", "End of a manual lock.", "no lock"),
    _text("tier_lock_reason", "Reason of the lock.", "no lock"),
    _fen("tier_spend_fen", "Net spend in the qualifying window at as_of."),
    _fen("tier_gap_fen", "Spend still needed for the next tier.", "highest tier"),
    _text("stage", "Lifecycle stage.", codes=STAGES),
    _text("dimension", "Which measure or label."),
    _text("tag", "Tag of the policy, by its code."),
    _text("from_value", "Value of the tag at the earlier date.", "no value, or the tag is no word"),
    _text("to_value", "Value of the tag at the later date.", "no value, or the tag is no word"),
    _count("customers", "Customers of whom this is so."),
    Column("score", pl.Int64(), "Score level.", minimum=1, maximum=10),
    Column(
        "cutoff",
        pl.Int64(),
        "Least value that earns the score, itself included; for r days counted negatively. Lower ones score 1, too.",
        "no customer earned it",
    ),
    _count("base_count", "Customers in the scored base."),
    _count("effective_levels", "Different scores really given."),
    _rate("max_tie_share", "Share of the base in the largest tie.", "empty base"),
    _text("method", "How the scores were made."),
    _text(
        "measure", "What the scored values are: days; orders or purchase_days; spend or spend_per_order, and its cap."
    ),
    _on(
        "computed_on",
        "Date on which the cut-offs were worked out; as_of where they were revised.",
        "edges of the policy",
    ),
    _on("from_as_of", "Earlier of the two dates."),
    _text("from_code", "Label at the earlier date; ENTERED for someone new."),
    _text("to_code", "Label at the later date; LEFT for someone gone."),
    _text("cause", "Difference between the dates that, added last, changed the label.", "stayed"),
    _text("label_path", "Labels on the way: `step=label` for each difference that changed it.", "stayed, came or went"),
    _text("metric", "Name of a key figure."),
    _text("segment_code", "Group that the figure is about; `all` for everyone."),
    Column("value", pl.Int64(), "Value in the unit that the metric's name says."),
)

# Campaigns.
_add(
    _text("experiment", "Immutable experiment id: the salt of the hash."),
    _text("unit", "Unit of assignment: a one_id.", pii="pseudonym"),
    _text("variant", "Variant that the unit drew.", "not assigned"),
    Column("bucket", pl.Int64(), "Hash bucket of the unit.", minimum=0, maximum=9999),
    _on("assigned_on", "Business date of the assignment."),
    Column("seq", pl.Int64(), "Number of the increment within a send, from 1.", "not delivered", minimum=1),
    _text("revision", "Folder name of the increment, `rev-<digest>`."),
    _count("rows", "Rows delivered in the increment."),
    _count("recalled", "Rows recalled in the increment."),
    _text("manifest_sha256", "SHA-256 of the increment's manifest."),
    _text("waterfall", "JSON: base, delivered and each reason with its count."),
    _at("published_at", "When the pointer moved.", logical=False),
)

# Coupon codes of one's own: who holds one can spend it, so the code itself is sealed like a contact.
_add(
    _text("pool", "Pool of coupon codes, by its name."),
    _text("code_key", "Name of a coupon code, `coupon::pseudonym`; the code is sealed in `contacts`.", pii="pseudonym"),
    _text("batch", "Batch in which the codes were made.", "not told"),
    _fen("face_fen", "What the coupon is worth.", "not told"),
    _on("valid_until", "Last day on which the coupon is taken.", "no end"),
    _at("allocated_at", "When the code was given to the person: the start of the run that planned the send."),
)

# What is left of a person who was forgotten.
_add(
    _text("mark", "Keyed HMAC-SHA256 of an identity key or record, under a key that does nothing else."),
    _text("mark_kind", "What the mark stands for.", codes=("key", "record")),
    _at("erased_at", "When the erasure was asked for."),
    _text("request_id", "Random id of the request for erasure; it tells nothing about the person."),
    _count("rows_erased", "Rows taken out of the stored file."),
    _text("erased_rows", "JSON: their numbers in the file as received, so that the numbers of all others still hold."),
    _text("raw_sha256", "SHA-256 of the sealed bytes that stand in place of those received."),
)

# What a customer does and is like.
_add(*TRAITS)
_add(*VALUE)
