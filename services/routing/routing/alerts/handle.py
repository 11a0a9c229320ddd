"""Cases changed: whom to alert, in the same transaction. And somebody says: I have seen it."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from routing.alerts import store
from routing.alerts.group import Pace, acknowledged, groups, news, raised
from routing.alerts.model import Alert, Kind
from routing.cases.model import By, Case, Level, Step
from routing.deps import Deps
from routing.settings import Settings
from shared.runtime.audit import audit
from shared.runtime.database import Unit


def pace(settings: Settings) -> Pace:
    return Pace(
        every=timedelta(seconds=settings.alert_every_s),
        quiet=timedelta(seconds=settings.alert_quiet_s),
        waits=tuple(timedelta(seconds=each) for each in settings.alert_waits_s),
        delivers=bool(settings.alert_receivers),
    )


async def cases_changed(unit: Unit, deps: Deps, steps: Sequence[tuple[Case, Step]]) -> None:
    """A case opened, opened again or turned critical: its alert is due at once, or joins the team's running one."""
    alarmed = await store.alarmed(unit.tx, [case.id for case, _ in steps if case.level is Level.CRITICAL])
    found = groups(news(steps, alarmed=alarmed))
    if not found:
        return
    how = pace(deps.settings)
    grouped = [each[0].group for each in found if each[0].kind is Kind.UNHAPPY]
    running = await store.running(unit.tx, grouped, since=unit.now - how.quiet)
    for each in found:
        joins = running.get(each[0].group) if each[0].kind is Kind.UNHAPPY else None
        alert = raised(joins, each, now=unit.now, pace=how)
        await store.save(unit.tx, [alert])
        await store.add_cases(unit.tx, alert, each)
        unit.when_committed(partial(deps.metrics.alerts.labels(alert.kind.value).inc, len(each)))


async def acknowledge(unit: Unit, alert_id: UUID, by: By, *, teams: frozenset[str] | None) -> Alert | None:
    """Somebody has seen it: who was first is kept, and written to the audit log. None when it is not theirs to see."""
    alert = await store.locked(unit.tx, alert_id, teams=teams)
    if alert is None or alert.acknowledged_at:
        return alert
    seen = acknowledged(alert, by.ref, name=by.name or by.ref, at=unit.now)
    await store.save(unit.tx, [seen])
    await audit(unit.tx, by, "alert.acknowledged", subject=alert.id)
    return seen
