"""A key ring sealed under a key of AWS KMS: an envelope that may lie anywhere, since only KMS opens it.

KMS makes a data key, which seals the ring (AES-256-GCM) and stays in the envelope as KMS encrypted it; the
ring's own length has no limit then. The brand is the encryption context: the envelope of one brand is no
key of another. Written against the API of KMS and tested against a double of it, not against AWS itself.
"""

import base64
import binascii
import os
from collections.abc import Callable
from typing import Any, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError

from tasks.errors import ConfigurationError, SecurityRefusedError, StoreUnavailableError, StrataError
from tasks.refs import Ref
from tasks.settings import Settings
from tasks.stores.s3_client import check_url

NONCE_BYTES: Final = 12
SECONDS: Final = 10
_REFUSED = frozenset(
    {"AccessDeniedException", "InvalidCiphertextException", "IncorrectKeyException", "DisabledException"}
    | {"KMSInvalidStateException", "NotFoundException", "UnrecognizedClientException"}
)


class Envelope(Ref):
    """A sealed ring, and how KMS gives back the key that opens it. Nothing in it is secret."""

    format: Literal["strata-envelope/1"] = "strata-envelope/1"
    kms_key: str
    data_key: str
    nonce: str
    ring: str


def wrap(document: str, kms_key: str, brand_code: str, settings: Settings) -> str:
    """Seal a ring's document under a fresh data key of `kms_key`."""
    answer = _asked(
        lambda: _client(settings).generate_data_key(
            KeyId=kms_key, KeySpec="AES_256", EncryptionContext=_context(brand_code)
        )
    )
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(answer["Plaintext"]).encrypt(nonce, document.encode(), brand_code.encode())
    parts = {"data_key": answer["CiphertextBlob"], "nonce": nonce, "ring": sealed}
    texts = {name: base64.b64encode(value).decode() for name, value in parts.items()}
    return Envelope(kms_key=kms_key, **texts).model_dump_json(indent=1) + "\n"


def unwrap(text: str, brand_code: str, settings: Settings) -> str:
    """Open an envelope and return the ring's document.

    Raises:
        SecurityRefusedError: KMS does not let us, or the envelope is another brand's.
        StoreUnavailableError: KMS did not answer.
        ConfigurationError: no envelope, or one that was changed.
    """
    envelope = _read(text)
    try:
        data_key, nonce, ring = (
            base64.b64decode(part, validate=True) for part in (envelope.data_key, envelope.nonce, envelope.ring)
        )
        answer = _asked(
            lambda: _client(settings).decrypt(
                CiphertextBlob=data_key, KeyId=envelope.kms_key, EncryptionContext=_context(brand_code)
            )
        )
        return AESGCM(answer["Plaintext"]).decrypt(nonce, ring, brand_code.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError):
        raise _changed() from None


def key_of(text: str) -> str:
    """The key of KMS that an envelope names."""
    return _read(text).kms_key


def _read(text: str) -> Envelope:
    try:
        return Envelope.model_validate_json(text)
    except ValidationError:
        raise _changed() from None


def _changed() -> ConfigurationError:
    return ConfigurationError(
        "the envelope of the key ring was changed or cut off",
        expected="an envelope as `strata keys export --kms-key` writes it",
        next_step="restore it from where the brand's keys are kept",
    )


def _client(settings: Settings) -> Any:
    endpoint = check_url(settings.kms_endpoint, "KMS", allow_http=False)
    config = Config(
        connect_timeout=SECONDS, read_timeout=SECONDS, retries={"mode": "standard", "max_attempts": 5},
        proxies={} if endpoint and endpoint.startswith("http://") else None,
    )  # fmt: skip
    region = settings.kms_region or settings.s3_region
    return boto3.Session(region_name=region).client("kms", endpoint_url=endpoint, config=config)


def _context(brand_code: str) -> dict[str, str]:
    return {"strata-brand": brand_code}


def _asked(question: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer of KMS; its messages hold no key, but only their code is passed on."""
    try:
        return question()
    except ClientError as error:
        raise _explained(str(error.response.get("Error", {}).get("Code", "an error"))) from None
    except BotoCoreError as error:
        raise _explained(type(error).__name__) from None


def _explained(code: str) -> StrataError:
    if code in _REFUSED or code == "NoCredentialsError":
        return SecurityRefusedError(
            f"KMS answers {code}",
            expected="a key that this user may use, and the envelope of this very brand",
            next_step="check kms:Decrypt (and kms:GenerateDataKey to rotate) for the key that the envelope names",
        )
    return StoreUnavailableError(
        f"KMS answers {code}", expected="an answer in time", next_step="run again; check STRATA_KMS_ENDPOINT and region"
    )
