"""The probe refuses a store that ignores conditional writes, whichever one it ignores."""

import pytest

from tasks.errors import ConfigurationError, SecurityRefusedError, StoreUnavailableError
from tasks.settings import Settings
from tasks.stores.s3 import S3Objects
from tests.support.careless_s3 import careless_s3
from tests.support.weed import Endpoint, free_ports

KEYS = {"s3_access_key_id": "canary-key-id", "s3_secret_access_key": "canary-secret"}


@pytest.mark.parametrize(
    ("honours", "found"),
    [
        (set(), "ignores If-None-Match: *:"),
        ({"If-None-Match"}, "ignores If-Match"),
        ({"If-None-Match", "If-Match"}, "at the end of a multipart upload"),
        ({"If-None-Match", "any If-Match"}, "refuses If-Match with the right etag"),
    ],
)
def test_a_store_that_ignores_a_condition_is_refused(honours: set[str], found: str) -> None:
    with careless_s3(honours=frozenset(honours)) as url:
        store = S3Objects.connect("s3://bucket/lake", Settings(s3_endpoint=url, **KEYS))
        with pytest.raises(ConfigurationError, match="store of s3://bucket/lake") as refusal:
            store.probe()
    assert found in str(refusal.value)
    assert refusal.value.exit_code == 4


def test_a_store_that_honours_them_all_passes_and_is_left_clean() -> None:
    everything = frozenset({"If-None-Match", "If-Match", "If-None-Match-on-complete"})
    with careless_s3(honours=everything) as url:
        store = S3Objects.connect("s3://bucket/lake", Settings(s3_endpoint=url, **KEYS))
        store.probe()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"s3_secret_access_key": "canary-secret"}, "refuses our keys (SignatureDoesNotMatch)"),
        ({"s3_access_key_id": "canary-key-id"}, "refuses our keys (InvalidAccessKeyId)"),
    ],
)
def test_wrong_keys_are_named_and_not_shown(s3_server: Endpoint, change: dict[str, str], found: str) -> None:
    store = S3Objects.connect(s3_server.uri("x"), s3_server.settings(**change))
    with pytest.raises(ConfigurationError) as refusal:
        store.probe()
    assert found in str(refusal.value)
    assert "canary" not in str(refusal.value) + repr(refusal.value) + repr(store)
    assert s3_server.access_key_id not in str(refusal.value)


@pytest.mark.slow
def test_a_bucket_that_does_not_exist_is_named(s3_server: Endpoint) -> None:
    store = S3Objects.connect("s3://no-such-bucket/x", s3_server.settings())
    for act in (store.probe, lambda: store.read("a"), lambda: list(store.list("")), lambda: store.create("a", b"")):
        with pytest.raises(ConfigurationError, match="NoSuchBucket"):
            act()


def test_a_server_that_is_down_is_transient() -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    store = S3Objects.connect("s3://bucket/lake", Settings(s3_endpoint=url, **KEYS), retries=0)
    with pytest.raises(StoreUnavailableError, match="EndpointConnectionError"):
        store.probe()


@pytest.mark.parametrize(
    ("endpoint", "found"),
    [
        ("http://10.1.2.3:9000", "plain http"),
        ("http://storage.example.com", "plain http"),
        ("https://169.254.169.254", "link-local"),
        ("https://me:secret@storage.example.com", "carries a user or a password"),
        ("ftp://storage.example.com", "no plain web address"),
        ("https://storage.example.com/path", "no plain web address"),
        ("storage.example.com", "no plain web address"),
    ],
)
def test_an_endpoint_that_may_not_be_used_is_refused(endpoint: str, found: str) -> None:
    with pytest.raises(SecurityRefusedError) as refusal:
        S3Objects.connect("s3://bucket/lake", Settings(s3_endpoint=endpoint, **KEYS))
    assert found in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("endpoint", "allow"),
    [
        ("https://storage.example.com", False),
        ("http://127.0.0.1:8333", False),
        ("http://localhost:8333", False),
        ("http://[::1]:8333", False),
        ("http://10.1.2.3:9000", True),
        ("", False),
    ],
)
def test_other_endpoints_are_taken(endpoint: str, *, allow: bool) -> None:
    settings = Settings(s3_endpoint=endpoint, s3_allow_http=allow, **KEYS)
    store = S3Objects.connect("s3://bucket/lake", settings)
    assert store.delta_uri("tables/orders") == "s3://bucket/lake/tables/orders"
    assert ("aws_allow_http" in store.delta_options()) == endpoint.startswith("http:")


def test_half_a_key_pair_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="one half"):
        S3Objects.connect("s3://bucket/lake", Settings(s3_access_key_id="canary-key-id"))
