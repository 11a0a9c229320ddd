"""What the fault cases share. `CASES="A1 B7"` picks some; the last line of a run is the sum of all."""

import contextlib
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.fake_gateway import fake_gateway
from tests.support.fleet import SERVICES, fleet
from tests.support.kafka import require_kafka
from tests.support.kafka_behind_proxy import TwoDoors, kafka_with_two_doors
from tests.support.ledger import Ledger
from tests.support.postgres import Databases
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS

_CASE = re.compile(r"test_([a-h]\d+)_")


def _case(item: pytest.Item | str) -> str:
    found = _CASE.search(item if isinstance(item, str) else item.name)
    return found[1].upper() if found else ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only the cases that are picked; without a pick, the whole ones in `make faults` and their short parts in `make test`."""
    picked, here = set(os.environ.get("CASES", "").upper().split()), Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    if picked:
        out = [item for item in mine if _case(item) not in picked]
    else:
        elsewhere = "short" if os.environ.get("FAULTS") else "slow"
        out = [item for item in mine if item.get_closest_marker(elsewhere)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    case = _case(report.nodeid.rpartition("::")[2])
    if case and not report.skipped and (report.when == "call" or report.failed):
        VERDICTS.passed[case] = VERDICTS.passed.get(case, True) and report.passed


def pytest_unconfigure() -> None:
    if VERDICTS.passed:
        print(VERDICTS.sum(), flush=True)


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hundreds of processes start here: the first compiles what it imports, also where nothing may be written beside the sources."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        environment.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def broker_with_two_doors() -> Iterator[TwoDoors]:
    """One Apache Kafka for the fault cases of the run, which may be killed and started again."""
    require_kafka()
    with kafka_with_two_doors() as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_servers(request: pytest.FixtureRequest) -> str:
    """The broker that is given, else the one that the other cases here use too."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        return given
    broker: TwoDoors = request.getfixturevalue("broker_with_two_doors")
    return broker.bootstrap


@pytest.fixture
def whole_database(databases: Databases) -> Iterator[str]:
    """A database with the tables of all three services."""
    with _fresh(databases) as url:
        yield url


@contextmanager
def _fresh(databases: Databases) -> Iterator[str]:
    url = databases.fresh(*SERVICES)
    try:
        yield url
    finally:
        databases.drop(url)


@pytest.fixture
async def scene(whole_database: str, kafka_servers: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """Topics of one's own, a gateway that keeps keys, and no process yet; at the end none is left."""
    prefix = f"w{uuid4().hex[:8]}."
    try:
        async with fake_gateway() as gateway, fleet(whole_database, kafka_servers, tmp_path, gateway=gateway, prefix=prefix) as made:
            broker = made.broker()
            await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
            try:
                yield Scene(made, Ledger(broker), time.monotonic())
            finally:
                await broker.stop()
    finally:
        await _forget_topics(kafka_servers, prefix)


async def _forget_topics(bootstrap: str, prefix: str) -> None:
    """Fifty cases' partitions are more than the broker has memory for. One that a failed case left dead has none to forget."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    with contextlib.suppress(KafkaError):
        await admin.start()
        await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(prefix)])
    await admin.close()
