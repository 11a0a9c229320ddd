"""A throw-away server that ends with the process that asked for it, however that ends.

`guarded()` starts a script as a guardian process. The guardian owns the server and its directory and reads a pipe whose other
end only the asking process holds: when that process ends, by any signal, the pipe closes, the server stops and the directory
goes. Over the same pipe the server can be cut down and started again on its old data, which is how faults are placed.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

STARTS_WITHIN_S = 60.0


class DidNotStart(RuntimeError):
    def __init__(self, what: str, *, log: str) -> None:
        super().__init__(f"{what} did not start. It says:\n{log}")


class Recipe(Protocol):
    """What a guardian must know about the server it owns."""

    name: str
    ports: int
    cut: signal.Signals  # ends the server at once, leaving data it can start from and nothing else

    def prepare(self, directory: Path, ports: tuple[int, ...]) -> None: ...
    def command(self, directory: Path, ports: tuple[int, ...]) -> list[str]: ...
    def user(self) -> str | None: ...
    def ready(self, directory: Path, ports: tuple[int, ...]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Guarded:
    """The asking process's end of the pipe."""

    ports: tuple[int, ...]
    directory: Path
    guardian: subprocess.Popen[str]

    def kill(self) -> None:
        """Cut the server down and wait for its end; its data stays."""
        _ask(self.guardian, "kill")

    def start(self) -> None:
        """Start a killed server again on its data and ports; returns when it serves."""
        _ask(self.guardian, "start")


@contextmanager
def guarded(script: Path, *arguments: str) -> Iterator[Guarded]:
    """Run `script` as a guardian until this block, or this process, ends."""
    # A session of its own: Ctrl-C reaches the asking process first, which still needs its server to end well.
    command = [sys.executable, str(script), *arguments]
    guardian = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        answer = _ask(guardian, "start")
        yield Guarded(ports=tuple(answer["ports"]), directory=Path(answer["directory"]), guardian=guardian)
    finally:
        guardian.communicate()


def guard(recipe: Recipe) -> None:
    """The guardian's whole life: obeys `start` and `kill` from the pipe, and ends when it closes."""
    # Only the closing pipe ends the guardian: a terminal's signals are for the process that asked.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    directory = Path(tempfile.mkdtemp(prefix=f"aftercall-{recipe.name}-"))
    ports = free_ports(recipe.ports)
    server: subprocess.Popen[bytes] | None = None
    try:
        prepared = False
        for line in sys.stdin:
            _end(server, recipe.cut)
            server = None
            if line.strip() == "start":
                if not prepared:
                    recipe.prepare(directory, ports)
                    prepared = True
                server = _start(recipe, directory, ports=ports)
            print(json.dumps({"ports": ports, "directory": str(directory)}), flush=True)
    except (DidNotStart, subprocess.CalledProcessError, OSError) as failure:
        print(json.dumps({"failed": f"{failure}\n{_log(directory)}"}), flush=True)
    finally:
        _end(server, recipe.cut)
        shutil.rmtree(directory, ignore_errors=True)


def free_ports(count: int) -> tuple[int, ...]:
    """Loopback ports that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port now."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def log_file(directory: Path) -> Path:
    return directory / "log"


def _start(recipe: Recipe, directory: Path, *, ports: tuple[int, ...]) -> subprocess.Popen[bytes]:
    command, deadline = recipe.command(directory, ports), time.monotonic() + STARTS_WITHIN_S
    with log_file(directory).open("ab") as out:
        server = subprocess.Popen(command, user=recipe.user(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=directory)
    while not recipe.ready(directory, ports):
        if server.poll() is not None or time.monotonic() > deadline:
            _end(server, recipe.cut)
            raise DidNotStart(recipe.name, log=f"(ended: {server.poll()})")
        time.sleep(0.02)
    return server


def _end(server: subprocess.Popen[bytes] | None, cut: signal.Signals) -> None:
    if server is not None:
        server.send_signal(cut)
        server.wait()


def _log(directory: Path) -> str:
    return log_file(directory).read_text(errors="replace")[-4000:] if log_file(directory).exists() else ""


def _ask(guardian: subprocess.Popen[str], word: str) -> dict[str, Any]:
    assert guardian.stdin is not None
    assert guardian.stdout is not None
    guardian.stdin.write(f"{word}\n")
    guardian.stdin.flush()
    answer: dict[str, Any] = json.loads(guardian.stdout.readline() or '{"failed": "the guardian ended without a word"}')
    if "failed" in answer:
        raise DidNotStart(str(guardian.args), log=answer["failed"])
    return answer
