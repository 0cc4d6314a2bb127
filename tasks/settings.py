"""Where this process finds its lake, outbox, policy, scratch and object store. Read once, in flows/ alone."""

import tempfile
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment (`STRATA_…`); command line options override them."""

    model_config = SettingsConfigDict(env_prefix="STRATA_", frozen=True, extra="ignore")

    lake: str = Field(default="lake", description="lake root: a path, file:// or s3://bucket/prefix")
    outbox: str = Field(default="", description="outbox root; <lake>/outbox when empty")
    policy: str = Field(default="", description="folder with the brand's policy; the stored one when empty")
    inbox: str = Field(default="", description="folder in which exports arrive, for `month`; none when empty")
    scratch: str = Field(
        default_factory=lambda: str(Path(tempfile.gettempdir()) / "strata"),
        description="local folder for candidates before they are published",
    )
    key: str = Field(default="", repr=False, description="brand key of 32 bytes or more, as hex or base64")
    seeds: str = Field(default="", description="YAML file of the brand's own test contacts: vendor to list")
    lease_wait_seconds: float = Field(default=120, description="how long a writer waits for another one")
    s3_endpoint: str = Field(default="", description="endpoint of an S3-compatible store; AWS when empty")
    s3_region: str = "us-east-1"
    s3_access_key_id: str = Field(default="", repr=False)
    s3_secret_access_key: str = Field(default="", repr=False)
    s3_allow_http: bool = Field(default=False, description="allow plain http off loopback")

    @property
    def outbox_root(self) -> str:
        """The outbox, which by default lies inside the lake root."""
        return self.outbox or f"{self.lake.rstrip('/')}/outbox"
