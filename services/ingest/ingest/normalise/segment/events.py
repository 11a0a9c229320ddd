"""Tracked events. An event's name is free, so only agreed ones, and those of live chat, say something of a contact.

`timestamp` is the one to go by: Segment corrects it for the visitor's clock. The examples of live chat have neither it nor a
`messageId`, and write `action` for `type`. A `userId` is the company's own id of the customer, unless it is an e-mail address.
"""

from collections.abc import Sequence

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import (
    LONGEST_ID,
    LONGEST_PERSONAL,
    code_in,
    kept,
    mail_in,
    number_in,
    part,
    purpose_in,
    required_id,
    seconds,
    text,
)
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.telling import Told, event, facts_of, handles_of, ignored
from ingest.normalise.times import Moment, first_time

PLATFORM = "segment"

_TYPES = frozenset({"alias", "group", "identify", "page", "screen"})
_STARTED, _ENDED = "live_chat_conversation_started", "live_chat_conversation_ended"
_LIVE_CHAT = "live_chat_"
_OF_DELIVERY = ("sentAt", "receivedAt", "timestamp")


def adapt(letter: Letter, raw: Raw) -> Event | Sequence[Event] | Ignored:
    """Raises `Unreadable` where a live chat's conversation is not named."""
    document = letter.document
    kind = document.get("type") or document.get("action")
    if kind != "track":
        return ignored(letter, PLATFORM, f"type_{kind}" if isinstance(kind, str) and kind in _TYPES else "type_unknown")
    name = code_in(document.get("event")) or ""
    if name in (_STARTED, _ENDED):
        return _live_chat(letter, raw, ended=name == _ENDED)
    if name in raw.ends:
        return _visit(letter, raw)
    return ignored(letter, PLATFORM, "live_chat" if name.startswith(_LIVE_CHAT) else "event_not_agreed")


def _live_chat(letter: Letter, raw: Raw, *, ended: bool) -> Event | Sequence[Event]:
    """An end that names an agent says as well that there was one: of a conversation all else may be lost."""
    properties, moment = part(letter.document, "properties"), _moment(letter.document)
    root = required_id(properties, "conversation_id", "properties.")
    facts: Facts = {"channel": "chat", "medium": "webchat", "direction": "inbound"}
    name = text(properties.get("agent_name"), LONGEST_ID)
    agent = text(properties.get("agent_id"), LONGEST_ID) or text(properties.get("agent_username"), LONGEST_ID) or name
    facts |= facts_of(agent=agent, agent_name=name)
    if not ended:
        return _event(letter, raw, moment, root=root, kind=Kind.CONNECTED if agent else Kind.STARTED, facts=facts)
    length = seconds(properties.get("conversation_duration"))
    if moment.ms is not None and length is not None:
        facts["started_ms"] = moment.ms - length * 1000
    if not agent:
        return _event(letter, raw, moment, root=root, kind=Kind.ENDED, facts=facts)
    facts |= facts_of(talk_s=length, connected_ms=facts.get("started_ms"))
    kinds = (Kind.ENDED,) if "connected_ms" in facts else (Kind.CONNECTED, Kind.ENDED)
    return [_event(letter, raw, moment, root=root, kind=kind, facts=facts) for kind in kinds]


def _visit(letter: Letter, raw: Raw) -> Event:
    """One visit: the conversation or session that is named, or else this event alone."""
    properties, context = part(letter.document, "properties"), part(letter.document, "context")
    named = (properties.get("conversation_id"), properties.get("session_id"), context.get("sessionId"), context.get("session_id"))
    session = next((found for value in named if (found := text(value, LONGEST_ID))), None)
    facts = facts_of(
        channel="web", direction="inbound", self_served=True, traits=kept(properties, raw.traits) or None, purpose=purpose_in(properties)
    )
    return _event(letter, raw, _moment(letter.document), root=session or _id(letter), kind=Kind.ENDED, facts=facts)


def _event(letter: Letter, raw: Raw, moment: Moment, *, root: str, kind: Kind, facts: Facts) -> Event:
    told = Told(
        platform=PLATFORM, account=None, stream="track", id=_id(letter), version=kind.value if kind is Kind.CONNECTED else "",
        hash=_content(letter.document), root=root, leg=root, kind=kind, moment=moment, facts=facts, handles=_handles(letter.document),
    )  # fmt: skip
    return event(letter, raw, told)


def _id(letter: Letter) -> str:
    return text(letter.document.get("messageId"), LONGEST_ID) or _content(letter.document).hex()


def _content(document: Document) -> bytes:
    """Without when it was sent and received, which differs from one delivery of an event to the next, and without `timestamp`, which
    Segment reckons from both; only what has no id of its own is known by that."""
    passing = _OF_DELIVERY if document.get("messageId") else _OF_DELIVERY[:2]
    return digest({name: value for name, value in document.items() if name not in passing})


def _moment(document: Document) -> Moment:
    return first_time(*(document.get(name) for name in ("timestamp", "receivedAt", "originalTimestamp", "sentAt")))


def _handles(document: Document) -> Handles:
    context = part(document, "context")
    traits = part(context, "traits") or part(document, "traits")
    user = text(document.get("userId"), LONGEST_PERSONAL)
    return handles_of(
        member_id=user if mail_in(user) is None else None,
        email=mail_in(traits.get("email")) or mail_in(user),
        phone=number_in(traits.get("phone")),
        name=text(traits.get("name"), LONGEST_PERSONAL),
    )
