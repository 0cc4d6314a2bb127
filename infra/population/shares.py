"""How often things happen in the invented population, each with its reason. Shares are in 100,000."""

from typing import NamedTuple

DAY = 86_400
SPAN = 730 * DAY
"""Two years of records, in seconds."""


class Shares(NamedTuple):
    """The habits of a Chinese brand with a marketplace shop, a mini-program, tills, JD, a web shop and advisers."""

    home: tuple[int, ...] = (38_000, 30_000, 20_000, 7_000, 5_000)
    """Where people first bought: taobao, wxmini, pos, jd, web. Three of five buy in one channel for ever."""
    also: tuple[int, ...] = (10_000, 15_000, 12_000, 3_000, 2_000)
    """Those who buy there besides their first channel."""
    adviser: int = 18_000
    """Of people of mini-program or till: follow an adviser in WeCom."""
    listed: int = 10_000
    """Of card holders: stand in a list of an older system, which has nothing but card and phone."""

    api: int = 60_000
    """Of marketplace accounts: read by interface, which tells the shop's own id (ouid) beside the nick."""
    taobao_bound: int = 55_000
    """Of marketplace buyers: joined the brand's programme there, which tells their phone. The rest is never told."""
    jd_bound: int = 40_000
    wxmini_phone: int = 88_000
    """Of mini-program users: allowed their phone number to be read; the rest looks around and pays as a guest."""
    web_phone: int = 60_000
    unionid_known: int = 85_000
    """Of WeCom contacts: followed the account that tells the unionid."""
    card: int = 97_000
    """Of those who gave a phone in mini-program, till or marketplace programme: the programme opened a card for it."""
    card_shown: int = 85_000
    """Of till orders: under the card. The others have nothing but a phone."""
    phone_beside_card: int = 70_000
    """Of those: the clerk typed the phone as well."""
    phone_on_order: int = 60_000
    """Of web orders: with the phone of the account."""
    mini_order: int = 60_000
    """Of visits to the mini-program: with an order. The others only log in."""
    noted: int = 30_000
    """Of advisers' contacts: the adviser noted a phone, which is a contact and no key."""

    changed_phone: int = 14_000
    """Change their number within two years; the operators' own number is about 7 % a year."""
    second_phone: int = 8_000
    """Have two numbers: China has 1.2 mobile lines a head."""
    line_used: int = 30_000
    """Of their accounts: on the second number."""
    second_account: int = 4_000
    """Of marketplace and mini-program users: a second account there."""
    same_phone: int = 15_000
    """Of second accounts: on the same phone. Platforms want a number of its own for each account."""
    second_card: int = 1_500
    """Of card holders at tills: a second card, on whatever number they gave that day."""

    family: int = 1_000
    """Of people: give the phone of somebody in the family, who is a customer too, with some orders. About one customer
    in twenty lives with another, and one of five of these orders under both numbers."""
    family_only: int = 5_000
    """Of these: have no number of their own. Children and the very old; with 1.2 lines a head they are few."""
    family_orders: int = 25_000
    """Of the orders of the others: under the family's number."""
    recycled: int = 500
    """Of people: were given a number that a customer of the same brand had before. Operators give some 3 % of all
    numbers out again each year; that both owners buy at one brand is far rarer than here, where it must show."""
    recycled_soon: int = 15_000
    """Of these: within 90 to 180 days, when no silence tells the owners apart. Operators wait for 90 days."""
    mistyped: int = 600
    """Of numbers typed at a till. One wrong key in 11 digits at a wholly usual rate of 0.05 % a key."""
    mistyped_hit: int = 5_000
    """Of these: hit the number of another customer. With a million customers in 1.7 billion numbers chance would
    give 60; it is set high because these are the dangerous ones."""
    till_phone: int = 2_000
    """Of till orders: the clerk typed the shop's phone or their own, because the customer would not say theirs."""
    hotline: int = 500
    """Of rows of lists: the shop's hotline stands in the phone's column."""
    agent_every: int = 2_000
    """One person in so many opens cards for friends under their own phone and orders for strangers."""
    through_agent: int = 500
    """Of cards at tills: opened under the phone of such an agent."""


CHANNELS = ("taobao", "wxmini", "pos", "jd", "web")
