"""From a decision to the rows and the message that say it."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from scoring.ask.known import Subject
from scoring.ask.model import Sending, State
from scoring.decide.brief import brief
from scoring.decide.model import Decision, Facts, Outcome, Standing
from scoring.people.model import Person
from shared.schemas import Contact, InteractionCompleted, Sealed
from shared.schemas.fields import in_wire_form


@dataclass(frozen=True, slots=True)
class Judged:
    """One subject with its decision and the ids it is kept under."""

    subject: Subject
    facts: Facts
    person: Person | None
    decision: Decision
    stood: Standing | None
    decision_id: UUID
    survey_id: UUID | None

    @property
    def revision(self) -> int:
        return self.stood.revision + 1 if self.stood else 1

    def says_nothing_new(self, *, now: datetime) -> bool:
        """Deferred again, or let through at sending, by the same policy with the same verdict of every rule about the same facts."""
        stood, decision = self.stood, self.decision
        if stood is None or decision.outcome != stood.outcome or decision.policy_version != stood.policy_version:
            return False
        if stood.interaction_revision != self.subject.contact.revision:
            return False
        waits = decision.outcome is Outcome.DEFERRED
        leaves = decision.phase == "send" and decision.outcome is Outcome.INVITED and decision.send_at == now
        return (waits or leaves) and [said[0] for said in stood.verdicts] == [said[0] for said in decision.verdicts]

    @property
    def key(self) -> UUID:
        """Of the message: the customer, else the contact."""
        return self.person.id if self.person else self.subject.contact.interaction_id


def decision_row(judged: Judged, *, now: datetime) -> dict[str, object]:
    """What is not there is left out."""
    subject, decision, contact = judged.subject, judged.decision, judged.subject.contact
    row: dict[str, object] = {
        "id": judged.decision_id,
        "kind": subject.kind,
        "anchor": subject.anchor,
        "revision": judged.revision,
        "interaction_id": contact.interaction_id,
        "interaction_revision": contact.revision,
        "platform": contact.platform,
        "account": contact.account,
        "ref": contact.ref,
        "team": contact.team,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "phase": decision.phase,
        "verdicts": brief(decision.verdicts),
        "policy_version": decision.policy_version,
        "decided_at": now,
        "aged_from": subject.aged_from,
        "facts": saw(judged.facts),
        **_drawn(decision),
        **_ids(judged),
    }
    if decision.way:
        row |= {"channel": decision.way.channel, "send_at": decision.send_at}
    if decision.outcome is Outcome.DEFERRED:
        row |= {"retry_at": decision.retry_at, "give_up_at": judged.facts.give_up_at, "contact": bare(contact)}
    return row


def saw(facts: Facts) -> tuple[object, ...]:
    """What the rules saw, in the order of `SAW`: nothing personal, and not why the customer called."""
    contact, customer = facts.contact, facts.customer
    return (
        contact.channel,
        contact.medium,
        contact.outcome,
        customer.segment if customer else None,
        contact.team,
        (customer.language if customer else None) or contact.language,
        len(contact.legs),
        contact.transfers,
        customer.candidate_zones if customer else (),
    )


def bare(contact: Contact) -> Contact:
    """The contact without its customer."""
    return contact.contact() if isinstance(contact, InteractionCompleted) else contact


def survey_row(judged: Judged, *, address: Sealed, now: datetime) -> dict[str, object]:
    """The reserved place of an invited subject."""
    subject, decision, customer = judged.subject, judged.decision, judged.facts.customer
    assert decision.way is not None
    assert judged.person is not None
    return {
        "id": judged.survey_id,
        "kind": subject.kind,
        "anchor": subject.anchor,
        "customer_id": judged.person.id,
        "interaction_id": subject.contact.interaction_id,
        "interaction_revision": subject.contact.revision,
        "decision_id": judged.decision_id,
        "policy_version": decision.policy_version,
        **_drawn(decision),
        "channel": decision.way.channel,
        "address_ref": decision.way.point.ref,
        "address": address,
        "language": (customer.language if customer else None) or subject.contact.language,
        "contact": bare(subject.contact),
        "aged_from": subject.aged_from,
        "state": State.PLANNED,
        "asked_at": now,
        "send_at": decision.send_at,
        "due": decision.send_at,
        "attempts": 0,
        "called": False,
    }


def survey_decided(judged: Judged, *, decided_at: str) -> dict[str, object]:
    """SurveyDecided in wire form, as its times are: what is not there is left out."""
    subject, decision = judged.subject, judged.decision
    said: dict[str, object] = {
        "decision_id": judged.decision_id,
        "revision": judged.revision,
        "kind": subject.kind,
        "anchor": subject.anchor,
        "interaction_revision": subject.contact.revision,
        "outcome": decision.outcome,
        "reason": decision.reason,
        "phase": decision.phase,
        "verdicts": decision.verdicts,
        "policy_version": decision.policy_version,
        "decided_at": decided_at,
        **_drawn(decision),
        **_ids(judged),
    }
    if decision.way:
        said["channel"] = decision.way.channel
    if decision.send_at:
        said["send_at"] = in_wire_form(decision.send_at)
    if decision.retry_at:
        said["retry_at"] = in_wire_form(decision.retry_at)
    return said


def _drawn(decision: Decision) -> dict[str, object]:
    draw = decision.draw
    return {"cell": draw.cell, "draw": draw.value, "rate": draw.rate} if draw else {}


def _ids(judged: Judged) -> dict[str, object]:
    found: dict[str, object] = {"customer_id": judged.person.id} if judged.person else {}
    return {**found, "survey_id": judged.survey_id} if judged.survey_id else found


def sending_row(sending: Sending, decision: Decision, *, sealed_token: Sealed, now: datetime, lease_s: float) -> dict[str, object]:
    """What a survey's row says while it is being sent."""
    return {
        "id": sending.survey_id,
        "lease_until": now + timedelta(seconds=lease_s),
        "channel": sending.channel,
        "address_ref": sending.address_ref,
        "address": sending.address,
        "gateway": sending.gateway,
        "token": sealed_token,
        "token_hash": hashlib.sha256(sending.token.encode()).digest(),
        "expires_at": now + timedelta(seconds=sending.open_s),
        "policy_version": decision.policy_version,
        **_drawn(decision),
        "send_at": now,
    }
