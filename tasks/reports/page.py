"""Sections -> one HTML page. The same data gives the same bytes; the page loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import date

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tasks.reports.data import ReportData
from tasks.reports.sections.accounts import account_section, revenue_section
from tasks.reports.sections.campaigns import campaign_section
from tasks.reports.sections.headline import headline
from tasks.reports.sections.layers import pareto_section, rfm_section, stage_section, tier_section
from tasks.reports.sections.movement import movement_section
from tasks.reports.sections.provenance import provenance_section
from tasks.reports.sections.scores import score_section
from tasks.reports.view import Section, Tile
from tasks.reports.words import Text, brand_name

SECTIONS = (
    rfm_section, tier_section, pareto_section, stage_section, movement_section, score_section,
    campaign_section, revenue_section, account_section, provenance_section,
)  # fmt: skip


MONTHLY = Text("客户分层月报", "Customer layers")


def render(data: ReportData) -> str:
    """Make the page of one month, in Chinese and English."""
    return dress(
        MONTHLY, data.month, brand_name(data.policy), data.facts.as_of, headline(data),
        [section(data) for section in SECTIONS],
    )  # fmt: skip


def dress(title: Text, of: str, brand: Text, as_of: date, tiles: Sequence[Tile], sections: Sequence[Section]) -> str:
    """Make a page of tiles and sections; `of` is the month or day that stands beside the title."""
    environment = Environment(
        loader=PackageLoader("tasks.reports"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined, keep_trailing_newline=True,
    )  # fmt: skip
    style, script = (_source(environment, name) for name in ("report.css", "report.js"))
    return environment.get_template("report.html").render(
        title=title,
        of=of,
        brand=brand,
        as_of=as_of,
        tiles=tiles,
        sections=sections,
        style=Markup(style),  # noqa: S704 - the package's own files
        script=Markup(script),  # noqa: S704
        script_digest=_integrity(script),
        svg=Markup,
    )


def _source(environment: Environment, name: str) -> str:
    """A file of the package as it stands; it is no template."""
    if environment.loader is None:
        return ""
    return environment.loader.get_source(environment, name)[0]


def _integrity(script: str) -> str:
    """The digest by which the page's policy lets this one script run, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
