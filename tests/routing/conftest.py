"""A routing service over a database of one's own."""

from collections.abc import AsyncIterator

import pytest

from tests.support.cases import Routing, routing


@pytest.fixture
async def desk(routing_database: str) -> AsyncIterator[Routing]:
    made = routing(routing_database)
    yield made
    await made.deps.database.close()
