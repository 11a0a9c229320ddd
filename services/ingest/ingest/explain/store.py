"""The queries of a trial that is undone."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contacts.store import Root
from shared.runtime.database import run

_MOVE_BACK = """
update event set received = received - cast(:length as interval) where platform = :platform and account = :account and root = :root"""


async def wait_briefly(tx: AsyncConnection) -> None:
    """A trial stands in nobody's way for long, and gives up where somebody stands in its own."""
    await run(tx, "set local lock_timeout = '2s'")


async def move_back(tx: AsyncConnection, root: Root, length: timedelta) -> None:
    """As if that much time had passed since the contact's events were stored."""
    platform, account, name = root
    await run(tx, _MOVE_BACK, platform=platform, account=account, root=name, length=length)
