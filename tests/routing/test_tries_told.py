"""What a try is taken to be, whatever times its teller's clock gives."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.cases import moves
from routing.cases.heard import Heard
from routing.cases.join import opened
from routing.cases.model import Case, State
from routing.cases.work.attempt import attempt_of, refusal
from routing.cases.work.model import Call
from routing.errors import NextCallMissing
from tests.support.cases import ANA, NOW, POLICY, a_customer, an_answer, terms

PLACEHOLDER = datetime(1970, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_case() -> Case:
    customer = a_customer()
    return opened(Heard(an_answer(2, customer=customer), customer_id=customer.customer_id, customer=customer), terms(), 10001).case


def told(case: Case, outcome: str, *, now: datetime = LATER, **given: datetime) -> Case:
    tried = attempt_of(case, Call(f"a-{case.revision}", outcome, **given), by=ANA, now=now, note=None)  # type: ignore[arg-type]
    return moves.attempt(case, tried, POLICY, at=now).case


def test_tries_dated_before_the_case_do_not_make_its_customer_unreachable() -> None:
    case = a_case()
    for minute in range(5):
        case = told(case, "no_answer", now=LATER + timedelta(minutes=minute), started_at=PLACEHOLDER)
    assert (case.state, case.first_failed_at) == (State.ATTEMPTING, LATER)
    assert case.unreachable_on is not None
    assert case.unreachable_on > LATER


def test_a_refusal_told_by_a_wrong_clock_is_not_older_than_the_consent_it_takes_back() -> None:
    tried = attempt_of(a_case(), Call("a-1", "do_not_call", started_at=PLACEHOLDER), by=ANA, now=LATER, note=None)
    refused = refusal(a_case(), tried)
    assert refused is not None
    assert refused.consent.at == LATER


@pytest.mark.parametrize("started_at", [None, LATER + timedelta(days=1), NOW - timedelta(days=1)])
def test_a_start_no_call_of_the_case_can_have_is_now(started_at: datetime | None) -> None:
    assert attempt_of(a_case(), Call("a-1", "busy", started_at=started_at), by=ANA, now=LATER, note=None).started_at == LATER


def test_a_call_told_hours_after_it_was_made_keeps_its_time() -> None:
    made = attempt_of(a_case(), Call("a-1", "busy", started_at=LATER), by=ANA, now=LATER + timedelta(hours=3), note=None)
    assert made.started_at == LATER


def test_a_next_call_after_the_case_has_expired_is_refused() -> None:
    case = a_case()
    assert case.expires_on is not None
    with pytest.raises(NextCallMissing):
        told(case, "reschedule", next_at=case.expires_on)
    assert told(case, "reschedule", next_at=case.expires_on - timedelta(minutes=1)).state is State.ATTEMPTING
