"""What every test may ask for. Nothing starts before a test asks; what was started ends with the run, however it ends."""

from collections.abc import Iterator

import pytest

from deploy.postgres.embedded import postgres
from tests.support.postgres import Databases


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """One PostgreSQL for the run; `databases.fresh("scoring")` gives a migrated database of one's own."""
    with postgres() as server:
        yield Databases(server)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """An empty database, for this test alone."""
    yield from _database(databases, service=None)


@pytest.fixture
def ingest_database(databases: Databases) -> Iterator[str]:
    """A database with ingest's tables, for this test alone."""
    yield from _database(databases, service="ingest")


@pytest.fixture
def scoring_database(databases: Databases) -> Iterator[str]:
    """A database with scoring's tables, for this test alone."""
    yield from _database(databases, service="scoring")


@pytest.fixture
def routing_database(databases: Databases) -> Iterator[str]:
    """A database with routing's tables, for this test alone."""
    yield from _database(databases, service="routing")


def _database(databases: Databases, *, service: str | None) -> Iterator[str]:
    url = databases.fresh(service)
    yield url
    databases.drop(url)
