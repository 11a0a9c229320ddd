"""Twilio Conversations, where there is no Flex to make tasks of them: as they are posted, or out of Event Streams.

Closed is over; inactive only sleeps. That it is closed names no customer: whoever takes part with an address of SMS, WhatsApp or mail
is the customer, and whoever does so with an identity alone is on our side.
"""

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import (
    LONGEST_ID,
    LONGEST_PERSONAL,
    channel_and_medium,
    code,
    code_in,
    kept,
    mail_in,
    number_in,
    purpose_in,
    text,
)
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.telling import Told, event, facts_of, handles_of, ignored
from ingest.normalise.times import Moment, first_time
from ingest.normalise.twilio.callbacks import plain_fields, sid, word
from ingest.normalise.twilio.words import PLATFORM, held

LEAD = "com.twilio.conversations."

_STATE, _ADDED, _JOINED = "conversation-state.updated", "conversation.added", "participant.added"
_POSTED_AS = {"onconversationstateupdated": _STATE, "onconversationadded": _ADDED, "onparticipantadded": _JOINED}
_ADDRESS = "messagingbinding.address"


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the conversation's id is missing."""
    fields = plain_fields(letter.document)
    posted = word(fields, "eventtype")
    name = letter.type.removeprefix(LEAD) if letter.type and letter.type.startswith(LEAD) else _POSTED_AS.get(posted, posted)
    if name not in (_STATE, _ADDED, _JOINED):
        return ignored(letter, PLATFORM, f"event_{code(name.replace('.', '_')) or 'unknown'}")
    kind = _kind(name, fields)
    if kind is None:
        return ignored(letter, PLATFORM, f"state_{code(word(fields, 'stateto')) or 'unknown'}")
    root = sid(fields, "ConversationSid")
    stamp = text(fields.get("stateupdated" if name == _STATE else "participantsid"), LONGEST_ID) or ""
    told = Told(
        platform=PLATFORM, account=text(fields.get("accountsid"), LONGEST_ID), stream="conversation",
        id=letter.id or raw.delivery or f"{root}/{name}/{word(fields, 'stateto')}/{stamp}", version="", hash=_content(letter.document),
        root=root, leg=root, kind=kind, moment=_moment(fields, letter), facts=_facts(name, fields, raw), handles=_handles(fields),
    )  # fmt: skip
    return event(letter, raw, told)


def _kind(name: str, fields: Document) -> Kind | None:
    """None for a state that neither ends a conversation nor brings it back."""
    if name == _JOINED:
        return Kind.CONNECTED if text(fields.get("identity")) and not fields.get(_ADDRESS) else Kind.STARTED
    if name == _ADDED:
        return Kind.STARTED
    now, before = word(fields, "stateto"), word(fields, "statefrom")
    if now == "closed":
        return Kind.ENDED
    return Kind.REOPENED if now and before == "closed" else None


def _moment(fields: Document, letter: Letter) -> Moment:
    return first_time(fields.get("stateupdated"), fields.get("datecreated"), letter.time)


def _content(document: Document) -> bytes:
    """Of a callback tried again only the count of tries differs."""
    return digest({name: value for name, value in document.items() if name != "RetryCount"})


def _facts(name: str, fields: Document, raw: Raw) -> Facts:
    attributes, identity = held(fields.get("attributes")) if name == _ADDED else {}, text(fields.get("identity"), LONGEST_ID)
    of_ours = name == _JOINED and identity and not fields.get(_ADDRESS)
    facts = facts_of(
        channel=raw.default_channel or "chat",
        medium=_medium(fields),
        direction="inbound" if name == _ADDED and fields.get(_ADDRESS) else None,
        agent=identity if of_ours and mail_in(identity) is None and number_in(identity) is None else None,
        traits=kept(attributes, raw.traits) or None,
        purpose=purpose_in(attributes),
    )
    if mail_in(fields.get(_ADDRESS)):
        facts["channel"] = "email"
    return facts


def _medium(fields: Document) -> str | None:
    """As the binding names it, or the address's scheme."""
    kind = code_in(fields.get("messagingbinding.type"))
    scheme, colon, _ = (text(fields.get(_ADDRESS)) or "").partition(":")
    word_of = code_in(scheme) if colon else kind
    return (channel_and_medium(word_of)[1] or None) if word_of else None


def _handles(fields: Document) -> Handles:
    address = fields.get(_ADDRESS)
    name = text(fields.get("messagingbinding.name"), LONGEST_PERSONAL) if address else None
    return handles_of(phone=number_in(address), email=mail_in(address), name=name)
