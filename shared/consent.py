"""What people agreed to and refused.

One fact is (subject, channel, purpose, granted or refused, at). The subject is a person or an address, whoever holds it. Merging is
commutative, associative and idempotent, so facts may arrive in any order and more than once: the latest wins, refusal wins ties.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple
from uuid import UUID

from shared.schemas import Consent
from shared.schemas.fields import in_wire_form

ANY = "any"


class Subject(NamedTuple):
    """What one consent is about; the newest fact of a subject is the one that holds."""

    customer_id: UUID | None
    address_ref: str | None
    channel: str
    purpose: str


def subject_of(consent: Consent) -> Subject:
    return Subject(consent.customer_id, consent.address_ref, consent.channel, consent.purpose)


def later(one: Consent, other: Consent) -> Consent:
    """Whichever of two facts about one subject holds. Times count to the millisecond, as they travel, so that all services agree."""
    return max(one, other, key=lambda fact: (in_wire_form(fact.at), fact.state == "refused", fact.source))


def merge(*facts: Iterable[Consent]) -> tuple[Consent, ...]:
    """The facts that hold, one per subject, sorted; the same whatever the order and however often a fact is said."""
    held: dict[Subject, Consent] = {}
    for fact in (fact for some in facts for fact in some):
        subject = subject_of(fact)
        held[subject] = later(held[subject], fact) if subject in held else fact
    return tuple(held[subject] for subject in sorted(held, key=str))


def about(
    consents: Iterable[Consent], *, customer_id: UUID | None, address_ref: str | None, channel: str, purpose: str
) -> tuple[Consent, ...]:
    """The facts that hold and cover this channel and purpose, of this person or this address."""
    return tuple(
        fact
        for fact in merge(consents)
        if fact.channel in (channel, ANY)
        and fact.purpose in (purpose, ANY)
        and (
            (fact.customer_id is not None and fact.customer_id == customer_id)
            or (fact.address_ref is not None and fact.address_ref == address_ref)
        )
    )


def standing(
    consents: Iterable[Consent], *, customer_id: UUID | None, address_ref: str | None, channel: str, purpose: str
) -> Literal["granted", "refused"] | None:
    """What is on record for this use; None if nothing is.

    One refusal that still holds and covers it outweighs every grant, even a narrower or later one about another subject: a grant
    takes back only a refusal of the same subject.
    """
    states = {fact.state for fact in about(consents, customer_id=customer_id, address_ref=address_ref, channel=channel, purpose=purpose)}
    if "refused" in states:
        return "refused"
    return "granted" if states else None


def allows(consents: Iterable[Consent], *, customer_id: UUID | None, address_ref: str | None, channel: str, purpose: str) -> bool:
    """Whether this use is granted on record and nothing that covers it is refused."""
    return standing(consents, customer_id=customer_id, address_ref=address_ref, channel=channel, purpose=purpose) == "granted"


def refuses(consents: Iterable[Consent], *, customer_id: UUID | None, address_ref: str | None, channel: str, purpose: str) -> bool:
    """Whether anything that covers this use is refused, by the person or for the address, exactly or by `any`."""
    return standing(consents, customer_id=customer_id, address_ref=address_ref, channel=channel, purpose=purpose) == "refused"
