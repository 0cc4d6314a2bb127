"""How recency, frequency and monetary value are measured, cut into scores, and how long a cut stands."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.policy.base import Code, Rule

Dimension = Literal["r", "f", "m"]
Method = Literal["quantile_min_rank", "quantile_mid_rank", "fixed_edges", "clusters"]
DIMENSIONS: tuple[Dimension, ...] = ("r", "f", "m")
LEAST_LEVELS, MOST_LEVELS = 3, 10


class Scale(Rule):
    """How one dimension is scored, where it differs from the others."""

    method: Method | None = Field(default=None, description="in place of the method of all")
    levels: int | None = Field(
        default=None, ge=LEAST_LEVELS, le=MOST_LEVELS, description="in place of the levels of all"
    )
    edges: tuple[int, ...] = Field(
        default=(),
        description="fixed_edges: r the most days of each score from the best down, such as 30, 60, 90, 180; f and m "
        "the least value of each score from 2 up, such as 2, 3, 5, 8, in orders and in fen",
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        """Refuse edges that do not rise, that nothing reads, or that make another number of levels than is said."""
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"edges must rise, found {list(self.edges)}")
        if self.edges and self.method not in (None, "fixed_edges"):
            raise ValueError(f"edges are not read by the method {self.method}; leave them out")
        if self.edges and self.levels not in (None, len(self.edges) + 1):
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} levels, not {self.levels}")
        return self


class Winsorise(Rule):
    """How single huge purchases are tamed before money is scored; the raw sum stays beside it (algorithms §2)."""

    percentile: Decimal = Field(
        default=Decimal("99.5"), gt=50, lt=100, decimal_places=2, description="nearest rank on the scored base"
    )
    of: Literal["orders", "customers"] = Field(
        default="orders", description="what is capped: the net value of single orders, or a customer's value"
    )


class Rfm(Rule):
    """How recency, frequency and monetary value are measured and scored."""

    preset: Code | None = Field(
        default=None, description="industry whose numbers stand where this file gives none: tasks/policy/presets/rfm"
    )
    window_days: int = Field(default=365, ge=1, description="days up to as_of whose payments are measured")
    levels: int = Field(default=5, ge=LEAST_LEVELS, le=MOST_LEVELS, description="scores run from 1 to this")
    method: Method = Field(
        default="quantile_min_rank",
        description="exact quantiles, where equal values share the lower or the middle score; edges of your own; or "
        "the clusters with the least squared distance",
    )
    r: Scale = Field(default=Scale(), description="recency, where it differs")
    f: Scale = Field(default=Scale(), description="frequency, where it differs")
    m: Scale = Field(default=Scale(), description="money, where it differs")
    frequency: Literal["orders", "purchase_days"] = Field(
        default="orders", description="what frequency counts: orders, or different days with an order"
    )
    monetary: Literal["spend", "spend_per_order"] = Field(
        default="spend", description="what money means: net spend in the window, or that per order in whole fen"
    )
    winsorise: Winsorise | None = Field(default=None, description="cap on huge purchases")
    high_above: dict[Dimension, int] = Field(
        default_factory=dict, description="score above which a dimension is high in the eight cells, not its mean"
    )
    revise: Literal["each_refresh", "monthly", "quarterly"] = Field(
        default="each_refresh", description="how long cut-offs stand until a refresh works them out again"
    )
    maturity_days: int = Field(default=0, ge=0, description="days before a payment counts")
    warn_base_below: int = Field(default=200, description="a smaller base makes quantiles coarse")
    warn_tie_share: float = Field(default=0.4, description="a larger tie makes quantiles coarse")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Refuse fixed edges that are not given, edges without the method, and too few or too many of them."""
        for name in DIMENSIONS:
            edges, fixed = self.scale(name).edges, self.method_of(name) == "fixed_edges"
            if bool(edges) != fixed:
                raise ValueError(f"{name}: edges and the method fixed_edges belong together")
            if fixed and not LEAST_LEVELS <= self.levels_of(name) <= MOST_LEVELS:
                raise ValueError(f"{name}: expected {LEAST_LEVELS - 1} to {MOST_LEVELS - 1} edges, found {len(edges)}")
        return self

    def scale(self, dimension: Dimension) -> Scale:
        """What is said of one dimension alone."""
        return {"r": self.r, "f": self.f, "m": self.m}[dimension]

    def method_of(self, dimension: Dimension) -> Method:
        """How one dimension is scored."""
        return self.scale(dimension).method or self.method

    def levels_of(self, dimension: Dimension) -> int:
        """The best score of one dimension."""
        scale = self.scale(dimension)
        return len(scale.edges) + 1 if scale.edges else scale.levels or self.levels

    def measure_of(self, dimension: Dimension) -> str:
        """What the values of one dimension are, as the cut-offs name it."""
        capped = "" if self.winsorise is None else f", {self.winsorise.of} capped at P{self.winsorise.percentile}"
        return {"r": "days", "f": self.frequency, "m": f"{self.monetary}{capped}"}[dimension]
