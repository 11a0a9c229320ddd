"""What a customer's "stop" or "start" means as consents."""

from datetime import datetime
from uuid import UUID

from scoring.listen.reply import Wish
from shared.schemas import Consent

CONSENT_CHANNELS = {"sms": "sms", "ivr": "voice", "chat": "chat", "email": "email"}


def of_reply(wish: Wish, *, channel: str, address_ref: str | None, customer_id: UUID | None, at: datetime) -> Consent | None:
    """STOP and START bind the address for everybody behind it, by that channel, for any purpose; without an address, the person.

    None where nothing was asked for, or nobody knows who asked.
    """
    if wish not in (Wish.STOP, Wish.START) or (address_ref is None and customer_id is None):
        return None
    return Consent(
        channel=CONSENT_CHANNELS.get(channel, "any"),
        purpose="any",
        state="refused" if wish is Wish.STOP else "granted",
        at=at,
        source=f"reply_{channel}",
        address_ref=address_ref,
        customer_id=None if address_ref else customer_id,
    )


def of_page(*, customer_id: UUID | None, address_ref: str, at: datetime) -> Consent:
    """ "Stop asking me" binds the person, by any channel, for surveys; nobody known, the address the question went to."""
    return Consent(
        channel="any",
        purpose="survey",
        state="refused",
        at=at,
        source="survey_page",
        address_ref=None if customer_id else address_ref,
        customer_id=customer_id,
    )
