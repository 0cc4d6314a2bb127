"""The columns of the table traits: what a customer does and is like, beside the money facts of customers.

A module of tasks/transforms/traits adds its columns here, in TRAITS and TRAIT_COLUMNS.
"""

from expectations.columns import Column, count, days, flag, on, text
from expectations.growth import GROWTH, GROWTH_COLUMNS
from expectations.habits import HABIT_COLUMNS, HABITS

ACTIVITIES = ("high", "middle", "low", "none", "unknown")
SCENARIO_KINDS = ("checkout", "cart", "coupon", "newcomer")
BROWSING_TYPES = ("content_browser", "price_comparer", "impulse_buyer", "mixed", "unknown")
DECISION_TYPES = ("explorer", "decider", "mixed", "unknown")

TRAITS: tuple[Column, ...] = (
    on("member_since_on", "Day on which the person joined the brand's programme first.", "no profile says"),
    days("median_gap_days", "Median gap between purchase days, half a day up.", "fewer than two purchase days"),
    days("cycle_days", "Purchase cycle by which the customer is measured, within the policy's limits.", "never bought"),
    text(
        "cycle_basis",
        "Whose cycle that is: their own, the median of their category's or of all customers, or the policy's.",
        "never bought",
        codes=("own", "category", "base", "otherwise"),
    ),
    count("interactions_7d", "Interactions, by the policy's list of events, in the last 7 days."),
    count("interactions_30d", "Interactions, by the policy's list of events, in the last 30 days."),
    count("logins_7d", "Log-ins in the last 7 days."),
    count("logins_30d", "Log-ins in the last 30 days."),
    count("views_7d", "Products and pages looked at in the last 7 days."),
    count("views_30d", "Products and pages looked at in the last 30 days."),
    count("searches_30d", "Searches in the last 30 days."),
    count("favourites_30d", "Products put among the favourites in the last 30 days."),
    count("carts_30d", "Times that something was put into the cart in the last 30 days."),
    count("checkouts_30d", "Checkouts begun in the last 30 days."),
    count("shares_30d", "Things shared in the last 30 days."),
    count("messages_7d", "Messages written to the brand or in its groups in the last 7 days."),
    count("messages_30d", "Messages written to the brand or in its groups in the last 30 days."),
    count("live_30d", "Live streams watched or joined in on in the last 30 days."),
    count("coupons_claimed_30d", "Coupons claimed in the last 30 days."),
    count("coupons_used_30d", "Coupons used, as events tell, in the last 30 days."),
    count("reviews_30d", "Reviews written in the last 30 days."),
    count("services_30d", "Requests to customer service in the last 30 days."),
    count("posts_30d", "Posts published in the last 30 days."),
    count("visits_30d", "Visits to a store in the last 30 days."),
    count("referrals_life", "People referred in the whole life."),
    on("last_active_on", "Day of the last interaction.", "none is known"),
    days("days_since_active", "Days from the last interaction to as_of.", "none is known"),
    days("days_since_login", "Days from the last log-in to as_of.", "none is known"),
    flag("is_active", "At least as many log-ins in 7 days as the policy asks for.", "the brand has no log-ins at all"),
    text("activity", "How much somebody interacts; `unknown` where the brand has no events at all.", codes=ACTIVITIES),
    flag("silent_behaviour", "Silent by behaviour: neither an order nor an interaction for some time (policy)."),
    flag("silent_value", "Silent by value: once spent much in a month, and no order for some time (policy)."),
    flag("silent_scenario", "Silent by scenario: something was started and not finished."),
    text("silent_scenario_kind", "What was started and not finished.", "nothing", codes=SCENARIO_KINDS),
    flag("silent_latent", "Latent: 30 to 90 days (policy) without a log-in.", "the brand has no log-ins at all"),
    flag("silent_again", "Nothing but silence for 7 days (policy) after a recall, and ever since."),
    flag("early_warning", "New member, some days without an order (policy), and without any before."),
    flag("is_potential", "Few orders, a member for some months, active without buying (policy)."),
    text("browsing_type", "How somebody looks around, by the policy's counts of events.", codes=BROWSING_TYPES),
    text("decision_type", "How somebody decides, by the policy's counts of events.", codes=DECISION_TYPES),
    *HABITS,
    *GROWTH,
)

TRAIT_COLUMNS = f"""
one_id as_of member_since_on? median_gap_days? cycle_days? cycle_basis?
interactions_7d interactions_30d logins_7d logins_30d views_7d views_30d searches_30d favourites_30d carts_30d
checkouts_30d shares_30d messages_7d messages_30d live_30d coupons_claimed_30d coupons_used_30d reviews_30d
services_30d posts_30d visits_30d referrals_life last_active_on? days_since_active? days_since_login? is_active?
activity silent_behaviour silent_value silent_scenario silent_scenario_kind? silent_latent? silent_again early_warning
is_potential browsing_type decision_type
{HABIT_COLUMNS}
{GROWTH_COLUMNS}"""
