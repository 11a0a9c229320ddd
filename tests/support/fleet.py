"""The three services as processes that tests may kill, with short waits, and nothing of them left at the end."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from psycopg.rows import dict_row
from sqlalchemy import make_url

from deploy.demo.settings import ALWAYS, AT_ONCE, write_files
from deploy.guardian import free_ports
from deploy.postgres.roles import as_role
from shared.runtime.database import Database
from shared.runtime.kafka import KafkaBroker
from shared.runtime.keys import NewKey, create_key
from tests.support.fake_gateway import FakeGateway

SERVICES = ("ingest", "scoring", "routing")
GRACE_S = 30.0
POLICIES = {
    "tnps": {"sampling": {"seed": "faults", "rate": 1.0}, "hours": ALWAYS, "delay_s": AT_ONCE},
    "recovery": {"after_s": 86_400, "hours": ALWAYS, "delay_s": AT_ONCE},
}
Rows = list[dict[str, object]]


@dataclass
class Replica:
    """One process of a service. `log` is the file with what it said."""

    service: str
    process: asyncio.subprocess.Process
    public: int
    internal: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.public}"

    @property
    def internal_url(self) -> str:
        return f"http://127.0.0.1:{self.internal}"

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def killed(self, *, within: float = 90) -> None:
        """Wait until its own failpoint has killed it."""
        try:
            code = await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            raise AssertionError(f"{self.service} did not come to its failpoint in {within:.0f} s: {self.said()}") from None
        assert code == -signal.SIGKILL, f"{self.service} ended with {code}: {self.said()}"

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), GRACE_S)

    async def ready(self, *, within: float = 60) -> "Replica":
        async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(within):
            while not await self._answers(client):  # another process, which sets no event of ours
                assert self.alive, self.said()
                await asyncio.sleep(0.05)
        return self

    async def _answers(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.internal_url}/readyz")).is_success
        except httpx.TransportError:
            return False

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples with these labels; 0 where there are none."""
        async with httpx.AsyncClient(timeout=5) as client:
            lines = (await client.get(f"{self.internal_url}/metrics")).text.splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        named = (line for line in lines if line.startswith((f"{name} ", f"{name}{{")))
        return sum(float(line.rpartition(" ")[2]) for line in named if all(each in line for each in wanted))

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


