"""A policy is put in force from a file; cases name the version that decided them."""

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from shared.runtime.database import rows
from tests.support.cases import Routing, a_customer, an_answer

SHIPPED = json.loads(files("routing").joinpath("cases/policy.json").read_text("utf-8"))
ROTA = Path(str(files("routing").joinpath("rota/demo.json")))


def command(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AFTERCALL_DATABASE_URL": url}
    return subprocess.run([sys.executable, "-m", "routing", *words], env=environment, capture_output=True, text=True, check=False)


async def audited(desk: Routing) -> list[tuple[str, str, str]]:
    async with desk.deps.database.transaction() as unit:
        found = await rows(unit.tx, "select by_kind, what, subject from audit order by id")
    return [(each["by_kind"], each["what"], each["subject"]) for each in found]


async def test_a_case_names_the_policy_it_was_decided_by_and_keeps_it(desk: Routing, routing_database: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(SHIPPED | {"points": SHIPPED["points"] | {"unresolved": 50}}))

    await desk.hear(an_answer(2, customer=a_customer(), resolved="no"))
    done = command(routing_database, "policy", str(file))
    await desk.hear(an_answer(2, customer=a_customer(), resolved="no"))

    assert (done.returncode, done.stdout) == (0, "policy version 2 is in force\n"), done.stderr
    assert [(case.policy_version, case.priority) for case in await desk.cases()] == [(1, 65), (2, 90)]
    assert await audited(desk) == [("command", "policy.activated", "2")]


async def test_a_rota_from_a_file_is_in_force_at_once(desk: Routing, routing_database: str) -> None:
    done = command(routing_database, "rota", str(ROTA))
    await desk.hear(an_answer(2, customer=a_customer()))

    assert done.stdout == "rota version 1 is in force\n", done.stderr
    assert await audited(desk) == [("command", "rota.activated", "1")]
    case = await desk.case()
    assert (case.due_at - case.first_answered_at).total_seconds() == SHIPPED["due_s"]["normal"]


def test_a_policy_that_does_not_fit_is_refused_by_the_path_of_its_field(routing_database: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(SHIPPED | {"due_s": SHIPPED["due_s"] | {"high": -1}}))

    done = command(routing_database, "policy", str(file))

    assert done.returncode == 2
    assert "due_s.high" in done.stderr
    assert command(routing_database, "policy", str(tmp_path / "none.json")).returncode == 2
