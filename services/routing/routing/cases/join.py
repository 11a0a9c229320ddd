"""What an answer does to cases: it opens one, joins the customer's open one, raises or only annotates one, or nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from routing.cases import moves
from routing.cases.due import due_at
from routing.cases.heard import Heard, opens
from routing.cases.model import SYSTEM, Case, Level, Moved, Route, State, Step, revised
from routing.cases.owner import Wanted, owner_team
from routing.cases.priority import Weighed, weigh
from routing.cases.route import Asked, Routed, draw, route
from routing.cases.terms import Terms
from routing.cases.windows import callable_windows
from shared.schemas import Window

CASES = UUID("8f2b7f0e-3c52-4d5e-9d0a-5b0c1e6a7d11")
"""Namespace of case ids: a survey opens one case at most, whose id follows from it."""


def judge(heard: Heard, terms: Terms, *, own: Case | None, open_case: Case | None, number: int) -> Moved | None:
    """`own` is the case that already has an earlier revision of this answer; `number` is used only by a case that opens."""
    if own is not None:
        return corrected(own, heard, terms)
    if not opens(heard, terms):
        return None
    if open_case is not None:
        return joined(open_case, heard, terms)
    return opened(heard, terms, number)


def opened(heard: Heard, terms: Terms, number: int) -> Moved:
    said, policy = heard.feedback, terms.policy
    case_id = uuid5(CASES, str(said.survey_id))
    weighed, routed = weigh(heard.facts, policy), _routed(heard, terms)
    team, skill = _owner(heard, terms)
    due = due_at(said.answered_at, weighed.level, team=team, terms=terms)
    arm, rate = _drawn(case_id, heard, routed, terms)
    held_out = arm == Route.HOLD_OUT.value
    case = Case(
        id=case_id,
        number=number,
        revision=1,
        state=State.OPEN,
        route=Route.HOLD_OUT if held_out else routed.route,
        consent_basis=routed.basis,
        arm=arm,
        arm_rate=rate,
        kind=said.kind,
        policy_version=policy.version,
        priority=weighed.priority,
        level=weighed.level,
        due_at=due,
        opened_at=terms.now,
        first_answered_at=said.answered_at,
        changed_at=terms.now,
        score=said.score,
        team=team,
        skill=skill,
        overdue_on=None if held_out else due,
        expires_on=terms.now + timedelta(seconds=policy.expire_s),
        **_of_answer(heard, weighed),
        **_of_person(heard),
        callback=said.callback,
        wish=said.callback_wish,
        survey_ids=(said.survey_id,),
        interaction_ids=(said.contact.interaction_id,) if said.contact else (),
    )
    case = replace(case, windows=_windows(case, heard, terms))
    step = Step(case.id, 1, "opened", at=terms.now, by=SYSTEM, before=None, state=case.state, detail=heard.detail)
    return Moved(case, ((case, step),))


def joined(case: Case, heard: Heard, terms: Terms) -> Moved:
    """A second unhappy answer: no second case. A resolved case starts over, owed from this answer."""
    said = heard.feedback
    weighed = weigh(heard.facts, terms.policy)
    contact = (said.contact.interaction_id,) if said.contact else ()
    changes = {
        **_raised(case, heard, weighed),
        **_called(case, heard, terms),
        **_of_person(heard),
        "survey_ids": _with(case.survey_ids, (said.survey_id,)),
        "interaction_ids": _with(case.interaction_ids, contact),
        "first_answered_at": min(case.first_answered_at, said.answered_at),
    }
    level = changes.get("level", case.level)
    if case.state is State.RESOLVED:
        due = due_at(said.answered_at, level, team=case.team, terms=terms)
        changes |= {
            **moves.fresh(terms.policy, at=terms.now, due_at=due),
            "state": moves.after(case, moves.Move.REOPEN),
            "first_answered_at": said.answered_at,
        }
        return _settled(case, revised(case, "reopened", at=terms.now, by=SYSTEM, detail=heard.detail, **changes), heard, terms=terms)
    changes |= _sooner(case, changes["first_answered_at"], level, terms)
    return _settled(case, revised(case, "joined", at=terms.now, by=SYSTEM, detail=heard.detail, **changes), heard, terms=terms)


def corrected(case: Case, heard: Heard, terms: Terms) -> Moved:
    """An answer of this case changed: it may raise a case that nobody has claimed, or that turns critical. Nothing is lowered."""
    alarming = set(heard.words) - set(case.words)
    if case.state is State.RESOLVED and alarming:
        return joined(case, heard, terms)
    if not case.is_workable:
        return moves.note(case, SYSTEM, terms.policy, at=terms.now, detail=heard.detail)
    unclaimed = case.state is State.OPEN and case.owner is None
    weighed = weigh(heard.facts, terms.policy)
    rises = _raised(case, heard, weighed) if unclaimed or alarming else {}
    sooner = _sooner(case, case.first_answered_at, rises.get("level", case.level), terms)
    changes = {**rises, **_called(case, heard, terms), **sooner}
    change = "raised" if rises else "corrected" if unclaimed else "noted"
    return _settled(case, revised(case, change, at=terms.now, by=SYSTEM, detail=heard.detail, **changes), heard, terms=terms)


def _raised(case: Case, heard: Heard, weighed: Weighed) -> dict[str, Any]:
    """What a heavier answer changes; empty where it is not heavier."""
    words = tuple(sorted({*case.words, *heard.words}))
    changes: dict[str, Any] = {"words": words} if words != case.words else {}
    if weighed.priority > case.priority:
        changes |= {"priority": weighed.priority, "score": heard.feedback.score, **_of_answer(heard, weighed), "words": words}
    if weighed.level.rank > case.level.rank:
        changes["level"] = weighed.level
    return changes


def _of_answer(heard: Heard, weighed: Weighed) -> dict[str, Any]:
    """What the answer that sets the priority says."""
    facts, contact = heard.facts, heard.feedback.contact
    return {
        "reasons": weighed.reasons,
        "words": heard.words,
        "channel": contact.channel if contact else None,
        "moment": contact.moment if contact else None,
        "ended_at": contact.ended_at if contact else None,
        "point_ref": contact.point_ref if contact else None,
        "transfers": facts.transfers,
        "contacts_7d": facts.contacts_7d,
        "resolved": facts.resolved,
    }


def _of_person(heard: Heard) -> dict[str, Any]:
    contact = heard.feedback.contact
    language = (heard.customer and heard.customer.language) or heard.feedback.comment_language or (contact and contact.language)
    return {"customer_id": heard.customer_id, "customer": heard.customer, "language": language or None}


def _called(case: Case, heard: Heard, terms: Terms) -> dict[str, Any]:
    """May we call after this answer? A no counts at once, also for a case that is claimed; one given before stands until a yes.

    Being held out ends when a call is owed.
    """
    said = heard.feedback
    answered = said.callback != "unanswered"
    asked = {"callback": said.callback, "wish": said.callback_wish or case.wish} if answered else {}
    earlier = Asked(case.callback, case.first_answered_at)
    routed = _routed(heard, terms, dropped=case.dropped_refs, earlier=None if answered else earlier)
    held_out = case.route is Route.HOLD_OUT and routed.route is Route.CALL and not _owed(heard)
    return {**asked, "route": Route.HOLD_OUT if held_out else routed.route, "consent_basis": routed.basis}


def _routed(heard: Heard, terms: Terms, *, dropped: tuple[str, ...] = (), earlier: Asked | None = None) -> Routed:
    asked = earlier or Asked(heard.feedback.callback, heard.feedback.answered_at)
    return route(heard.customer, asked, consents=heard.consents, dropped=dropped, policy=terms.policy)


def _owner(heard: Heard, terms: Terms) -> tuple[str, str | None]:
    """The team that owes the call, and the skill it needs."""
    contact, customer = heard.feedback.contact, heard.customer
    segment = customer.segment if customer else None
    skill = terms.policy.segment_skills.get(segment or "")
    wanted = Wanted(skill, _of_person(heard)["language"], segment)
    return owner_team(contact.team if contact else None, wanted, rota=terms.rota, fallback=terms.policy.fallback_team), skill


def _owed(heard: Heard) -> bool:
    """Held out is never somebody who asked for a call, has an unsolved matter, or used critical words."""
    return heard.feedback.callback == "yes" or heard.feedback.resolved == "no" or bool(heard.words)


def _drawn(case_id: UUID, heard: Heard, routed: Routed, terms: Terms) -> tuple[str, float]:
    """The arm and the chance there was of being in it; 1 where nothing was drawn."""
    rate = terms.policy.hold_out_rate
    if routed.route is not Route.CALL or _owed(heard) or not rate:
        return Route.CALL.value, 1.0
    return (Route.HOLD_OUT.value, rate) if draw(case_id) < rate else (Route.CALL.value, 1.0 - rate)


def _sooner(case: Case, first: datetime, level: Level, terms: Terms) -> dict[str, Any]:
    """A higher level or an earlier first answer brings the due time forward, never back."""
    due = due_at(first, level, team=case.team, terms=terms)
    return {"due_at": due, "overdue_on": None if case.overdue or case.reached else due} if due < case.due_at else {}


def _settled(before: Case, moved: Moved, heard: Heard, *, terms: Terms) -> Moved:
    """With windows and clock as they are after everything else is known: while a case is held out, no clock runs."""
    (case, step), *_ = moved.steps
    clock = {Route.HOLD_OUT: None}.get(case.route, case.due_at if before.route is Route.HOLD_OUT else case.overdue_on)
    case = replace(case, windows=_windows(case, heard, terms), overdue_on=clock)
    return Moved(case, ((case, step),))


def _windows(case: Case, heard: Heard, terms: Terms) -> tuple[Window, ...]:
    if case.route is not Route.CALL:
        return ()
    zones = heard.customer.candidate_zones if heard.customer else ()
    return callable_windows(terms.now, case.expires_on or terms.now, zones=zones or terms.zones, policy=terms.policy, wish=case.wish)


def _with(known: tuple[UUID, ...], more: tuple[UUID, ...]) -> tuple[UUID, ...]:
    return (*known, *(each for each in more if each not in known))
