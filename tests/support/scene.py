"""Where a fault case plays."""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.fake_gateway import FakeGateway
from tests.support.fleet import Fleet
from tests.support.ledger import Ledger


@dataclass
class Scene:
    """The services' place, the record of what was told, and when it began (this process's monotonic clock)."""

    fleet: Fleet
    ledger: Ledger
    began: float

    @property
    def gateway(self) -> FakeGateway:
        return self.fleet.gateway

    async def another_prefix(self) -> str:
        """Fresh topics beside those of the fleet."""
        prefix = f"v{uuid4().hex[:8]}."
        other = Fleet(self.fleet.database_url, self.fleet.bootstrap, self.fleet.folder, self.gateway, prefix).broker()
        await other.create([*TOPICS.values(), *DEAD_TOPICS.values()])
        await other.stop()
        return prefix

    async def both_have_partitions(self, service: str, topic: str) -> None:
        """Wait until two replicas share the partitions of a topic."""
        sharing = f"select count(distinct owner) from {service}.consumer_offset where topic = '{topic}'"
        await self.fleet.until(sharing, 2, seconds=60)
        await asyncio.sleep(1)
        await self.fleet.until(sharing, 2, seconds=60)
