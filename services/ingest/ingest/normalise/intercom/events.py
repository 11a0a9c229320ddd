"""Notifications by their topic, and conversations without one by their state."""

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, code, code_in, part, required_id, text
from ingest.normalise.intercom import words
from ingest.normalise.model import Event, Ignored, Kind, Raw
from ingest.normalise.telling import Told, event, ignored
from ingest.normalise.times import Moment, first_time

_RATED = "conversation.rating.added"
_STEPS = {
    "conversation.user.created": Kind.STARTED,
    "conversation.user.replied": Kind.STARTED,
    "conversation.admin.single.created": Kind.STARTED,
    "conversation.admin.assigned": Kind.STARTED,
    "conversation.admin.open.assigned": Kind.STARTED,
    "conversation.admin.snoozed": Kind.STARTED,
    "conversation.admin.unsnoozed": Kind.STARTED,
    "conversation.operator.replied": Kind.STARTED,
    "conversation.admin.replied": Kind.CONNECTED,
    "conversation.admin.opened": Kind.REOPENED,
    "conversation.admin.closed": Kind.ENDED,
    _RATED: Kind.ENDED,
}
"""What each topic means of a conversation that is still open; of one that is closed by then all of them come after its end."""


def adapt_notification(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the conversation's id is missing. A notification without an id of its own is known by what it says."""
    document = letter.document
    topic = text(document.get("topic"), LONGEST_ID) or ""
    kind = _STEPS.get(topic)
    if kind is None:
        return ignored(letter, words.PLATFORM, f"event_{code(topic.replace('.', '_')) or 'unknown'}")
    conversation = part(part(document, "data"), "item")
    root = required_id(conversation, "id", "data.item.")
    moment = first_time(conversation.get("updated_at"), document.get("created_at"), letter.time)
    content = digest({"topic": topic, "item": conversation})
    facts = words.facts(conversation, raw, topic=topic)
    if topic == _RATED:
        facts["rated"] = True
    told = Told(
        platform=words.PLATFORM, account=text(document.get("app_id"), LONGEST_ID), stream="notification",
        id=text(document.get("id"), LONGEST_ID) or _named(topic, root, conversation, content), version="", hash=content,
        root=root, leg=root, kind=_kind(kind, conversation, topic), moment=moment, facts=facts, handles=words.handles(conversation),
    )  # fmt: skip
    if kind is Kind.CONNECTED and "handled" not in facts:
        told.kind = Kind.STARTED
    return event(letter, raw, told)


def adapt_conversation(letter: Letter, raw: Raw) -> Event | Ignored:
    """One that was looked up: each state of it is a version. Raises `Unreadable` as above."""
    conversation = letter.document
    root = required_id(conversation, "id")
    updated = conversation.get("updated_at")
    told = Told(
        platform=words.PLATFORM, account=None, stream="conversation", id=root, version=text(updated, LONGEST_ID) or "",
        hash=digest(conversation), root=root, leg=root, kind=Kind.ENDED if words.is_closed(conversation) else Kind.STARTED,
        moment=_moment(conversation, letter), facts=words.facts(conversation, raw), handles=words.handles(conversation),
    )  # fmt: skip
    return event(letter, raw, told)


def _moment(conversation: Document, letter: Letter) -> Moment:
    return first_time(conversation.get("updated_at"), conversation.get("created_at"), letter.time)


def _kind(kind: Kind, conversation: Document, topic: str) -> Kind:
    """A rating may be given before the end."""
    if words.is_closed(conversation):
        return Kind.ENDED
    if topic == _RATED and (conversation.get("open") is True or code_in(conversation.get("state")) in ("open", "snoozed")):
        return Kind.STARTED
    return kind


def _named(topic: str, root: str, conversation: Document, content: bytes) -> str:
    stamp = text(conversation.get("updated_at"), LONGEST_ID)
    return f"{topic}/{root}/{stamp}" if stamp else content.hex()
