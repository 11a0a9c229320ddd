"""May this dialer call now? The reason why not is the error."""

from datetime import datetime

from routing.cases.announce import wanted
from routing.cases.model import By, Case, Route, State
from routing.errors import Claimed, NotForCalls, NotInTable, NotYet, OutsideHours


def check_ready(case: Case, dialer: By, *, now: datetime) -> None:
    """Nobody else has it, a call is wanted, lawful and wished at this moment."""
    if case.owner not in (None, dialer.ref):
        raise Claimed(case.owner_name or case.owner or "", at=case.owner_since)
    if case.route is not Route.CALL:
        raise NotForCalls(case.route.value, case.consent_basis)
    if not wanted(case):
        raise NotInTable("claim", case.state.value, [State.OPEN.value, State.ATTEMPTING.value])
    if case.next_at is not None and case.next_at > now:
        raise NotYet(case.next_at)
    if not any(each.from_ <= now < each.to for each in case.windows):
        raise OutsideHours
