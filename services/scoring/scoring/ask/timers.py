"""What falls due about decisions: judging again what lacked a fact, and deciding about recovery."""

from datetime import datetime, timedelta

from scoring.ask import store
from scoring.ask.handle import judge
from scoring.ask.known import Subject
from scoring.ask.model import Survey
from scoring.decide import store as decisions
from scoring.decide.first import RECOVERY
from scoring.deps import Deps
from scoring.people import store as people
from scoring.people.callbacks import store as callbacks
from scoring.people.model import Callback
from shared.runtime.database import Unit
from shared.schemas import Contact

LOOK_AGAIN = timedelta(minutes=15)


async def judge_deferred(unit: Unit, deps: Deps) -> int:
    """A missing fact may have come; those past their time are told no."""
    due = await decisions.retries_due(unit.tx, now=unit.now, limit=deps.settings.judge_batch)
    await people.lock(unit.tx, [customer for _, customer in due if customer])
    waiting = await decisions.claim_retries(unit.tx, [decision for decision, _ in due], now=unit.now, again=unit.now + LOOK_AGAIN)
    await judge(
        unit,
        [Subject(w.kind, w.anchor, Contact.model_validate(w.contact), w.customer_id, w.aged_from, again=True) for w in waiting],
        deps,
    )
    return len(waiting)


async def judge_recoveries(unit: Unit, deps: Deps) -> int:
    """Two weeks after the opening answer the case's customer is asked whether it is better now, in both arms."""
    due = await callbacks.recoveries_due(unit.tx, now=unit.now, limit=deps.settings.judge_batch)
    await people.lock(unit.tx, [case.customer_id for case in due if case.customer_id])
    cases = await callbacks.claim_recoveries(unit.tx, [case.case_id for case in due])
    opened_by = await store.surveys_of(unit.tx, [case.opening_survey for case in cases if case.opening_survey])
    subjects = [_recovery(case, opened_by[case.opening_survey], now=unit.now) for case in cases if case.opening_survey in opened_by]
    await judge(unit, subjects, deps)
    return len(cases)


def _recovery(case: Callback, opening: Survey, *, now: datetime) -> Subject:
    """About the contact that led to the case. Its age counts from now: a case asked about late is still asked about."""
    return Subject(RECOVERY, case.case_id, Contact.model_validate(opening.contact), case.customer_id, now)
