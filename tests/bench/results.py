"""What every side of the bench writes: one row per customer, sorted by one_id."""

COLUMNS = (
    "one_id", "recency_days", "frequency", "monetary_fen", "r_score", "f_score", "m_score",
    "tier", "tier_level", "tier_cause", "tier_since", "tier_valid_until", "tier_spend_fen", "tier_gap_fen",
)  # fmt: skip
