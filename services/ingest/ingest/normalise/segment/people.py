"""`identify`: what the company says of its customer, as a profile of the directory.

Traits add up: a call names those that changed, so what it leaves out says nothing, and an empty one clears. Of free traits only the
allowed are kept. Whoever has no `userId`, or an e-mail address for one, is no member we could name. Its id is made of all it says:
of two deliveries of one call, sent at different times, the second only says the same again.
"""

from collections.abc import Iterable

from pydantic import JsonValue

from ingest.normalise.decode import Document, digest
from ingest.normalise.fields import LONGEST_ID, LONGEST_PERSONAL, kept, mail_in, part, text
from ingest.normalise.times import as_datetime, first_time
from ingest.normalise.unreadable import Unreadable
from shared.schemas import ProfileGiven
from shared.schemas.people import GivenAddress
from shared.zones import is_zone

_POSTAL_CODES = ("postalCode", "postal_code", "zip")


def identified(document: Document, allowed: Iterable[str]) -> ProfileGiven | None:
    """None for what is no `identify` of a member. Raises `Unreadable` where nothing says when it was said."""
    member = text(document.get("userId"), LONGEST_ID)
    if document.get("type") != "identify" or member is None or not member.strip() or mail_in(member):
        return None
    moment = first_time(*(document.get(name) for name in ("timestamp", "receivedAt", "originalTimestamp", "sentAt")))
    if moment.ms is None:
        raise Unreadable("missing", "timestamp")
    traits = part(document, "traits") or part(part(document, "context"), "traits")
    kinds = tuple(kind for kind in ("email", "phone") if _says(traits, kind))
    addresses = [GivenAddress(kind=kind, value=value) for kind in kinds if (value := text(traits.get(kind), LONGEST_ID))]
    return ProfileGiven(
        profile_id=digest(document).hex(),
        member_id=member,
        at=as_datetime(moment.ms),
        name=_name(traits),
        addresses=tuple(addresses) if kinds else None,
        address_kinds=kinds or None,
        zone=zone if (zone := _word(traits, "timezone")) and is_zone(zone) else None,
        postal_code=_postal_code(part(traits, "address")),
        language=_word(traits, "language"),
        segment=_word(traits, "segment"),
        traits=kept(traits, allowed) or None,
    )


def _says(traits: Document, name: str) -> bool:
    """A trait that is null, or empty, says that there is none; one of another type says nothing."""
    return name in traits and (traits[name] is None or isinstance(traits[name], str))


def _word(traits: Document, name: str) -> str | None:
    return _cleared_or(traits[name]) if _says(traits, name) else None


def _name(traits: Document) -> str | None:
    if _says(traits, "name"):
        return _cleared_or(traits["name"])
    parts = [word for name in ("firstName", "lastName") if (word := text(traits.get(name), LONGEST_PERSONAL // 2))]
    return " ".join(parts) or None


def _postal_code(address: Document) -> str | None:
    return next((_cleared_or(address[name]) for name in _POSTAL_CODES if _says(address, name)), None)


def _cleared_or(value: JsonValue) -> str | None:
    """Empty where it was emptied; nothing where it is too long to be what it says it is."""
    return text(value, LONGEST_PERSONAL) if value else ""
