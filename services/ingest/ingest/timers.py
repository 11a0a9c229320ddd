"""What falls due in ingest."""

from ingest.contacts import handle as contacts
from ingest.deps import Deps
from ingest.erasure import handle as erasure
from ingest.erasure.search import handle as erasure_search
from shared.runtime.database import Unit
from shared.runtime.timers import Timer


async def close_contacts(unit: Unit, deps: Deps) -> int:
    return await contacts.close_due(unit, deps.closing)


async def forget_events(unit: Unit, deps: Deps) -> int:
    return await contacts.forget_events(unit, deps.closing)


async def measure_watermark(unit: Unit, deps: Deps) -> int:
    return await contacts.measure_watermark(unit, deps.closing)


async def search_for_erased(unit: Unit, deps: Deps) -> int:
    return await erasure_search.search(unit, deps.office)


async def forget_erased_handles(unit: Unit, deps: Deps) -> int:
    return await erasure.forget_marks(unit, deps.office)


async def measure_erasures(unit: Unit, deps: Deps) -> int:
    return await erasure.measure(unit, deps.office)


TIMERS: dict[str, Timer[Deps]] = {
    "close_contacts": Timer(close_contacts, full=lambda deps: deps.closing.at_once),
    "forget_events": Timer(forget_events),
    "measure_watermark": Timer(measure_watermark),
    "search_for_erased": Timer(search_for_erased),
    "forget_erased_handles": Timer(forget_erased_handles),
    "measure_erasures": Timer(measure_erasures),
}
