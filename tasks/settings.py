"""Where this process finds its lake, outbox, policy, scratch and object store. Read once, in flows/ alone."""

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment (`STRATA_…`); command line options override them."""

    model_config = SettingsConfigDict(env_prefix="STRATA_", frozen=True, extra="ignore")

    lake: str = Field(default="lake", description="lake root: a path, file:// or s3://bucket/prefix")
    outbox: str = Field(default="", description="outbox root; <lake>/outbox when empty")
    policy: str = Field(default="", description="folder with the brand's policy; the stored one when empty")
    inbox: str = Field(
        default="",
        description="folder or s3:// prefix in which exports arrive, for inbox and month; none when empty",
    )
    passwords: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), repr=False, description="password of locked workbooks, or a JSON list of several, tried in turn"
    )
    scratch: str = Field(
        default_factory=lambda: str(Path(tempfile.gettempdir()) / "strata"),
        description="local folder for candidates before they are published",
    )
    key: str = Field(
        default="",
        repr=False,
        description="brand key of 32 bytes or more, as hex or base64; or a whole key ring, or one sealed by KMS",
    )
    key_file: str = Field(default="", description="file of mode 0600 with the same; beside a local lake when empty")
    key_block: str = Field(default="", description="name of a Prefect Secret block with the same")
    kms_endpoint: str = Field(default="", description="endpoint of a KMS-compatible service; AWS when empty")
    kms_region: str = Field(default="", description="region of KMS; that of S3 when empty")
    seeds: str = Field(default="", description="YAML file of the brand's own test contacts: vendor to list")
    sftp_secrets: str = Field(
        default="", repr=False, description="vendor to its SFTP `key` or `password`, as YAML or JSON"
    )
    sftp_secrets_file: str = Field(default="", description="file of mode 0600 with the same")
    sftp_secrets_block: str = Field(default="", description="name of a Prefect Secret block with the same")
    lease_wait_seconds: float = Field(default=120, description="how long a writer waits for another one")
    s3_endpoint: str = Field(default="", description="endpoint of an S3-compatible store; AWS when empty")
    s3_region: str = "us-east-1"
    s3_access_key_id: str = Field(default="", repr=False)
    s3_secret_access_key: str = Field(default="", repr=False)
    s3_kms_key: str = Field(default="", description="KMS key of vendors with `sse`; the bucket's own key when empty")
    s3_allow_http: bool = Field(default=False, description="allow plain http off loopback")

    @field_validator("passwords", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        """One password as it is, several as a JSON list; a message of JSON's would show them."""
        if not isinstance(value, str):
            return value
        try:
            told = json.loads(value) if value.startswith("[") else [value] * bool(value)
        except ValueError:
            told = [value]
        return tuple(map(str, told))

    @property
    def outbox_root(self) -> str:
        """The outbox, which by default lies inside the lake root."""
        return self.outbox or f"{self.lake.rstrip('/')}/outbox"
