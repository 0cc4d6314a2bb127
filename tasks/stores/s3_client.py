"""Which S3 endpoint may be reached, with which keys and how patiently. No objects are read here."""

import ipaddress
import logging
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tasks.errors import ConfigurationError, SecurityRefusedError
from tasks.settings import Settings

RETRIES = 5  # boto3's default makes three requests in all, and three times 503 is an ordinary minute
CONNECT_SECONDS = 3
READ_SECONDS = 60
CONNECTIONS = 32


def make_client(settings: Settings, *, read_seconds: float = READ_SECONDS, retries: int = RETRIES) -> Any:
    """A thread-safe boto3 client. Raises SecurityRefusedError for an endpoint that may not be used."""
    endpoint = check_endpoint(settings)
    return _session(settings).client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            # Bucket names as host names need DNS that private stores rarely have; AWS wants them.
            s3={"addressing_style": "path" if endpoint else "auto"},
            retries={"mode": "standard", "max_attempts": retries},
            signature_version="s3v4",  # links too: the older form tells neither its age nor its headers
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            max_pool_connections=CONNECTIONS,
            # We send SHA-256 ourselves, in a header: trailers are what other stores get wrong.
            request_checksum_calculation="when_required",
            proxies={} if endpoint and _is_loopback(endpoint) else None,
        ),
    )


def delta_options(settings: Settings) -> dict[str, str]:
    """Storage options for deltalake and Polars, with the keys that are valid now."""
    endpoint = check_endpoint(settings)
    options = {
        "aws_region": settings.s3_region,
        "aws_endpoint_url": endpoint or "",
        "aws_allow_http": "true" if endpoint and endpoint.startswith("http://") else "",
        "aws_conditional_put": "etag",
        **_current_keys(settings),
    }
    return {name: value for name, value in options.items() if value}


def encrypted_by_bucket(settings: Settings) -> dict[str, str]:
    """Arguments of a write that the bucket is to encrypt: by a key of KMS where one is named, else by its own."""
    if settings.s3_kms_key:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.s3_kms_key}
    return {"ServerSideEncryption": "AES256"}


def signed_link(client: Any, where: dict[str, str], seconds: int) -> str:
    """An address that reads one object without keys. While it is signed nothing is logged: boto3 would log it."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        return str(client.generate_presigned_url("get_object", Params=where, ExpiresIn=seconds))
    finally:
        logging.disable(before)


def _session(settings: Settings) -> Any:
    if bool(settings.s3_access_key_id) != bool(settings.s3_secret_access_key):
        raise ConfigurationError(
            "only one half of the S3 key pair is set",
            expected="both STRATA_S3_ACCESS_KEY_ID and STRATA_S3_SECRET_ACCESS_KEY, or neither",
            next_step="set the other one; with neither, boto3 looks in its usual places",
        )
    return boto3.Session(
        aws_access_key_id=settings.s3_access_key_id or None,
        aws_secret_access_key=settings.s3_secret_access_key or None,
        region_name=settings.s3_region,
    )


def _current_keys(settings: Settings) -> dict[str, str]:
    credentials = _session(settings).get_credentials()
    if credentials is None:
        return {}
    frozen = credentials.get_frozen_credentials()
    return {
        "aws_access_key_id": frozen.access_key,
        "aws_secret_access_key": frozen.secret_key,
        "aws_session_token": frozen.token or "",
    }


def check_endpoint(settings: Settings) -> str | None:
    """The endpoint to use, None for AWS; raises as `check_url` does."""
    return check_url(settings.s3_endpoint, "S3", allow_http=settings.s3_allow_http)


def check_url(url: str, service: str, *, allow_http: bool) -> str | None:
    """The address of a service of AWS's kind, None when it is empty.

    Raises SecurityRefusedError for another scheme than http(s), for keys inside the URL, for a
    link-local address (where clouds keep their metadata), and for plain http off loopback.
    """
    if not url:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.path.strip("/") or parts.query:
        _refuse(service, "is no plain web address", "https://host[:port]")
    if parts.username or parts.password:
        _refuse(service, "carries a user or a password", "keys in variables of their own, or in AWS's usual places")
    if _is_link_local(host):
        _refuse(service, f"{host} is a link-local address", "a server")
    if parts.scheme == "http" and not _is_loopback(url) and not allow_http:
        _refuse(service, f"{host} is plain http and not on this machine", "https")
    return url


def _refuse(service: str, found: str, expected: str) -> None:
    http = " (STRATA_S3_ALLOW_HTTP=true allows http in a network you trust)" if service == "S3" else ""
    raise SecurityRefusedError(
        f"the {service} endpoint {found}", expected=expected, next_step=f"correct STRATA_{service}_ENDPOINT{http}"
    )


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    address = _address(host)
    return address.is_loopback if address else host == "localhost"


def _is_link_local(host: str) -> bool:
    address = _address(host)
    return bool(address and address.is_link_local)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
