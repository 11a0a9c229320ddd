"""Throw-away servers: they end with whoever asked for them, and can be cut and started again in between."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from deploy.guardian import DidNotStart, free_ports, guarded, is_free
from deploy.postgres.embedded import postgres

ROOT = Path(__file__).resolve().parents[2]
ASKS_AND_IS_KILLED = """
import os, signal
from deploy.postgres.embedded import postgres
with postgres() as server:
    print(server.guarded.directory, server.guarded.ports[0], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_whose_asker_is_killed_ends_and_leaves_no_file() -> None:
    asked = subprocess.run([sys.executable, "-c", ASKS_AND_IS_KILLED], cwd=ROOT, capture_output=True, text=True, check=False)
    directory, port = asked.stdout.split()

    assert asked.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while (Path(directory).exists() or not is_free(int(port))) and time.monotonic() < deadline:
        os.sched_yield()
    assert not Path(directory).exists()
    assert is_free(int(port))


def test_a_server_that_was_cut_starts_again_on_its_data_and_port() -> None:
    with postgres() as server:
        url = server.url().replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            connection.execute("create table kept (answer int)")
            connection.execute("insert into kept values (42)")

        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        server.start()

        with psycopg.connect(url) as connection:
            assert connection.execute("select answer from kept").fetchone() == (42,)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text('print(\'{"failed": "the disk is full"}\', flush=True)')

    with pytest.raises(DidNotStart, match="the disk is full"), guarded(script):
        pass


def test_a_port_with_a_listener_is_not_free() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)
