"""The account that runs this process: whom the audit trail names."""

import getpass
import os


def account() -> str:
    """The account's name, or its number where the machine has no name for it, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
