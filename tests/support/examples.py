"""How many examples a law is tried with: few on every run, many times as many in `make proof`."""

import os


def examples(count: int) -> int:
    """`count`, times STRATA_EXAMPLES, which `make proof` sets."""
    return count * int(os.environ.get("STRATA_EXAMPLES", "1"))
