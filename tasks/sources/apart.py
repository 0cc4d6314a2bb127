"""Readers of bytes that nobody can trust run apart: a process of their own, without keys, with a limit to everything.

A workbook of one kilobyte may claim 17 billion cells. The library that reads it then asks for half a
terabyte, and an allocation that fails in native code aborts the whole process: no handler sees it.
So such a reader gets a process that may abort; what it has to say comes back as lines.
"""

import subprocess
import sys
from collections.abc import Iterator

MEMORY_BYTES = 3 << 30
"""Address space of a process apart; a sheet of a million rows and twenty columns fits."""
CPU_SECONDS = 900
OUT_OF_MEMORY = 77
"""Exit code of a process apart to which memory was refused in Python."""
_MEMORY_SIGNALS = {-6, -9, -11, OUT_OF_MEMORY}
_TIME_SIGNALS = {-24}


class ApartError(Exception):
    """The process apart ended before it was done; says what it ran out of, `memory` or `time`, or that it failed."""

    def __init__(self, code: int) -> None:
        """Sort the exit code."""
        self.lacked = "memory" if code in _MEMORY_SIGNALS else "time" if code in _TIME_SIGNALS else "sense"
        super().__init__(f"ended with {code}, out of {self.lacked}")


def lines_from(module: str, *arguments: str, said: bytes = b"") -> Iterator[bytes]:
    """Run a module apart and yield its lines as they come; it ends when the caller stops listening.

    Args:
        module: a module of this package whose `main` calls `confine` first.
        arguments: its command line, which others on this machine can see.
        said: what it reads from its standard input, which nobody else can see.

    Raises:
        ApartError: it ended with another exit code than 0.
    """
    command = [sys.executable, "-I", "-X", "utf8", "-m", module, *arguments]
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
    )
    if process.stdin is None or process.stdout is None:
        raise ApartError(OUT_OF_MEMORY)
    try:
        with process.stdin as stdin:
            stdin.write(said)
        yield from process.stdout
        if code := process.wait():
            raise ApartError(code)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def confine(memory: int = MEMORY_BYTES, seconds: int = CPU_SECONDS) -> None:
    """Limit the process that calls this, for good. macOS knows no limit of memory and goes on without one."""
    import resource  # noqa: PLC0415  unknown on Windows, where nothing is confined before it is needed

    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        hardest = resource.getrlimit(limit)[1]
        bound = most if hardest == resource.RLIM_INFINITY else min(most, hardest)
        if sys.platform != "darwin" or limit != resource.RLIMIT_AS:
            resource.setrlimit(limit, (bound, bound))
