"""What falls due in ingest."""

from ingest.contacts import handle as contacts
from ingest.deps import Deps
from shared.runtime.database import Unit
from shared.runtime.timers import Timer


async def close_contacts(unit: Unit, deps: Deps) -> int:
    return await contacts.close_due(unit, deps.closing)


async def forget_events(unit: Unit, deps: Deps) -> int:
    return await contacts.forget_events(unit, deps.closing)


async def measure_watermark(unit: Unit, deps: Deps) -> int:
    return await contacts.measure_watermark(unit, deps.closing)


TIMERS: dict[str, Timer[Deps]] = {
    "close_contacts": Timer(close_contacts),
    "forget_events": Timer(forget_events),
    "measure_watermark": Timer(measure_watermark),
}
