"""Where a fault case plays."""

from dataclasses import dataclass

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
