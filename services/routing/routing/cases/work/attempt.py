"""From a call somebody tells us of to the try we keep, and to the refusal it may carry."""

from datetime import datetime

from routing.cases.model import Attempt, By, Case, Outcome, State
from routing.cases.work.model import Call
from shared.schemas import CallbackAttempted, Consent, ConsentChanged, Sealed


def call_of(message: CallbackAttempted) -> Call:
    """A dialer's message as a call."""
    return Call(
        attempt_id=message.attempt_id,
        outcome=message.outcome,
        started_at=message.started_at,
        ended_at=message.ended_at,
        next_at=message.next_at,
        resolved=message.resolved,
        root_cause=message.root_cause,
        note=message.note,
        platform_ref=message.platform_ref,
    )


def attempt_of(case: Case, call: Call, *, by: By, now: datetime, note: Sealed | None) -> Attempt:
    """The try as it is kept; of a case whose customer is forgotten without what was written of them."""
    kept = note if case.state is not State.ERASED else None
    return Attempt(
        case_id=case.id,
        attempt_id=call.attempt_id,
        by=by,
        started_at=_began(call, case, now=now),
        outcome=call.outcome,
        recorded_at=now,
        revision=case.revision + 1,
        ended_at=call.ended_at,
        next_at=call.next_at,
        resolved=call.resolved,
        root_cause=call.root_cause,
        note=kept.model_dump() if kept else None,
        platform_ref=call.platform_ref,
        noted=not case.is_workable,
    )


def _began(call: Call, case: Case, *, now: datetime) -> datetime:
    """A start nobody told, or one no call of this case can have, is now.

    Tries are counted over days, and a refusal has to be younger than the consent it takes back.
    """
    told = call.started_at
    return told if told is not None and case.opened_at <= told <= now else now


def refusal(case: Case, tried: Attempt) -> ConsentChanged | None:
    """ "Never call again" binds the person: voice, for callbacks. Whoever is forgotten is not called anyway."""
    if tried.outcome != Outcome.DO_NOT_CALL or case.customer_id is None or case.state is State.ERASED:
        return None
    fact = Consent(
        customer_id=case.customer_id, channel="voice", purpose="callback", state="refused", at=tried.started_at, source="callback"
    )
    return ConsentChanged(consent=fact)
