"""What an S3 client's exceptions mean for us: permanent or transient, an answer or only a question.

Messages name operation, status and code, never the text that the server sent:
that may quote keys and signatures.
"""

from typing import Final

from botocore import exceptions as boto

from tasks.errors import ConfigurationError, DamagedError, MissingDataError, StoreUnavailableError, StrataError

CLIENT_ERRORS: Final = (boto.ClientError, boto.BotoCoreError)
"""Everything that boto3 raises about a request."""

_NOT_FOUND, _CONFLICT, _PRECONDITION, _TOO_MANY, _SERVER_ERROR, _REDIRECT = 404, 409, 412, 429, 500, 300
_KEYS = {
    "AccessDenied",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "401",
    "403",
}
_CLOCK = {"RequestTimeTooSkewed", "RequestExpired"}
_BUSY = {"RequestTimeout", "SlowDown", "Throttling", "TooManyRequests", "BadDigest", "IncompleteBody"}
_UNREACHABLE = (
    boto.HTTPClientError,  # time-outs, answers that break off
    boto.ConnectionError,
    boto.IncompleteReadError,
)
_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)


def is_question(error: Exception) -> bool:
    """True where a conditional write may or may not have landed, so that only reading back can tell.

    412 belongs here: boto3 repeats a request whose answer was lost, and the store then
    refuses the repetition because the first one had succeeded.
    """
    if is_conflict(error):
        return True
    return isinstance(explain(error, ""), StoreUnavailableError)


def is_conflict(error: Exception) -> bool:
    """True for 404, 409 and 412: the store is well, the condition was not met or could not be judged."""
    return status_of(error) in {_NOT_FOUND, _CONFLICT, _PRECONDITION} and code_of(error) != "NoSuchBucket"


def is_missing(error: Exception) -> bool:
    """True where the object, not the bucket, does not exist."""
    return status_of(error) == _NOT_FOUND and code_of(error) != "NoSuchBucket"


def was_refused(error: Exception) -> bool:
    """True where the store said plainly that it did not do it: its last word was 4xx or 503."""
    return is_conflict(error) or status_of(error) in {_TOO_MANY, 503}


def status_of(error: Exception) -> int:
    """HTTP status, 0 when there was no answer."""
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) if isinstance(response, dict) else 0


def code_of(error: Exception) -> str:
    """The store's code, or the exception's name when there was no answer."""
    if isinstance(error, boto.ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__


def explain(error: Exception, what: str) -> StrataError:
    """Turn a boto3 exception into one of ours; `what` says which object in which store."""
    if isinstance(error, boto.ClientError):
        return _explain_answer(error, what)
    if isinstance(error, boto.FlexibleChecksumError):
        return DamagedError(
            f"{what} failed its checksum on the way",
            expected="the bytes that were stored",
            next_step="run again; if it stays, run `strata verify`",
        )
    if isinstance(error, _CREDENTIALS):
        return _bad_keys(what, code_of(error))
    if isinstance(error, boto.SSLError):
        return ConfigurationError(
            f"{what}: the TLS handshake failed",
            expected="a certificate that this machine trusts",
            next_step="check STRATA_S3_ENDPOINT, or set AWS_CA_BUNDLE",
        )
    if isinstance(error, _UNREACHABLE):
        return _unavailable(what, code_of(error))
    return ConfigurationError(
        f"{what}: {code_of(error)}", expected="a usable S3 client", next_step="check STRATA_S3_… and the bucket's name"
    )


def _explain_answer(error: boto.ClientError, what: str) -> StrataError:
    status, code = status_of(error), code_of(error)
    if code in _CLOCK:
        return ConfigurationError(
            f"{what}: the store refuses this machine's clock ({code})",
            expected="clocks less than 15 minutes apart",
            next_step="set the clock (chronyc makestep, timedatectl set-ntp true), then run again",
        )
    if code in _KEYS:
        return _bad_keys(what, code)
    if status >= _SERVER_ERROR or status == _TOO_MANY or code in _BUSY:
        return _unavailable(what, f"{status} {code}")
    if is_missing(error):
        return MissingDataError(
            f"there is no {what}", expected="an object written earlier", next_step="check --lake, or run ingest"
        )
    if is_conflict(error):
        return _unavailable(what, f"{status} {code} again and again")
    return ConfigurationError(
        f"{what}: the store answered {status} {code}",
        expected="the bucket of this region" if status >= _REDIRECT else "an answer",
        next_step="check the bucket's name, STRATA_S3_REGION and STRATA_S3_ENDPOINT",
    )


def _bad_keys(what: str, code: str) -> ConfigurationError:
    return ConfigurationError(
        f"{what}: the store refuses our keys ({code})",
        expected="keys that are valid now and may read and write this prefix",
        next_step="check STRATA_S3_ACCESS_KEY_ID and STRATA_S3_SECRET_ACCESS_KEY, then run again",
    )


def _unavailable(what: str, code: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"{what}: no usable answer ({code})",
        expected="an answer of the store within the retries",
        next_step="check that the store is up and reachable, then run again",
    )
