"""May we call? Call or review, with the basis that says why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from routing.cases.dial import voice_refs
from routing.cases.model import Route
from routing.cases.policy import CasePolicy
from shared.consent import about, allows
from shared.schemas import Consent, Customer


@dataclass(frozen=True, slots=True)
class Routed:
    route: Route
    basis: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the customer answered to "may we call you", and when."""

    callback: str
    answered_at: datetime


def refusals(consents: Iterable[Consent], *, customer_id: UUID | None, address_ref: str | None) -> tuple[Consent, ...]:
    """What holds and forbids calling this person, or whoever has this address, back. A STOP by SMS does not."""
    held = about(consents, customer_id=customer_id, address_ref=address_ref, channel="voice", purpose="callback")
    return tuple(each for each in held if each.state == "refused")


def route(customer: Customer | None, asked: Asked, *, consents: Iterable[Consent], dropped: Iterable[str], policy: CasePolicy) -> Routed:
    """Whom we do not know, who said no, who refused, whom we cannot ring: a person reads the case and nobody calls."""
    if customer is None:
        return Routed(Route.REVIEW, "no_customer")
    flag = next((each for each in customer.flags if each in policy.review_flags), None)
    if flag:
        return Routed(Route.REVIEW, f"flag_{flag}")
    known = (*consents, *customer.consents)
    basis = _basis(asked, known, customer.customer_id, policy=policy)
    if basis in _NO:
        return Routed(Route.REVIEW, basis)
    silenced = {ref for ref in voice_refs(customer) if refusals(known, customer_id=None, address_ref=ref)}
    if voice_refs(customer, dropped={*dropped, *silenced}):
        return Routed(Route.CALL, basis)
    return Routed(Route.REVIEW, "refused" if voice_refs(customer, dropped=dropped) else "no_number")


_NO = frozenset({"answered_no", "refused", "not_answered"})


def _basis(asked: Asked, known: tuple[Consent, ...], customer_id: UUID, *, policy: CasePolicy) -> str:
    """A yes given after the last refusal takes it back; a number's refusal is judged apart."""
    refused = [each.at for each in refusals(known, customer_id=customer_id, address_ref=None)]
    if asked.callback == "no":
        return "answered_no"
    if asked.callback == "yes" and all(at < asked.answered_at for at in refused):
        return "answered_yes"
    if refused:
        return "refused"
    if allows(known, customer_id=customer_id, address_ref=None, channel="voice", purpose="callback"):
        return "granted"
    return "implied" if policy.call_when_unanswered else "not_answered"


def draw(case_id: UUID) -> float:
    """The hold-out draw of a case, in [0, 1): the same whenever and wherever it is drawn."""
    return int.from_bytes(sha256(b"hold-out" + case_id.bytes).digest()[:6], "big") / 2**48
