"""The gateway into the development inbox."""

from scoring.ask.inbox import store
from scoring.ask.model import Accepted, Lost, Outgoing, Result
from shared.runtime.database import Database
from shared.runtime.patience import passing
from shared.runtime.sealing import Sealer


class InboxGateway:
    """Keeps each key once, as a gateway that honours idempotency keys does."""

    name = "inbox"
    keeps_keys = True

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database, self._sealer = database, sealer

    async def send(self, message: Outgoing) -> Result:
        try:
            async with self._database.transaction() as unit:
                ref = await store.keep(unit.tx, message, address=self._sealer.seal(message.address))
        except Exception as error:
            if not passing(error):
                raise
            return Lost(type(error).__name__.lower())
        return Accepted(str(ref))
