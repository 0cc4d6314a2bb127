"""Whom the audit trail names."""

import os
import subprocess
import sys


def test_an_account_without_a_name_is_told_by_its_number():
    nobody = 54321
    told = "from tasks.account import account; print(account())"
    named = ("LOGNAME", "USER", "LNAME", "USERNAME")
    environment = {name: value for name, value in os.environ.items() if name not in named}
    ended = subprocess.run(
        [sys.executable, "-c", f"import os; os.getuid = lambda: {nobody}; {told}"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ended.stdout.strip() == f"uid {nobody}"
