"""What every test may ask for: a real S3 server, and a store of objects of either kind."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tasks.settings import Settings
from tasks.stores.objects import Objects, open_objects
from tests.support.weed import Endpoint, weed_server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One SeaweedFS for the whole session; tests part it by prefix."""
    with weed_server(tmp_path_factory.mktemp("weed")) as endpoint:
        yield endpoint


@pytest.fixture
def s3_settings(s3_server: Endpoint) -> Settings:
    """Settings whose lake is an empty prefix of the S3 server."""
    return s3_server.settings(lake=s3_server.uri(f"lake-{uuid4().hex}"))


@pytest.fixture
def directory_settings(tmp_path: Path) -> Settings:
    """Settings whose lake is an empty directory."""
    return Settings(lake=(tmp_path / "lake").as_uri())


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.slow)])
def lake_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of an empty lake, once in a directory and once in S3."""
    settings: Settings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
def objects(lake_settings: Settings) -> Objects:
    """An empty store, once in a directory and once in S3."""
    return open_objects(lake_settings.lake, lake_settings)
