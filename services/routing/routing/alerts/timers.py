"""Messages of alerts that are due: claimed under a lease, sent, recorded. An expired lease is sent again: twice is better than never."""

import logging
from datetime import timedelta

from routing.alerts import store
from routing.alerts.clients import deliver
from routing.alerts.group import delivered, not_delivered
from routing.alerts.handle import pace
from routing.alerts.model import Outgoing, Try
from routing.deps import Deps
from shared.runtime.database import Unit
from shared.runtime.failpoints import failpoint
from shared.runtime.timers import Leased

log = logging.getLogger("aftercall.routing")


async def claim(unit: Unit, deps: Deps) -> list[Outgoing]:
    settings = deps.settings
    if not settings.alert_receivers:
        return []
    lease = unit.now + timedelta(seconds=settings.alert_lease_s)
    return await store.claim(unit.tx, now=unit.now, lease_until=lease, limit=settings.alert_batch)


async def call(outgoing: Outgoing, deps: Deps) -> tuple[Try, ...]:
    failpoint("routing.before_alert")
    tries = await deliver(outgoing, deps)
    failpoint("routing.after_alert_accepted")
    return tries


async def record(unit: Unit, outgoing: Outgoing, tries: tuple[Try, ...], deps: Deps) -> None:
    """What came of it, unless the lease ran out and somebody else is at it."""
    for each in tries:
        deps.metrics.alert_deliveries.labels(each.receiver, each.outcome).inc()
    alert = await store.leased(unit.tx, outgoing.alert)
    if alert is None:
        return
    how = pace(deps.settings)
    if any(each.arrived for each in tries):
        after = delivered(alert, told=outgoing.alert.count, at=unit.now, pace=how)
    else:
        after = not_delivered(alert, at=unit.now, pace=how)
        log.warning("an alert did not arrive", extra={"reason": tries[-1].outcome, "attempt": after.attempts})
    await store.save(unit.tx, [after])


ALERT_TIMERS = {"alerts": Leased(claim, call, record)}
