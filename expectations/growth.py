"""The columns of traits that tell of growth points and of the year's promotions."""

from expectations.columns import Column, count, fen, rate, text

GROWTH: tuple[Column, ...] = (
    count("growth_points", "Points for spend and actions in the policy's window."),
    text("growth_level", "Step of the growth ladder that the points reach.", "never null"),
    text("promotion", "The last promotion of the calendar that had begun.", "none in the last year"),
    fen("promotion_fen", "Net spend of qualifying orders paid in it, up to as_of."),
    rate("promotion_rate", "Share of the window's qualifying orders paid in any promotion.", "no order in the window"),
)

GROWTH_COLUMNS = "growth_points growth_level promotion? promotion_fen promotion_rate?"
