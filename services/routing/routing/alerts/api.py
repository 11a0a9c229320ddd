"""Alerts for machines: what was raised, what became of it, and that somebody has seen it."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from routing.alerts import handle, store
from routing.alerts.model import Alert, Kind, Standing
from routing.cases.api import Given, by_of, teams_of
from routing.cases.model import Level
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.errors import Unprocessable
from shared.runtime.problems import Problem

SEE: Final = Permission("alerts.read", roles=frozenset({"supervisor", "admin"}))
ACKNOWLEDGE: Final = Permission("alerts.acknowledge", roles=frozenset({"supervisor", "admin"}))

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])


class Acknowledged(BaseModel):
    """Who was first to say that they have seen it."""

    by: str
    name: str
    at: datetime


class AlertShown(BaseModel):
    """`count` answers of one team and channel; `told` of them by `messages` that arrived; `waiting` customers nobody has taken yet."""

    id: UUID
    team: str
    channel: str
    kind: Kind
    level: Level
    count: int
    waiting: int
    oldest_due_at: datetime | None
    opened_at: datetime
    last_at: datetime
    messages: int
    told: int
    failed_attempts: int
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    acknowledged: Acknowledged | None
    link: str


class Page(BaseModel):
    alerts: list[AlertShown]
    next: str | None = None


@router.get("")
async def alerts(
    person: Annotated[Principal, Depends(allow(SEE))],
    deps: Given,
    *,
    after: Annotated[str | None, Query(alias="cursor", max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page:
    """Newest first."""
    before = _place(after) if after else None
    async with deps.database.transaction() as unit:
        found = await store.newest(unit.tx, teams=teams_of(person, SEE), limit=limit + 1, before=before)
    shown = [_shown(each, deps.settings.public_url) for each in found[:limit]]
    return Page(alerts=shown, next=_cursor(found[limit - 1].alert) if len(found) > limit else None)


@router.post("/{alert_id}/acknowledge")
async def acknowledge(person: Annotated[Principal, Depends(allow(ACKNOWLEDGE))], deps: Given, alert_id: UUID) -> AlertShown:
    """Saying it again changes nothing and answers who was first."""
    teams = teams_of(person, ACKNOWLEDGE)
    async with deps.database.transaction() as unit:
        await handle.acknowledge(unit, alert_id, by_of(person), teams=teams)
        found = await store.standing(unit.tx, alert_id, teams=teams)
    if found is None:
        raise Problem(404, "not_found", "There is no such alert")
    return _shown(found, deps.settings.public_url)


def _shown(standing: Standing, console: str) -> AlertShown:
    alert = standing.alert
    seen = (
        Acknowledged(by=alert.acknowledged_by or "", name=alert.acknowledged_name or "", at=alert.acknowledged_at)
        if alert.acknowledged_at
        else None
    )
    same = {name: getattr(alert, name) for name in AlertShown.model_fields if hasattr(alert, name)}
    return AlertShown(
        **same,
        waiting=standing.waiting,
        oldest_due_at=standing.oldest_due_at,
        failed_attempts=alert.attempts,
        acknowledged=seen,
        link=f"{console}/console/alerts/{alert.id}",
    )


def _cursor(alert: Alert) -> str:
    return base64.urlsafe_b64encode(f"{alert.opened_at.isoformat()}|{alert.id}".encode()).decode()


def _place(written: str) -> tuple[datetime, UUID]:
    """What a cursor says; `Unprocessable` for one we did not write."""
    try:
        opened_at, alert_id = base64.urlsafe_b64decode(written.encode()).decode().split("|")
        found = datetime.fromisoformat(opened_at), UUID(alert_id)
    except (ValueError, binascii.Error):
        raise Unprocessable("cursor_invalid", "cursor") from None
    if found[0].tzinfo is None:
        raise Unprocessable("cursor_invalid", "cursor")
    return found
