"""The one table of moves: no path leaves it, revisions grow by one, refusals say why and change nothing."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.cases import endings, moves
from routing.cases.heard import Heard
from routing.cases.join import opened
from routing.cases.model import OPEN_STATES, WORKABLE, Attempt, Case, Level, Moved, Outcome, Route, State, revised
from routing.cases.moves import TABLE, Move
from routing.errors import AnotherIsOpen, Claimed, NextCallMissing, NobodyHasIt, NotInTable, NotYours, Refused
from routing.metadata import metadata
from tests.support.cases import ANA, MARIA, NOW, POLICY, a_customer, a_point, an_answer, terms

DUES = {"overdue_on": WORKABLE, "expires_on": WORKABLE, "unreachable_on": {State.ATTEMPTING}, "closes_on": {State.RESOLVED}}
"""Which timer may look at a case in which state."""


def a_case(**answer: object) -> Case:
    customer = a_customer(points=(a_point("first"), a_point("second")))
    heard = Heard(an_answer(2, customer=customer, **answer), customer_id=customer.customer_id, customer=customer)  # type: ignore[arg-type]
    return opened(heard, terms(), 10001).case


def a_try(
    outcome: str, *, at: datetime = NOW, resolved: bool | None = None, next_at: datetime | None = None, case: Case | None = None
) -> Attempt:
    case = case or a_case()
    return Attempt(
        case.id, "a-1", ANA, started_at=at, outcome=outcome, recorded_at=at, revision=case.revision + 1, resolved=resolved, next_at=next_at
    )


def tried(case: Case, outcome: str, **given: object) -> Case:
    at = given.pop("at", NOW)
    return moves.attempt(case, a_try(outcome, at=at, **given), POLICY, at=at).case  # type: ignore[arg-type]


Deed = Callable[[Case, datetime], Moved]

DEEDS: dict[str, Deed] = {
    "claim": lambda case, at: moves.claim(case, ANA, at=at),
    "assign": lambda case, at: moves.assign(case, MARIA, by=ANA, at=at),
    "release": lambda case, at: moves.release(case, ANA, at=at, for_others=True),
    "resolve": lambda case, at: moves.resolve(case, ANA, POLICY, at=at),
    "close": lambda case, at: moves.close(case, ANA, at=at),
    "reopen": lambda case, at: moves.reopen(case, ANA, POLICY, at=at, due_at=at + timedelta(hours=4), other_open=None),
    "give up": lambda case, at: endings.give_up(case, at=at),
    "expire": lambda case, at: endings.expire(case, at=at),
    "note": lambda case, at: moves.note(case, ANA, POLICY, at=at, detail={}),
    "merge": lambda case, at: endings.merge(case, into=a_case(), at=at),
    "solved": lambda case, at: moves.attempt(case, a_try("reached", at=at, resolved=True), POLICY, at=at),
    "later": lambda case, at: moves.attempt(case, a_try("reschedule", at=at, next_at=at + timedelta(hours=2)), POLICY, at=at),
    **{
        outcome: (lambda case, at, outcome=outcome: moves.attempt(case, a_try(outcome, at=at), POLICY, at=at))  # type: ignore[misc]
        for outcome in (*(each.value for each in Outcome if each is not Outcome.RESCHEDULE), "an_outcome_nobody_knows")
    },
}


@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(1, 60)), max_size=30))
def test_no_path_leaves_the_table_and_every_revision_is_one_more(path: list[tuple[str, int]]) -> None:
    case, at = a_case(), NOW
    edges = {(before, after) for targets in TABLE.values() for before, after in targets.items()}
    for deed, hours in path:
        at += timedelta(hours=hours)
        moved = _done(deed, case, at)
        for number, (_, step) in enumerate(moved.steps, start=1):
            assert step.revision == case.revision + number
            assert step.before == step.state or (step.before, step.state) in edges
        assert moved.case.revision == case.revision + len(moved.steps)
        case = moved.case
        _holds(case)


def _done(deed: str, case: Case, at: datetime) -> Moved:
    """What the deed makes of the case; what is refused leaves it as it was."""
    try:
        return DEEDS[deed](case, at)
    except Refused:
        return Moved(case)


def _holds(case: Case) -> None:
    """What is true of a case in every state."""
    for due, states in DUES.items():
        assert getattr(case, due) is None or case.state in states, (due, case.state)
    assert (case.owner is None) == (case.owner_since is None)
    assert case.state is not State.ASSIGNED or case.owner is not None
    assert case.state is not State.OPEN or case.owner is None
    assert case.route is Route.CALL or not case.windows
    assert case.failed_attempts <= case.attempts


def test_the_table_names_every_state_and_only_merged_and_erased_are_final() -> None:
    sources = {state for move, targets in TABLE.items() if move is not Move.ERASE for state in targets}

    assert set(State).difference(sources) == {State.MERGED, State.ERASED}
    assert {*WORKABLE, State.RESOLVED} == OPEN_STATES


@pytest.mark.parametrize("state", [state for state in State if state is not State.RESOLVED])
def test_only_a_resolved_case_can_be_closed_and_the_refusal_says_so(state: State) -> None:
    case = revised(a_case(), "noted", at=NOW, by=ANA, state=state).case

    with pytest.raises(NotInTable, match=f"A case that is {state.value} .* must be resolved"):
        moves.close(case, ANA, at=NOW)


def test_a_claim_of_a_claimed_case_names_who_has_it() -> None:
    case = moves.claim(a_case(), MARIA, at=NOW).case

    with pytest.raises(Claimed, match="Maria"):
        moves.claim(case, ANA, at=NOW)


def test_claiming_ones_own_case_again_changes_nothing() -> None:
    case = moves.claim(a_case(), ANA, at=NOW).case

    assert moves.claim(case, ANA, at=NOW) == Moved(case)


def test_giving_back_clears_the_owner_and_keeps_attempting_once_tried() -> None:
    untried = moves.release(moves.claim(a_case(), ANA, at=NOW).case, ANA, at=NOW, for_others=False).case
    tried_once = moves.release(tried(moves.claim(a_case(), ANA, at=NOW).case, "no_answer"), ANA, at=NOW, for_others=False).case

    assert (untried.state, untried.owner) == (State.OPEN, None)
    assert (tried_once.state, tried_once.owner) == (State.ATTEMPTING, None)


def test_giving_back_what_is_not_ones_own_is_refused() -> None:
    with pytest.raises(NobodyHasIt):
        moves.release(tried(a_case(), "busy"), ANA, at=NOW, for_others=True)
    with pytest.raises(NotYours, match="Maria"):
        moves.release(moves.claim(a_case(), MARIA, at=NOW).case, ANA, at=NOW, for_others=False)


def test_reached_and_solved_in_one_save_writes_two_revisions() -> None:
    moved = moves.attempt(a_case(), a_try("reached", resolved=True), POLICY, at=NOW)

    assert [(step.change, step.before, step.state) for _, step in moved.steps] == [
        ("attempted", State.OPEN, State.REACHED),
        ("resolved", State.REACHED, State.RESOLVED),
    ]
    assert moved.case.closes_on == NOW + timedelta(days=7)


@pytest.mark.parametrize("outcome", ["no_answer", "busy", "voicemail", "failed", "hung_up_on_a_robot"])
def test_a_failed_try_leaves_the_case_attempting(outcome: str) -> None:
    case = tried(a_case(), outcome)

    assert (case.state, case.failed_attempts, case.outcome) == (State.ATTEMPTING, 1, outcome)


def test_three_failed_tries_over_two_days_make_a_customer_unreachable() -> None:
    case = tried(tried(a_case(), "no_answer"), "no_answer", at=NOW + timedelta(hours=5))
    quick = tried(case, "voicemail", at=NOW + timedelta(hours=9))

    assert (quick.state, quick.unreachable_on) == (State.ATTEMPTING, NOW + timedelta(days=2))
    assert tried(case, "voicemail", at=NOW + timedelta(days=2)).state is State.UNREACHABLE
    assert endings.give_up(quick, at=NOW + timedelta(days=2)).case.state is State.UNREACHABLE


def test_a_wrong_number_is_dropped_and_with_none_left_a_person_reviews() -> None:
    once = tried(a_case(), "wrong_number")
    twice = tried(once, "wrong_number")

    assert (once.route, once.dropped_refs) == (Route.CALL, ("first",))
    assert (twice.route, twice.consent_basis, twice.dropped_refs, twice.windows) == (Route.REVIEW, "no_number", ("first", "second"), ())


def test_never_call_again_ends_the_case_and_forbids_calls() -> None:
    case = tried(a_case(), "do_not_call")

    assert (case.state, case.route, case.consent_basis) == (State.DECLINED, Route.REVIEW, "refused")


def test_call_me_later_moves_the_promise_and_needs_a_time() -> None:
    wished = NOW + timedelta(days=2)
    case = tried(tried(a_case(), "reached"), "reschedule", next_at=wished)

    assert (case.state, case.next_at) == (State.ATTEMPTING, wished)
    assert case.due_at == wished + timedelta(hours=1)
    with pytest.raises(NextCallMissing):
        tried(a_case(), "reschedule")


def test_a_try_after_the_end_is_only_noted() -> None:
    case = tried(tried(a_case(), "declined"), "reached", resolved=True)

    assert (case.state, case.attempts) == (State.DECLINED, 1)


def test_a_note_makes_a_resolved_case_wait_anew_before_it_closes() -> None:
    case = tried(a_case(), "reached", resolved=True)

    assert moves.note(case, ANA, POLICY, at=NOW + timedelta(days=3), detail={}).case.closes_on == NOW + timedelta(days=10)


def test_reopening_is_refused_while_another_case_is_open_and_names_it() -> None:
    case = tried(a_case(), "declined")

    with pytest.raises(AnotherIsOpen, match="Case 10444"):
        moves.reopen(case, ANA, POLICY, at=NOW, due_at=NOW, other_open=10444)


def test_a_case_that_may_not_be_called_is_resolved_by_who_reviewed_it() -> None:
    claimed = moves.claim(a_case(callback="no"), ANA, at=NOW).case

    assert moves.resolve(claimed, ANA, POLICY, at=NOW).case.state is State.RESOLVED
    with pytest.raises(NotInTable):
        moves.resolve(moves.claim(a_case(), ANA, at=NOW).case, ANA, POLICY, at=NOW)


def test_being_overdue_is_said_once() -> None:
    case = moves.mark_overdue(a_case(), at=NOW).case

    assert (case.overdue, case.overdue_on, case.level) == (True, None, Level.NORMAL)


def test_every_field_of_a_case_is_a_column() -> None:
    assert {column.name for column in metadata().tables["cases"].columns} == {field.name for field in fields(Case)}
