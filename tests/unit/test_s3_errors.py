"""Every answer of an S3 store has one meaning: wrong settings, come again, or look again."""

import pytest
from botocore import exceptions as boto

from tasks.errors import ConfigurationError, DamagedError, MissingDataError, StoreUnavailableError, StrataError
from tasks.stores.s3_errors import explain, is_missing, is_question


def answer(status: int, code: str) -> boto.ClientError:
    told = {"Error": {"Code": code, "Message": "canary"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return boto.ClientError(told, "PutObject")


@pytest.mark.parametrize(
    ("status", "code", "meaning", "question"),
    [
        (412, "PreconditionFailed", StoreUnavailableError, True),
        (409, "ConditionalRequestConflict", StoreUnavailableError, True),
        (404, "NoSuchKey", MissingDataError, True),
        (404, "404", MissingDataError, True),
        (404, "NoSuchBucket", ConfigurationError, False),
        (500, "InternalError", StoreUnavailableError, True),
        (503, "SlowDown", StoreUnavailableError, True),
        (429, "TooManyRequests", StoreUnavailableError, True),
        (400, "RequestTimeout", StoreUnavailableError, True),
        (400, "BadDigest", StoreUnavailableError, True),
        (403, "SignatureDoesNotMatch", ConfigurationError, False),
        (403, "RequestTimeTooSkewed", ConfigurationError, False),
        (400, "ExpiredToken", ConfigurationError, False),
        (403, "403", ConfigurationError, False),
        (301, "PermanentRedirect", ConfigurationError, False),
        (400, "InvalidArgument", ConfigurationError, False),
    ],
)
def test_the_meaning_of_an_answer(status: int, code: str, meaning: type[StrataError], *, question: bool) -> None:
    error = answer(status, code)
    assert type(explain(error, "a in s3://b")) is meaning
    assert is_question(error) == question
    assert "canary" not in str(explain(error, "a in s3://b"))


def test_a_wrong_clock_is_called_a_clock() -> None:
    assert "this machine's clock" in str(explain(answer(403, "RequestTimeTooSkewed"), "a"))


def test_a_missing_bucket_is_no_missing_object() -> None:
    assert is_missing(answer(404, "NoSuchKey"))
    assert not is_missing(answer(404, "NoSuchBucket"))


@pytest.mark.parametrize(
    ("error", "meaning", "question"),
    [
        (boto.ReadTimeoutError(endpoint_url="http://x"), StoreUnavailableError, True),
        (boto.ConnectTimeoutError(endpoint_url="http://x"), StoreUnavailableError, True),
        (boto.EndpointConnectionError(endpoint_url="http://x"), StoreUnavailableError, True),
        (boto.ConnectionClosedError(endpoint_url="http://x"), StoreUnavailableError, True),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), StoreUnavailableError, True),
        (boto.FlexibleChecksumError(error_msg="canary"), DamagedError, False),
        (boto.NoCredentialsError(), ConfigurationError, False),
        (boto.SSLError(endpoint_url="http://x", error="canary"), ConfigurationError, False),
    ],
)
def test_the_meaning_of_no_answer(error: Exception, meaning: type[StrataError], *, question: bool) -> None:
    assert type(explain(error, "a in s3://b")) is meaning
    assert is_question(error) == question
    assert "canary" not in str(explain(error, "a in s3://b"))
