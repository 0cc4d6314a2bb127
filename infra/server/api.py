"""What `make up` asks of the Prefect server over HTTP: is it there, is the worker, which runs died unseen."""

import json
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

POOL = "strata"
ANSWER_SECONDS = 30
_opener = build_opener(ProxyHandler({}))
"""Loopback never goes through a proxy."""


def ask(api: str, path: str, body: Any = None, method: str | None = None) -> Any:
    """Return the server's answer: GET, or POST when there is a body, unless told; HTTPError when it refuses."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{api}{path}", data, headers, method=method)  # noqa: S310  our own server
    with _opener.open(request, timeout=ANSWER_SECONDS) as answer:
        return json.loads(answer.read() or b"null")


def is_healthy(api: str) -> bool:
    """True when the server answers, and can reach its database."""
    try:
        return ask(api, "/ready") is not None
    except (URLError, OSError):
        return False


def has_worker(api: str) -> bool:
    """True when a worker has said within its heart-beat that it serves the pool."""
    try:
        workers = ask(api, f"/work_pools/{POOL}/workers/filter", {})
    except (URLError, OSError):  # the pool is there once the first worker has come
        return False
    return any(worker["status"] == "ONLINE" for worker in workers)


def bury_dead_runs(api: str) -> int:
    """Mark runs as crashed that no process runs any more, and count them; call it while no worker is up.

    A killed process cannot report its end: its run would show as running for ever.
    """
    alive = {"flow_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING", "PAUSED", "CANCELLING"]}}}}
    dead = ask(api, "/flow_runs/filter", alive | {"work_pools": {"name": {"any_": [POOL]}}})
    crashed = {"state": {"type": "CRASHED", "message": "its process is gone; start it again"}, "force": True}
    for run in dead:
        ask(api, f"/flow_runs/{run['id']}/set_state", crashed)
    return len(dead)
