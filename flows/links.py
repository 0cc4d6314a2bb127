"""What `strata links` does: signs links to the files of a send. No flow: a run's record would keep them."""

from typing import Any

from flows.begin import last_policy
from tasks.errors import ConfigurationError
from tasks.settings import Settings
from tasks.steps.house import objects_at
from tasks.stores.links import links_of
from tasks.stores.sends import Send


def links(send_id: str, minutes: int, uri: str = "") -> list[dict[str, Any]]:
    """One row per file: its key, its link, when that ends, and the SHA-256 of what it gives."""
    lake = uri or Settings().lake
    send = _parsed(send_id)
    outbox = objects_at(Settings().outbox or f"{lake.rstrip('/')}/outbox")
    signed = links_of(outbox, send, last_policy(lake).vendor(send.vendor), minutes)
    return [
        {"file": link.key, "until": f"{link.expires_at:%Y-%m-%d %H:%M}Z", "sha256": link.sha256, "link": link.url}
        for link in signed
    ]


def _parsed(send_id: str) -> Send:
    try:
        return Send.parse(send_id)
    except ValueError as error:
        raise ConfigurationError(
            f"`{send_id}` is no send", expected="VENDOR/CAMPAIGN/DATE, such as demo_sms/winback_sms/2018-01-01",
            next_step="`strata runs` and the vendor's INDEX.json name the sends",
        ) from error  # fmt: skip
