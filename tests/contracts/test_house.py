"""The house's rules hold, and each of them is seen to fail where it is broken."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.house import RULES, Module, imported_by, impure, modules, named_for_nothing, sql_outside_store, too_long

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [ROOT / "shared", *(ROOT / "services" / name / name for name in ("ingest", "scoring", "routing"))]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_module_keeps_the_house_rules(package: Path) -> None:
    wrong = [sentence for module in modules(package) for rule in RULES for sentence in rule(module)]

    assert not wrong, "\n".join(wrong)


def test_every_package_says_that_it_is_typed() -> None:
    assert all((package / "py.typed").is_file() for package in PACKAGES)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_what_a_package_imports_is_what_it_or_shared_declares(package: Path) -> None:
    project = package if package.name == "shared" else package.parent
    declared = _declared(project) | _declared(ROOT / "shared")
    providers = packages_distributions()
    imported = {name.split(".")[0] for module in modules(package) for node in ast.walk(module.tree) for name in imported_by(node)}
    foreign = imported - set(sys.stdlib_module_names) - {each.name for each in PACKAGES}

    missing = {name for name in foreign if not declared.intersection(canonical(provider) for provider in providers.get(name, [name]))}
    assert not missing


def _declared(project: Path) -> set[str]:
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return {canonical(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in told}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize(
    "line",
    [
        "import sqlalchemy",
        "from sqlalchemy.ext.asyncio import AsyncConnection",
        "import httpx",
        "import aiokafka",
        "from fastapi import APIRouter",
        "import prometheus_client",
        "import logging",
        "from os import environ",
        "import random",
        "import time",
        "from uuid import uuid4\nmade = uuid4()",
        "from datetime import datetime\nread = datetime.now()",
        "from shared.runtime.database import Database",
        "from scoring.decide.store import history",
        "text = open('rules.txt')",
    ],
)
def test_a_rule_that_touches_the_world_is_found(tmp_path: Path, line: str) -> None:
    assert list(impure(_planted(tmp_path, "scoring/decide/rules.py", text=line)))


@pytest.mark.parametrize("room", ["store", "handle", "timers", "clients", "api", "pages", "settings", "metrics", "app"])
def test_an_impure_room_may_touch_the_world(tmp_path: Path, room: str) -> None:
    assert not list(impure(_planted(tmp_path, f"scoring/decide/{room}.py", text="import logging\nimport time")))


def test_a_rule_over_values_is_pure(tmp_path: Path) -> None:
    text = "from datetime import datetime\nfrom uuid import uuid5\n\n\ndef later(now: datetime) -> bool:\n    return now.hour > 8"

    assert not list(impure(_planted(tmp_path, "scoring/decide/rules.py", text=text)))


@pytest.mark.parametrize(
    "sql",
    [
        "select id from survey",
        "insert into survey (id) values (1)",
        "\n    update survey s set score = 1",
        "delete from survey",
        "with due as (select 1) select * from due",
        "create table survey (id int)",
    ],
)
def test_sql_outside_the_store_is_found(tmp_path: Path, sql: str) -> None:
    assert list(sql_outside_store(_planted(tmp_path, "scoring/ask/timers.py", text=f"QUERY = {sql!r}")))
    assert not list(sql_outside_store(_planted(tmp_path, "scoring/ask/store.py", text=f"QUERY = {sql!r}")))


def test_prose_is_not_sql(tmp_path: Path) -> None:
    text = '"""Select whom to ask."""\nWORDS = "Update the address, or delete it"'

    assert not list(sql_outside_store(_planted(tmp_path, "scoring/ask/timers.py", text=text)))


def test_a_module_named_for_nothing_is_found(tmp_path: Path) -> None:
    assert list(named_for_nothing(_planted(tmp_path, "scoring/ask/utils.py", text="")))


def test_a_file_nobody_reads_in_one_sitting_is_found(tmp_path: Path) -> None:
    assert list(too_long(_planted(tmp_path, "scoring/ask/rules.py", text="x = 1\n" * 251)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ingest/people/identify.py", "import scoring.score\n"),
        ("shared/nps.py", "import scoring.score\n"),
        ("shared/schemas/surveys.py", "import shared.runtime\n"),
        ("ingest/people/identify.py", "import ingest.contacts\n"),
        ("scoring/people/model.py", "import scoring.decide\n"),
        ("routing/cases/priority.py", "import routing.console\n"),
        ("routing/alerts/group.py", "import routing.recovery\n"),
    ],
)
def test_an_import_against_the_order_is_found(tmp_path: Path, path: str, text: str) -> None:
    _plant_packages(tmp_path)
    assert _run(tmp_path, "lint-imports").returncode == 0, "the planted tree is clean before the fault"

    (tmp_path / path).write_text(text)

    assert "BROKEN" in _run(tmp_path, "lint-imports").stdout


@pytest.mark.parametrize(
    ("command", "text", "sentence"),
    [
        (["ruff", "check"], "import os\n", "F401"),
        (["ruff", "check"], "from unittest.mock import patch\n\n__all__ = ['patch']\n", "TID251"),
        (["ruff", "check"], "from datetime import datetime\n\n\ndef read() -> datetime:\n    return datetime.now()\n", "DTZ005"),
        (["mypy"], "def score(answer):\n    return answer\n", "no-untyped-def"),
        (["mypy"], "def score(answer: int) -> str:\n    return answer\n", "return-value"),
    ],
)
def test_ruff_and_mypy_find_a_planted_fault(tmp_path: Path, command: list[str], text: str, sentence: str) -> None:
    fault = tmp_path / "fault.py"
    fault.write_text(text)

    found = _run(ROOT, *command, "--config-file" if command == ["mypy"] else "--config", str(ROOT / "pyproject.toml"), str(fault))

    assert found.returncode == 1
    assert sentence in found.stdout


def _planted(root: Path, path: str, *, text: str) -> Module:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return Module(".".join(Path(path).with_suffix("").parts), file)


def _plant_packages(root: Path) -> None:
    features = {
        "shared": ["runtime", "schemas"],
        "ingest": ["people", "catalogue", "contacts", "intake"],
        "scoring": ["people", "score", "decide", "ask", "listen"],
        "routing": ["people", "rota", "cases", "recovery", "alerts", "console"],
    }
    for package, names in features.items():
        for folder in (root / package, *(root / package / name for name in names)):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "__init__.py").write_text("")
    (root / "shared" / "topics.py").write_text("")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (root / "pyproject.toml").write_text(text[text.index("[tool.importlinter]") :])


def _run(folder: Path, tool: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [str(Path(sys.executable).with_name(tool)), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
