"""What a file system's errors mean for us: permanent or transient, and what to do next."""

import errno
import os

from tasks.errors import (
    ConfigurationError,
    MissingDataError,
    ObjectExistsError,
    StoreUnavailableError,
    StrataError,
)

_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_CANNOT = {errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}
_MISNAMED = {errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


def explain(error: OSError, key: str, uri: str) -> StrataError:
    """Turn an OSError about a key into one of ours."""
    code, reason = error.errno or 0, os.strerror(error.errno or errno.EIO)
    where = f"{key} in {uri}: {reason}"
    if code == errno.ENOENT:
        return MissingDataError(
            f"there is no {key} in {uri}", expected="an object written earlier", next_step="check --lake, or run ingest"
        )
    if code == errno.EEXIST:
        return ObjectExistsError(where)
    if code in _PERMISSION:
        return ConfigurationError(where, expected="a folder this user may write", next_step="correct owner or mode")
    if code in _CANNOT:
        return ConfigurationError(
            where, expected="hard links and flock", next_step="put the lake on a local disk or in an S3 bucket"
        )
    if code in _MISNAMED:
        return ConfigurationError(
            where, expected="a key that is no folder of another key", next_step="rename one of the two"
        )
    next_step = "free some space, then run again" if code in _FULL else "check the disk, then run again"
    return StoreUnavailableError(where, expected="a disk that takes the bytes", next_step=next_step)
