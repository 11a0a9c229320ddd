"""Every setting in which the demo differs from a deployment, in one place: it waits less, sleeps never, and says so."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from deploy.guardian import free_ports, is_free
from deploy.postgres.roles import as_role

HOST = "127.0.0.1"
SERVICES = ("ingest", "scoring", "routing")
ALWAYS = {"daily": "00:00-24:00"}
AT_ONCE = {"sms": 0, "email": 0, "chat": 0}

SURVEY_POLICIES = {
    "tnps": {"sampling": {"seed": "demo", "rate": 1.0}, "hours": ALWAYS, "delay_s": AT_ONCE},
    "recovery": {"after_s": 20, "hours": ALWAYS, "delay_s": AT_ONCE},
}
"""Everybody who may be asked is asked, at once, at any hour; and again twenty seconds after an unhappy answer."""

CATALOGUE = {
    "teams": {"birch": "Birch", "cedar": "Cedar"},
    "queues": {"billing-line": "birch", "orders-line": "birch", "chat-desk": "cedar", "Billing line": "birch", "Orders line": "birch"},
    "agents": {"agent-ana": "birch", "agent-tom": "cedar", "agent-maria": "birch"},
    "queue_names": {"billing-line": "Billing line", "orders-line": "Orders line", "chat-desk": "Chat desk"},
    "moments": [{"moment": "billing", "queue": "billing-line"}, {"moment": "order", "queue": "orders-line"}],
    "moment_names": {"billing": "A bill", "order": "An order", "question": "A question"},
    "moment_else": "question",
}
"""Which team works which queue. Connect's contact events name a queue by its id, its contact records by its name."""

CASE_POLICY = {"call_hours": ALWAYS, "team_hours": ALWAYS}
"""Somebody may be called at any hour."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where things listen."""

    home: int
    public: Mapping[str, int]
    internal: Mapping[str, int]

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.public[service]}"

    def internal_url(self, service: str) -> str:
        return f"http://{HOST}:{self.internal[service]}"

    @property
    def home_url(self) -> str:
        return f"http://{HOST}:{self.home}"


FAMILIAR = (8000, 8001, 8002, 8003, 9001, 9002, 9003)


def familiar() -> Ports:
    """The same every time; others where somebody already listens."""
    return _ports(*FAMILIAR) if all(is_free(port) for port in FAMILIAR) else free()


def free() -> Ports:
    return _ports(*free_ports(len(FAMILIAR)))


def _ports(home: int, *rest: int) -> Ports:
    return Ports(home, dict(zip(SERVICES, rest[:3], strict=True)), dict(zip(SERVICES, rest[3:], strict=True)))


@dataclass(frozen=True, slots=True)
class Place:
    """What the demo runs on. `database_url` is a superuser's; each service signs in as itself."""

    database_url: str
    broker: str
    folder: Path
    ports: Ports = field(default_factory=familiar)
    kafka_bootstrap: str = ""
    alert_secret: str = field(default_factory=lambda: f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}")


def environment(place: Place) -> dict[str, str]:
    """The environment of the three services."""
    at = place.ports
    common = {
        "BROKER": place.broker,
        "KAFKA_BOOTSTRAP": place.kafka_bootstrap,
        "LOGIN_LINK_S": "86400",  # the printed link works as long as anybody looks at the demo
        "OUTBOUND_ALLOW": f"{HOST}:{at.home}",  # where the demo's own supervisor receives alerts
        "TIMER_INTERVAL": "0.1",
        "STOP_S": "5",
        "LOG_LEVEL": "WARNING",
    }
    own = {name: _of_one(place, name) for name in SERVICES}
    return {
        **{f"AFTERCALL_{name}": value for name, value in common.items() if value},
        **{f"{service.upper()}_{name}": value for service, values in own.items() for name, value in values.items()},
        "INGEST_HOLD_PHONE_S": "2",
        "INGEST_HOLD_CHAT_S": "2",
        "INGEST_HOLD_WEB_S": "2",
        "INGEST_HOLD_OTHER_S": "2",
        "INGEST_ADDRESS_WAIT_S": "5",
        "INGEST_CATALOGUE_FILE": str(place.folder / "catalogue.json"),
        "SCORING_BRAND": "Larkfield",
        "SCORING_FIRST_POLICIES": json.dumps(SURVEY_POLICIES),
        "ROUTING_ROTA_FILE": str(files("routing").joinpath("rota/demo.json")),
        "ROUTING_ALERT_WEBHOOK_URL": f"{at.home_url}/alerts",
        "ROUTING_ALERT_WEBHOOK_SECRET": place.alert_secret,
        "ROUTING_POLICY_FILE": str(place.folder / "case_policy.json"),
    }


def _of_one(place: Place, service: str) -> dict[str, str]:
    at = place.ports
    listening = {"PUBLIC_PORT": str(at.public[service]), "INTERNAL_PORT": str(at.internal[service]), "PUBLIC_URL": at.url(service)}
    return {"DATABASE_URL": as_role(place.database_url, service), **listening}


def write_files(folder: Path) -> None:
    """The documents that settings name by path: the shipped case policy with the demo's hours."""
    shipped = json.loads(files("routing").joinpath("cases/policy.json").read_text(encoding="utf-8"))
    (folder / "catalogue.json").write_text(json.dumps(CATALOGUE), encoding="utf-8")
    (folder / "case_policy.json").write_text(json.dumps(shipped | CASE_POLICY), encoding="utf-8")
