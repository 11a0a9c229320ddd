"""May we call? Call or review, with the basis that says why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from routing.cases.dial import voice_refs
from routing.cases.model import Route
from routing.cases.policy import CasePolicy
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


def covers_calls(consent: Consent) -> bool:
    """Does this fact speak of calling somebody back? A STOP by SMS does not."""
    return consent.channel in ("voice", "any") and consent.purpose in ("callback", "any")


def latest(consents: Iterable[Consent]) -> Consent | None:
    """The fact about calls that holds: the latest, a refusal before a grant of the same moment."""
    return max((each for each in consents if covers_calls(each)), key=lambda each: (each.at, each.state == "refused"), default=None)


def refused_refs(consents: Iterable[Consent]) -> frozenset[str]:
    """Numbers whose holder wants no such calls."""
    of_ref: dict[str, list[Consent]] = {}
    for each in consents:
        if each.address_ref:
            of_ref.setdefault(each.address_ref, []).append(each)
    return frozenset(ref for ref, facts in of_ref.items() if (held := latest(facts)) and held.state == "refused")


def route(customer: Customer | None, asked: Asked, *, consents: Iterable[Consent], dropped: Iterable[str], policy: CasePolicy) -> Routed:
    """Whom we do not know, who said no, who refused, whom we cannot ring: a person reads the case and nobody calls."""
    if customer is None:
        return Routed(Route.REVIEW, "no_customer")
    flag = next((each for each in customer.flags if each in policy.review_flags), None)
    if flag:
        return Routed(Route.REVIEW, f"flag_{flag}")
    known = [*consents, *customer.consents]
    basis = _basis(asked, latest(each for each in known if each.customer_id), policy)
    if basis in _NO:
        return Routed(Route.REVIEW, basis)
    return _numbers(customer, basis, refused=refused_refs(known), dropped=frozenset(dropped))


_NO = frozenset({"answered_no", "refused", "not_answered"})


def _basis(asked: Asked, held: Consent | None, policy: CasePolicy) -> str:
    refused_at = held.at if held and held.state == "refused" else None
    if asked.callback == "no":
        return "answered_no"
    if asked.callback == "yes" and (refused_at is None or refused_at < asked.answered_at):
        return "answered_yes"
    if refused_at is not None:
        return "refused"
    if held is not None:
        return "granted"
    return "implied" if policy.call_when_unanswered else "not_answered"


def _numbers(customer: Customer, basis: str, *, refused: frozenset[str], dropped: frozenset[str]) -> Routed:
    if voice_refs(customer, dropped=refused | dropped):
        return Routed(Route.CALL, basis)
    silenced = bool(voice_refs(customer, dropped=dropped))
    return Routed(Route.REVIEW, "refused" if silenced else "no_number")


def draw(case_id: UUID) -> float:
    """The hold-out draw of a case, in [0, 1): the same whenever and wherever it is drawn."""
    return int.from_bytes(sha256(b"hold-out" + case_id.bytes).digest()[:6], "big") / 2**48
