"""The demo: a real retailer's year and a small brand's months, through every room of the house, into ./lake."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.campaign import campaign
from flows.month import month
from flows.parameters import CampaignParameters, MonthParameters, ReportParameters
from flows.report import report
from infra.demo import complete_journey, demo_cn
from infra.demo.complete_journey import plan as journey
from infra.demo.complete_journey.exports import write_exports
from infra.demo.demo_cn import plan as qinghe
from infra.demo.demo_cn.exports import write_exports as write_shops
from infra.demo.receipts import Receipt, day_after
from tasks.errors import MissingDataError

SEND_ON = day_after("2017-12")
CAMPAIGNS = ("winback_sms", "welcome_push")
Step = tuple[str, Callable[[], Any]]


@dataclass(frozen=True)
class Brand:
    """One demo brand: where its policy and exports lie, and when its files arrive."""

    code: str
    policy: str
    exports: Path
    months: tuple[str, ...]
    receipts: tuple[Receipt, ...]

    def inbox(self, name: str) -> Iterator[Receipt]:
        """What arrives for a month."""
        return (receipt for receipt in self.receipts if receipt.month == name)


def brands(lake: Path) -> tuple[Brand, Brand]:
    """Both demo brands; the exports of the first come from its Python package, those of the second are generated."""
    exports = lake / "exports" / "complete_journey"
    return (
        Brand("complete_journey", _policy(complete_journey), exports, journey.MONTHS, journey.RECEIPTS),
        Brand("demo_cn", _policy(demo_cn), lake / "exports" / "demo_cn", qinghe.MONTHS, qinghe.MONTHLY),
    )


def steps_of(lake: Path, code: str) -> list[Step]:
    """Everything the demo does for one brand, in order, each with the words that say what it is."""
    first, second = brands(lake)
    if code == second.code:
        return [("demo_cn: inventing its orders", lambda: write_shops(second.exports)), *_months(lake, second)]
    write: Step = ("complete_journey: writing its monthly exports", lambda: _write(first.exports))
    sends: list[Step] = [(f"campaign {name}", _campaign_step(lake, first, name)) for name in CAMPAIGNS]
    page: Step = ("report 2017-12 with its campaigns", _report_step(lake, first, "2017-12"))
    return [write, *_months(lake, first), *sends, page]


def _months(lake: Path, brand: Brand) -> list[Step]:
    return [(f"{brand.code} {name}", _month_step(lake, brand, name)) for name in brand.months]


def _write(folder: Path) -> list[str]:
    try:
        return [str(path) for path in write_exports(folder)]
    except ModuleNotFoundError as error:
        raise MissingDataError(
            f"{error.name} is not installed", expected="the locked extra `demo`", next_step="run `make demo`"
        ) from error


def _month_step(lake: Path, brand: Brand, name: str) -> Callable[[], Any]:
    """A month as it would have happened: its files on the day they came, then what that day knew."""

    def run() -> dict[str, Any]:
        summary: dict[str, Any] = {}
        arrived = list(brand.inbox(name))
        told = {"lake": f"{lake}/{brand.code}", "policy": brand.policy, "known_as_of": str(day_after(name))}
        for receipt in arrived:
            exported_at = receipt.exported_at.isoformat() if receipt.exported_at else ""
            times = {"received_at": receipt.received_at.isoformat(), "exported_at": exported_at}
            paths = tuple(str(brand.exports / path) for path in receipt.paths)
            summary = month(MonthParameters(month=name, inbox=paths, **times, **told))
        return summary or month(MonthParameters(month=name, **told))

    return run


def _campaign_step(lake: Path, brand: Brand, name: str) -> Callable[[], Any]:
    told = CampaignParameters(
        name=name,
        send_on=SEND_ON,
        today=SEND_ON,
        known_as_of=str(SEND_ON),
        lake=f"{lake}/{brand.code}",
        policy=brand.policy,
    )
    return lambda: campaign(told)


def _report_step(lake: Path, brand: Brand, name: str) -> Callable[[], Any]:
    return lambda: report(ReportParameters(month=name, lake=f"{lake}/{brand.code}", policy=brand.policy))


def _policy(package: Any) -> str:
    return str(Path(str(package.__file__)).parent / "policy")
