"""What the deployment files name exists: commands, variables, files, ports."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from deploy.postgres.roles import owner
from ingest.settings import Settings as Ingest
from routing.settings import Settings as Routing
from scoring.settings import Settings as Scoring
from shared.runtime.settings import COMMON_PREFIX, ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: dict[str, type[ServiceSettings]] = {"ingest": Ingest, "scoring": Scoring, "routing": Routing}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def test_the_compose_file_keeps_the_compose_specification() -> None:
    checker = str(Path(sys.executable).with_name("check-jsonschema"))
    command = [checker, "--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")]

    found = subprocess.run(command, capture_output=True, text=True, check=False)

    assert found.returncode == 0, found.stdout


def test_every_python_command_of_the_deployment_exists() -> None:
    words = " ".join([*_strings(COMPOSE), DOCKERFILE])
    modules = set(re.findall(r"python -m ([a-z_.]+)", words))

    assert {"ingest", "scoring", "routing", "shared.runtime.kafka"} <= modules
    assert all(importlib.util.find_spec(module) for module in modules)


def test_every_variable_of_the_deployment_is_a_setting() -> None:
    named = {name for service in COMPOSE["services"].values() for name in service.get("environment", {})}
    named |= set(re.findall(r"\b(AFTERCALL_[A-Z_]+)=", DOCKERFILE))
    ours = {name for name in named if name.startswith((COMMON_PREFIX, "INGEST_", "SCORING_", "ROUTING_"))}
    known = {f"{prefix}{field.upper()}" for prefix, field in _fields()}

    assert ours
    assert ours <= known, f"no setting is called {sorted(ours - known)}"


def _fields() -> Iterator[tuple[str, str]]:
    for service, settings in SETTINGS.items():
        for field in settings.model_fields:
            yield COMMON_PREFIX, field
            yield f"{service.upper()}_", field


def test_every_file_that_is_mounted_or_built_from_exists() -> None:
    mounted = [text.split(":")[0] for text in _strings(COMPOSE) if text.startswith("./")]
    built = [service["build"]["dockerfile"] for service in COMPOSE["services"].values() if "build" in service]
    copied = [source for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for source in line.split()]

    assert mounted
    assert built
    assert copied
    assert all((ROOT / path).exists() for path in [*mounted, *built, *copied])


PORTS = re.findall(r"AFTERCALL_(?:PUBLIC|INTERNAL)_PORT=(\d+)", DOCKERFILE)


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_the_ports_of_the_deployment_are_the_ports_a_service_listens_on(service: str) -> None:
    assert [port.split(":")[-1] for port in COMPOSE["services"][service]["ports"]] == PORTS
    assert re.findall(r"^EXPOSE (.+)$", DOCKERFILE, re.MULTILINE) == [" ".join(PORTS)]


def test_prometheus_reads_the_internal_port_of_every_service() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    scraped = {each["job_name"]: each["static_configs"] for each in config["scrape_configs"]}

    assert scraped == {service: [{"targets": [f"{service}:{PORTS[1]}"]}] for service in SETTINGS}


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_a_service_runs_as_itself_and_migrates_as_the_owner_of_its_schema(service: str) -> None:
    migrating, running = (COMPOSE["services"][name]["environment"] for name in ("migrate", service))
    urls = {name: make_url(value) for name, value in migrating.items() if name.startswith(service.upper())}

    assert {name: url.username for name, url in urls.items()} == {
        f"{service.upper()}_DATABASE_URL": service,
        f"{service.upper()}_MIGRATION_URL": owner(service),
    }
    assert running[f"{service.upper()}_DATABASE_URL"] == migrating[f"{service.upper()}_DATABASE_URL"]
    assert f"{service.upper()}_MIGRATION_URL" not in running


def test_the_services_run_side_by_side_on_one_machine_without_a_setting() -> None:
    defaults = {name: settings.model_fields for name, settings in SETTINGS.items()}
    ports = [fields[port].default for fields in defaults.values() for port in ("public_port", "internal_port")]

    assert len(set(ports)) == len(ports)
    for name, fields in defaults.items():
        public, internal = fields["public_port"].default, fields["internal_port"].default
        assert fields["public_url"].default == f"http://127.0.0.1:{public}"
        assert [port.split(":")[1] for port in COMPOSE["services"][name]["ports"]] == [str(public), str(internal)]
        assert f"{public}" in (ROOT / "services" / name / "README.md").read_text(encoding="utf-8")
