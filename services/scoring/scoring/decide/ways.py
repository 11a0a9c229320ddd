"""By which channel and to which address a customer can be asked."""

from collections.abc import Iterator
from typing import Literal

from scoring.decide.model import Facts, Way
from scoring.decide.policy import Terms
from shared.schemas import Consent, Contact, Customer, Point

ANY = "any"
SURVEY = "survey"


def best_way(facts: Facts, terms: Terms) -> Way | None:
    """The best way that is allowed; where none is, the best that something allows, so that the rules have something to judge."""
    best, rank = None, (True, True)
    for way in ways(facts, terms):
        if way.basis and not way.refused_by:
            return way
        ranks = (way.basis is None, way.refused_by is not None)
        if best is None or ranks < rank:
            best, rank = way, ranks
    return best


def ways(facts: Facts, terms: Terms) -> Iterator[Way]:
    """Every channel we can send by to every living address that can take it, best first; the address used in the contact before others."""
    if facts.customer is None:
        return
    used = facts.contact.point_ref
    points = sorted((point for point in facts.customer.points if not point.dead), key=lambda point: point.ref != used)
    for channel in terms.ways.get(facts.contact.channel, terms.ways.get("other", ())):
        if channel in facts.gateways:
            for point in points:
                if channel in point.can:
                    yield _way(facts, terms, channel=channel, point=point)


def used_in(contact: Contact, implied: frozenset[str]) -> bool:
    """Whether the customer used their address in this contact in a way that implies they may be asked there."""
    return contact.channel in implied or contact.medium in implied


def _way(facts: Facts, terms: Terms, *, channel: str, point: Point) -> Way:
    matching = [fact for fact in facts.consents if _is_about(fact, customer=facts.customer, point=point, channel=channel)]
    refused = next((fact for fact in matching if fact.state == "refused"), None)
    return Way(channel, point, _basis(facts, terms, point=point, matching=matching), _subject(refused) if refused else None)


def _basis(facts: Facts, terms: Terms, *, point: Point, matching: list[Consent]) -> Literal["granted", "implied"] | None:
    if any(fact.state == "granted" for fact in matching):
        return "granted"
    if point.ref == facts.contact.point_ref and used_in(facts.contact, terms.implied):
        return "implied"
    return None


def _is_about(fact: Consent, *, customer: Customer | None, point: Point, channel: str) -> bool:
    subject = fact.address_ref == point.ref or (customer is not None and fact.customer_id == customer.customer_id)
    return subject and fact.channel in (channel, ANY) and fact.purpose in (SURVEY, ANY)


def _subject(fact: Consent) -> Literal["customer", "address"]:
    return "address" if fact.address_ref else "customer"
