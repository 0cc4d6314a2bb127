"""Named points at which a test may stop this process dead; without STRATA_FAILPOINT they do nothing.

`STRATA_FAILPOINT="pointer:before:kill"` kills the process just before the pointer moves, as a lost
machine would; `stop` freezes it instead, as a paused machine would, until it is sent SIGCONT.
"""

import os
import signal
from typing import Literal

from tasks.errors import ConfigurationError

VARIABLE = "STRATA_FAILPOINT"
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def reach(point: str, when: Literal["before", "after"]) -> None:
    """Do what STRATA_FAILPOINT asks for at this point; ConfigurationError when it is misspelt."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    action = wanted.rpartition(":")[2]
    if action not in SIGNALS or wanted.count(":") < len(("when", "action")):
        raise ConfigurationError(
            f"{VARIABLE} is {wanted!r}",
            expected="<point>:<before|after>:<kill|stop>",
            next_step=f"unset {VARIABLE}, which is for tests alone",
        )
    if wanted == f"{point}:{when}:{action}":
        os.kill(os.getpid(), SIGNALS[action])
