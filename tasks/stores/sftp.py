"""Files put on a vendor's SFTP server: temporary name, fsync, rename, read back. The server's key is pinned.

Nothing of the machine's own SSH set-up is read: no config, no agent, no known_hosts, no key of the user's.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple

import asyncssh

from tasks.errors import ConfigurationError, DamagedError, SecurityRefusedError, StoreUnavailableError, StrataError
from tasks.policy.transport import SftpDrop

CHUNK_BYTES: Final = 1 << 18
CONNECT_SECONDS: Final = 20
TEMPORARY: Final = ".strata-tmp-"
"""Vendors' machines leave hidden files alone; ours go with the next attempt at the same name."""

_REFUSALS = (
    asyncssh.PermissionDenied,
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.SFTPNoSuchFile,
    asyncssh.KeyImportError,
    asyncssh.KeyEncryptionError,
)
CLIENT_ERRORS = (asyncssh.Error, asyncssh.KeyImportError, asyncssh.KeyEncryptionError, OSError, asyncio.TimeoutError)
"""Everything that SSH and SFTP raise about a request."""


class Secret(NamedTuple):
    """How we prove who we are: a private key in OpenSSH's form, or a password."""

    key: str = ""
    passphrase: str | None = None
    password: str | None = None


class SftpFolder:
    """One folder of a vendor's server."""

    def __init__(self, client: asyncssh.SFTPClient, root: str) -> None:
        """Take a session that is open; `opened` makes one."""
        self._client, self._root = client, root.rstrip("/")

    async def sha256(self, name: str) -> str | None:
        """SHA-256 of a file as it lies there, None where there is none."""
        digest = hashlib.sha256()
        try:
            async with self._client.open(self._path(name), "rb") as file:
                while chunk := await file.read(CHUNK_BYTES):
                    digest.update(chunk if isinstance(chunk, bytes) else chunk.encode())
        except asyncssh.SFTPNoSuchFile:
            return None
        return digest.hexdigest()

    async def put(self, name: str, data: bytes) -> None:
        """Write a file so that it appears whole, unless it is there; DamagedError if it reads back otherwise."""
        wanted = hashlib.sha256(data).hexdigest()
        if await self.sha256(name) == wanted:
            return
        folder, _, own = self._path(name).rpartition("/")
        await self._client.makedirs(folder, exist_ok=True)
        await self._write(f"{folder}/{TEMPORARY}{own}", data)
        await self._rename(f"{folder}/{TEMPORARY}{own}", self._path(name))
        if await self.sha256(name) != wanted:
            raise DamagedError(
                f"{name} reads back from the vendor's server with other bytes", expected=f"SHA-256 {wanted}",
                next_step="run again; if it stays, ask the vendor whether its server changes files on arrival",
            )  # fmt: skip

    async def _write(self, path: str, data: bytes) -> None:
        async with self._client.open(path, "wb") as file:
            await file.write(data)
            with suppress(asyncssh.SFTPOpUnsupported):  # not every server can
                await file.fsync()

    async def _rename(self, old: str, new: str) -> None:
        """Put it at its name, over what is there; in two steps where the server cannot in one: no mark stands yet."""
        try:
            await self._client.posix_rename(old, new)
        except asyncssh.SFTPOpUnsupported:
            with suppress(asyncssh.SFTPNoSuchFile):
                await self._client.remove(new)
            await self._client.rename(old, new)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


@asynccontextmanager
async def opened(drop: SftpDrop, secret: Secret) -> AsyncIterator[SftpFolder]:
    """Log in and hand over the folder; whatever fails on the way is one of our errors."""
    try:
        async with (
            asyncssh.connect(drop.host, drop.port, username=drop.user, config=None, **_proof(drop, secret)) as session,
            session.start_sftp_client() as client,
        ):
            yield SftpFolder(client, drop.path)
    except CLIENT_ERRORS as error:
        raise explain(error, drop) from error


def _proof(drop: SftpDrop, secret: Secret) -> dict[str, object]:
    """Whom we trust and how we prove who we are."""
    keys = [asyncssh.import_private_key(secret.key, secret.passphrase)] if secret.key else None
    return {
        "known_hosts": ([asyncssh.import_public_key(drop.host_key)], [], []),
        "client_keys": keys,
        "password": secret.password,
        "agent_path": None,
        "connect_timeout": CONNECT_SECONDS,
        "login_timeout": CONNECT_SECONDS,
        "keepalive_interval": CONNECT_SECONDS,
    }


def explain(error: Exception, drop: SftpDrop) -> StrataError:
    """Turn an error of SSH's into one of ours; the server's own words stay out, they may quote anything."""
    where = f"sftp://{drop.host}:{drop.port}"
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return SecurityRefusedError(
            f"{where} shows another key than the policy names", expected="the pinned `host_key`",
            next_step="ask the vendor by telephone whether its key changed; only then change the policy",
        )  # fmt: skip
    if isinstance(error, _REFUSALS):
        return ConfigurationError(
            f"{where} refuses us ({type(error).__name__})",
            expected=f"a key or password of {drop.user} that may write below {drop.path}",
            next_step="check STRATA_SFTP_SECRETS and the vendor's `transport`, then run again",
        )
    return StoreUnavailableError(
        f"{where}: no usable answer ({type(error).__name__})", expected="a server that takes files",
        next_step="when it answers run the campaign again: the outbox is complete, the copy goes on where it stopped",
    )  # fmt: skip
