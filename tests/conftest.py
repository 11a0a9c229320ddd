"""What every test may ask for. Nothing starts before a test asks; what was started ends with the run, however it ends."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser

from deploy.postgres.embedded import postgres
from deploy.postgres.roles import as_role
from tests.support.browser import chromium
from tests.support.kafka import kafka_bootstrap
from tests.support.postgres import Databases


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """One PostgreSQL for the run; `databases.fresh("scoring")` gives a migrated database of one's own."""
    with postgres() as server:
        yield Databases(server)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """An empty database, for this test alone."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture
def ingest_database(databases: Databases) -> Iterator[str]:
    """A database with ingest's tables, for this test alone, as ingest itself signs in to it."""
    yield from _database(databases, "ingest")


@pytest.fixture
def scoring_database(databases: Databases) -> Iterator[str]:
    """A database with scoring's tables, for this test alone, as scoring itself signs in to it."""
    yield from _database(databases, "scoring")


@pytest.fixture
def routing_database(databases: Databases) -> Iterator[str]:
    """A database with routing's tables, for this test alone, as routing itself signs in to it."""
    yield from _database(databases, "routing")


@pytest.fixture(scope="session")
def kafka_servers() -> Iterator[str]:
    """`host:port` of a real Apache Kafka, shared by the run: give topics a prefix of your own. Mark the test `kafka`."""
    with kafka_bootstrap() as bootstrap:
        yield bootstrap


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium for this test. Mark the test `browser`."""
    async with chromium() as running:
        yield running


def _database(databases: Databases, service: str) -> Iterator[str]:
    url = databases.fresh(service)
    yield as_role(url, service)
    databases.drop(url)
