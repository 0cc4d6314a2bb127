"""The columns of the table traits that tell of habits, wallet, stock, influence, home and persona."""

import polars as pl

from expectations.columns import Column, count, fen, on, rate, text

PAYMENT_METHODS = ("alipay", "wechat", "card", "cod", "other")
_NO_HABIT = "too few orders in the window"
_NOT_BOUGHT = "no order in the window"

HABITS: tuple[Column, ...] = (
    Column("preferred_hour", pl.Int64(), "Hour at which most orders are paid.", _NO_HABIT, minimum=0, maximum=23),
    text("preferred_hour_band", "Part of the day in which most orders are paid, by the policy.", _NO_HABIT),
    Column("preferred_weekday", pl.Int64(), "Weekday of most orders, 1 is Monday.", _NO_HABIT, minimum=1, maximum=7),
    text("preferred_channel", "Channel with most orders in the window.", _NOT_BOUGHT),
    Column(
        "preferred_payment",
        pl.String(),
        "How most orders in the window were paid.",
        "of no order in the window the channel says how",
        codes=PAYMENT_METHODS,
    ),
    text("preferred_brand", "Brand with the largest net spend in the window.", "no spend on a known brand"),
    count("orders_30d", "Qualifying orders of the last 30 days."),
    count("orders_90d", "Qualifying orders of the last 90 days."),
    fen("spend_90d_fen", "Net spend in the last 90 days."),
    fen("spend_prev_90d_fen", "Net spend in the 90 days before those."),
    fen("max_month_spend_fen", "Most net spend in one of the last 12 business months, this one included."),
    rate("discount_rate", "Share of the list price taken off the window's orders, coupons included.", _NOT_BOUGHT),
    text("price_sensitivity", "How much somebody minds the price, by the policy's bands.", _NOT_BOUGHT),
    count("categories", "Categories with net spend in the window."),
    rate("category_share", "Share of wallet: the preferred category's part of it.", "no categorised spend"),
    text("second_category", "Category with the second largest net spend in the window.", "there is none"),
    text("restock_category", "Category that is due to be bought again first.", "nothing is due"),
    Column(
        "restock_cycle_days", pl.Int64(), "Days that a purchase of it lasts.", "nothing is due", unit="days", minimum=1
    ),
    on("restock_due_on", "Day on which it is due; past where it is late.", "nothing is due"),
    text(
        "companion_category",
        "Category not bought yet that goes best with those that were, by the association rules.",
        "no rule offers one",
    ),
    count("content_30d", "Things published in the last 30 days, by the policy's list of events."),
    Column(
        "koc_score",
        pl.Int64(),
        "Points of the score card of key opinion consumers.",
        "the brand has no events of content or referral",
        unit="points",
        minimum=0,
        maximum=100,
    ),
    text("koc_level", "Rung of the ladder of key opinion consumers; `none` is below it.", "as koc_score"),
    Column(
        "referral_coefficient",
        pl.Float64(),
        "People referred for each thing that was shared.",
        "nothing was shared",
        unit="rounded to 4 digits",
        minimum=0,
    ),
    text("home_store", "Store with most orders in the window, `channel:shop`.", "no order at a store"),
    text("cluster", "Group of customers alike in several dimensions, by its profile.", "outside the scored base"),
)

HABIT_COLUMNS = """
preferred_hour? preferred_hour_band? preferred_weekday? preferred_channel? preferred_payment? preferred_brand?
orders_30d orders_90d spend_90d_fen spend_prev_90d_fen max_month_spend_fen discount_rate? price_sensitivity?
categories category_share? second_category? restock_category? restock_cycle_days? restock_due_on? companion_category?
content_30d koc_score? koc_level? referral_coefficient? home_store? adviser_id? gender? birth_month? age_band?
province? city? income_band? household_size? kids_count? member_level? source_tags? cluster?
"""