@dataclass
class Fleet:
    """Where the services run and what they talk to. `variables` is added to the environment of each.

    `database_url` is a superuser's, for looking and for faults; each service signs in as itself, by way of `database_port` where it is set.
    """

    database_url: str
    bootstrap: str
    folder: Path
    gateway: FakeGateway
    prefix: str
    variables: dict[str, str] = field(default_factory=dict)
    replicas: list[Replica] = field(default_factory=list)
    kills: int = 0
    database_port: int | None = None
    _numbers: Counter[str] = field(default_factory=Counter)

    def broker(self) -> KafkaBroker:
        return KafkaBroker(self.bootstrap, prefix=self.prefix, session_s=6)

    async def start(self, service: str, *, failpoints: str = "", data_mib: int = 0, **variables: str) -> Replica:
        """A process of a service; with `data_mib`, one that the kernel gives no more memory of its own than that."""
        public, internal = free_ports(2)
        self._numbers[service] += 1
        log = self.folder / f"{service}-{self._numbers[service]}.log"
        environment = {
            **self.environment(),
            f"{service.upper()}_PUBLIC_PORT": str(public),
            f"{service.upper()}_INTERNAL_PORT": str(internal),
            "AFTERCALL_FAILPOINTS": failpoints,
            **variables,
        }
        tied = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        if data_mib:
            tied += ["prlimit", f"--data={data_mib * 1_048_576}"]
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *tied, sys.executable, "-m", service, "run", env=environment, stdout=out, stderr=out, start_new_session=True
            )
        replica = Replica(service, process, public, internal, log)
        self.replicas.append(replica)
        return replica

    async def start_all(self, *services: str) -> dict[str, Replica]:
        started = {service: await self.start(service) for service in services or SERVICES}
        for replica in started.values():
            await replica.ready()
        return started

    async def die_at(self, service: str, failpoint: str, *, times: int, passing: int = 2, within: float = 90) -> None:
        """Start, be killed at that line, start again …: every process dies of SIGKILL there, none is killed from outside."""
        for _ in range(times):
            replica = await self.start(service, failpoints=f"{failpoint}=kill@{passing}")
            await replica.killed(within=within)
            self.kills += 1

    async def rows(self, sql: str) -> Rows:
        async with await psycopg.AsyncConnection.connect(_plain(self.database_url), row_factory=dict_row) as connection:
            return await (await connection.execute(sql)).fetchall()

    async def run(self, sql: str) -> None:
        async with await psycopg.AsyncConnection.connect(_plain(self.database_url), autocommit=True) as connection:
            await connection.execute(sql)

    async def count(self, sql: str) -> int:
        return int(str(next(iter((await self.rows(sql))[0].values()))))

    async def until(self, sql: str, wanted: int, *, seconds: float = 90) -> None:
        """Wait until a count is what it should be; a database that is away is waited for too."""
        last: object = None
        try:
            async with asyncio.timeout(seconds):
                while last != wanted:
                    with suppress(psycopg.OperationalError):
                        last = await self.count(sql)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{sql}: {last} and not {wanted} after {seconds:.0f} s; {self._ended()}") from None

    async def end(self) -> None:
        for replica in self.replicas:
            if replica.alive:
                await replica.kill()

    def _ended(self) -> str:
        return "; ".join(f"{each.service} ended with {each.process.returncode}" for each in self.replicas) + "\n" + self.replicas[-1].said()

    def url_of(self, service: str) -> str:
        """The database as the running service signs in to it."""
        address = make_url(self.database_url)
        return as_role(address.set(port=self.database_port or address.port).render_as_string(hide_password=False), service)

    def environment(self) -> dict[str, str]:
        """What every process of the fleet is told."""
        gateway = f"http://127.0.0.1:{self.gateway.port}"
        return {
            **os.environ,
            **{f"{service.upper()}_DATABASE_URL": self.url_of(service) for service in SERVICES},
            "AFTERCALL_BROKER": "kafka",
            "AFTERCALL_KAFKA_BOOTSTRAP": self.bootstrap,
            "AFTERCALL_KAFKA_SESSION_S": "6",
            "AFTERCALL_TOPIC_PREFIX": self.prefix,
            "AFTERCALL_OUTBOUND_ALLOW": f"127.0.0.1:{self.gateway.port}",
            "AFTERCALL_TIMER_INTERVAL": "0.1",
            "AFTERCALL_STOP_S": "10",
            "AFTERCALL_LOG_LEVEL": "WARNING",
            **{f"INGEST_HOLD_{channel}_S": "1" for channel in ("PHONE", "CHAT", "WEB", "OTHER")},
            "INGEST_ADDRESS_WAIT_S": "3",
            "INGEST_CATALOGUE_FILE": str(self.folder / "catalogue.json"),
            "SCORING_FIRST_POLICIES": json.dumps(POLICIES),
            "SCORING_GATEWAYS": json.dumps(dict.fromkeys(("sms", "email", "chat"), "webhook")),
            "SCORING_WEBHOOK_URL": f"{gateway}/messages",
            "SCORING_WEBHOOK_KEEPS_KEYS": str(self.gateway.keeps_keys).lower(),
            "SCORING_GATEWAY_TIMEOUT_S": "2",
            "SCORING_SEND_LEASE_S": "3",
            "SCORING_SEND_WAITS_S": "[1, 1, 2, 5, 10]",
            "ROUTING_ALERT_WEBHOOK_URL": f"{gateway}/alerts",
            "ROUTING_ALERT_TIMEOUT_S": "2",
            "ROUTING_ALERT_LEASE_S": "3",
            "ROUTING_ALERT_EVERY_S": "2",
            "ROUTING_ALERT_WAITS_S": "[1, 1, 2, 5, 10]",
            "ROUTING_POLICY_FILE": str(self.folder / "case_policy.json"),
            **self.variables,
        }


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


async def platform_key(fleet: Fleet) -> str:
    """An API key with which any platform may send."""
    database = Database(fleet.url_of("ingest"), schema="ingest", pool_size=1)
    try:
        return await create_key(database, NewKey("faults", ("platform",)))
    finally:
        await database.close()


@asynccontextmanager
async def fleet(database_url: str, bootstrap: str, folder: Path, *, gateway: FakeGateway, prefix: str) -> AsyncIterator[Fleet]:
    """No process outlives it, whatever happens; nor, where `setpriv` is there, the process of the test."""
    write_files(folder)
    made = Fleet(database_url, bootstrap, folder, gateway, prefix)
    try:
        yield made
    finally:
        await made.end()
