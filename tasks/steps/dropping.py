"""What was published, copied to the vendor's SFTP server where its profile names one."""

from pathlib import Path
from typing import Any

import yaml

from tasks.errors import ConfigurationError
from tasks.policy.vendors import Vendor
from tasks.settings import Settings
from tasks.steps.keyring import SecretBlock
from tasks.stores.keys import KeyFile
from tasks.stores.objects import Objects
from tasks.stores.sends import Send, drops, read_send


def drop_send(objects: Objects, send: Send, vendor: Vendor) -> int:
    """Copy the revisions of a send that the vendor's server was not given; return how many. No transport, none."""
    if vendor.transport is None:
        return 0
    from tasks.stores.drop import drop_revisions  # noqa: PLC0415 - SSH is loaded only where it is used
    from tasks.stores.sftp import Secret  # noqa: PLC0415

    published = read_send(objects, send).published
    return drop_revisions(objects, send, published, vendor.transport, Secret(**secret_of(vendor.code, Settings())))


def drops_of(objects: Objects, send: Send) -> int:
    """Revisions of a send that were copied to the vendor's server."""
    return sum(meta.key.endswith(".dropped.json") for meta in objects.list(drops(send)))


def secret_of(vendor: str, settings: Settings) -> dict[str, Any]:
    """`key` (with `passphrase`) or `password` of a vendor, from the environment, a file of mode 0600 or a block.

    Raises:
        ConfigurationError: none of them has the vendor, or not as it must be written.
    """
    try:
        told = yaml.safe_load(_text(settings))
    except yaml.YAMLError:  # its message would quote the secret
        told = None
    secret = told.get(vendor) if isinstance(told, dict) else None
    if (
        not isinstance(secret, dict)
        or not {*secret} <= {"key", "passphrase", "password"}
        or not {*secret} - {"passphrase"}
    ):
        raise ConfigurationError(
            f"no SFTP secret for {vendor}", expected=f"`{vendor}: {{key: …}}` or `{vendor}: {{password: …}}`",
            next_step="put it into STRATA_SFTP_SECRETS, the file STRATA_SFTP_SECRETS_FILE or a Prefect Secret block",
        )  # fmt: skip
    return {name: str(value) for name, value in secret.items()}


def _text(settings: Settings) -> str:
    """The secrets as they were given, from the first place that is named."""
    if settings.sftp_secrets:
        return settings.sftp_secrets
    if settings.sftp_secrets_block:
        return SecretBlock(settings.sftp_secrets_block).look()
    return KeyFile(Path(settings.sftp_secrets_file)).look() if settings.sftp_secrets_file else ""
