"""Which experiments concern a revision: a holdout stands until another is named in its place, and no longer."""

from datetime import UTC, date, datetime

from tasks.steps.holdouts import InForce
from tasks.stores.manifest import Manifest, Origin, Terms


def named(experiment: str | None, everywhere: str | None = None, purpose: str = "marketing") -> Manifest:
    day = date(2018, 1, 1)
    terms = Terms(touch_channel="sms", template="T", purpose=purpose, recipient="V", legal_role="entrusted",
                  expires_on=day)  # fmt: skip
    origin = Origin(
        policy_digest="p", code_version="c", snapshot_seq=1, as_of=day, key_id="k", waterfall={},
        consent_known_as_of=datetime(2018, 1, 1, tzinfo=UTC), holdout_experiment=experiment,
        global_holdout_experiment=everywhere,
    )  # fmt: skip
    return Manifest(
        send_id="v/c/2018-01-01", vendor="v", campaign="c", send_on=day, seq=1, revision="r", columns=(), encoding="",
        line_end="", with_header=True, parts=(), rows=0, total_bytes=0, seeds=0, recalled=0, people_sha256="",
        terms=terms, origin=origin,
    )  # fmt: skip


def in_force(*days: tuple[Manifest, ...]) -> list[list[list[str]]]:
    force, told = InForce(own={"c": {"first"}}), []
    for day in days:
        force.hear(day)
        told.append([force.of(manifest) for manifest in day])
    return told


def test_a_holdout_ends_when_another_is_named_in_its_place() -> None:
    assert in_force((named("H1"),), (named("H2"),), (named(None),)) == [[["H1"]], [["H2"]], [["H2"]]]


def test_a_holdout_that_a_policy_forgets_stands() -> None:
    assert in_force((named(None),), (named("H1"),), (named(None),)) == [[["first"]], [["H1"]], [["H1"]]]


def test_one_changed_within_a_day_holds_for_the_revisions_that_name_it() -> None:
    assert in_force((named("H1"), named("H2")), (named(None),)) == [[["H1"], ["H2"]], [["H1", "H2"]]]


def test_the_holdout_from_everything_stands_too_but_not_for_services() -> None:
    assert in_force((named("H1", "all"),), (named("H1"), named("H1", purpose="service"))) == [
        [["H1", "all"]],
        [["H1", "all"], ["H1"]],
    ]
