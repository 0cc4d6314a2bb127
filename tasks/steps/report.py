"""Write the month's report page: one task that reads what the lake says of a date and renders it."""

from datetime import date, timedelta

import polars as pl
from prefect import task

from tasks.errors import MissingDataError
from tasks.policy.models import Policy
from tasks.refs import Run, Snapshot
from tasks.reports.data import FUNNEL, SPENT, ReportData, RunFacts
from tasks.reports.inputs import count_refusals, monthly_revenue
from tasks.steps.house import lake_at, objects_at, policy_of, snapshot_of
from tasks.steps.inputs import as_of, refresh_inputs
from tasks.stores.tables import Lake
from tasks.transforms.funnel import funnel
from tasks.transforms.inputs import orders_at
from tasks.transforms.lineage import aliases
from tasks.transforms.orders import known_at, owned_orders


@task(name="write report", task_run_name="report of {run.as_of}")
def write_report(run: Run) -> str:
    """Render the report of the run's date unless it stands from the same inputs; return its key."""
    folder, objects = f"reports/{as_of(run):%Y-%m}", objects_at(run.lake)
    page, inputs = f"{folder}/index.html", f"{folder}/inputs.sha256"
    if objects.head(page) is None or objects.head(inputs) is None or objects.read(inputs) != run.inputs_digest.encode():
        from tasks.reports.page import render  # noqa: PLC0415  charts take seconds to import

        objects.put(page, render(report_data(run, policy_of(run))).encode())
        objects.put(inputs, run.inputs_digest.encode())
    return page


def report_data(run: Run, policy: Policy) -> ReportData:
    """Everything that the page shows, as the snapshot has it."""
    lake, snapshot, day = lake_at(run.lake), snapshot_of(run), as_of(run)
    inputs = refresh_inputs(run, policy)
    previous = inputs.previous_as_of
    identities = lake.scan("identities", snapshot, partitions=[day])
    sends = _sends(lake, snapshot, day)
    files = lake.scan("files", snapshot).filter(pl.col("received_at") <= run.known_as_of).collect()
    return ReportData(
        policy=policy,
        month=f"{day:%Y-%m}",
        facts=RunFacts(day, run.policy_digest, run.code_version, run.base_seq, run.known_as_of, previous),
        customers=_customers(lake, snapshot, day),
        previous=lake.scan("customers", snapshot, partitions=[previous] if previous else []).collect(),
        cutoffs=lake.scan("cutoffs", snapshot, partitions=[day]).collect(),
        migrations=lake.scan("migrations", snapshot, partitions=[day]).collect(),
        files=files,
        refusals=_refusals(lake, snapshot, files),
        revenue=monthly_revenue(orders_at(inputs, identities, day)).collect(),
        audience_members=sends,
        deliveries=_deliveries(lake, snapshot, sends),
        metrics=lake.scan("metrics", snapshot, partitions=[day]).collect(),
        funnel=_funnel(run, policy, identities, sends),
        spent=_spent(run, sends),
    )


def _customers(lake: Lake, snapshot: Snapshot, day: date) -> pl.DataFrame:
    customers = lake.scan("customers", snapshot, partitions=[day]).collect()
    if customers.is_empty():
        raise MissingDataError(
            f"there are no customers at {day}", expected="a refresh of that date",
            next_step=f"run `strata refresh --as-of {day}`",
        )  # fmt: skip
    return customers


def _refusals(lake: Lake, snapshot: Snapshot, files: pl.DataFrame) -> pl.DataFrame:
    """Refused rows of these files, by rule."""
    own = files.lazy().select(file_sha256="sha256")
    return lake.scan("quarantine", snapshot).join(own, on="file_sha256", how="semi").pipe(count_refusals).collect()


def is_shown(day: date) -> pl.Expr:
    """Whether a row belongs to a send of the month after: those are the sends that used this date's customers."""
    until = (day + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return pl.col("send_on").is_between(day, until, closed="right")


def _sends(lake: Lake, snapshot: Snapshot, day: date) -> pl.DataFrame:
    """The members of the sends that the page shows."""
    return lake.scan("audience_members", snapshot).filter(is_shown(day)).collect()


def _funnel(run: Run, policy: Policy, identities: pl.LazyFrame, sends: pl.DataFrame) -> pl.DataFrame:
    """How far the messages of these sends came, as known at the run's limit."""
    lake, snapshot = lake_at(run.lake), snapshot_of(run)
    touches, orders = lake.scan("touches", snapshot), lake.scan("orders", snapshot)
    if run.known_as_of is not None:
        touches = touches.filter(pl.col("known_from") <= run.known_as_of)
        orders = known_at(orders, run.known_as_of)
    told = funnel(touches, owned_orders(orders, identities), aliases(identities), policy.brand.zone)
    own = sends.lazy().select("send_id").unique()
    return told.join(own, on="send_id", how="semi").select(FUNNEL.names()).collect()


def _spent(run: Run, sends: pl.DataFrame) -> pl.DataFrame:
    """What the messages of these sends cost by the ledger, each handed over counted once."""
    touches = lake_at(run.lake).scan("touches", snapshot_of(run))
    if run.known_as_of is not None:
        touches = touches.filter(pl.col("known_from") <= run.known_as_of)
    handed = touches.filter(
        pl.col("kind") == "handed_over", pl.col("send_id").is_in(sends["send_id"].unique().to_list())
    )
    each = handed.group_by("send_id", "recipient_key").agg(pl.col("cost_fen").max())
    return each.group_by("send_id").agg(price_fen=pl.col("cost_fen").sum()).collect().cast(SPENT)


def _deliveries(lake: Lake, snapshot: Snapshot, sends: pl.DataFrame) -> pl.DataFrame:
    return lake.scan("deliveries", snapshot).collect().join(sends.select("send_id").unique(), on="send_id", how="semi")
