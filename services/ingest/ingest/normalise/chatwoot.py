"""Chatwoot's webhooks: each shows the whole conversation as it stood then, so that its status says what happened.

Resolved is over; whatever else it becomes later is a reopening. An event has no id of its own: what happened, to which conversation,
in which status and when are its identity. The survey that Chatwoot sends by itself comes as a message.
"""

from collections.abc import Iterator

from pydantic import JsonValue

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
    part,
    purpose_in,
    required_id,
    text,
)
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.telling import Told, event, facts_of, handles_of, ignored
from ingest.normalise.times import first_time, ms_of

PLATFORM = "chatwoot"

_RESOLVED, _PENDING, _OPEN, _SNOOZED = "resolved", "pending", "open", "snoozed"
_STATUSES = frozenset({_RESOLVED, _PENDING, _OPEN, _SNOOZED})
_TOLD_OF_CONVERSATION = ("conversation_created", "conversation_status_changed", "conversation_updated")
_TOLD_OF_MESSAGE = ("message_created", "message_updated")
_BY_RULE = "automation_event."
_SURVEY = "input_csat"
_LASTING = (
    "event",
    "id",
    "status",
    "updated_at",
    "changed_attributes",
    "labels",
    "custom_attributes",
    "channel",
    "inbox_id",
    "created_at",
)
"""What is the same when the same status is sent twice, beside who it is about: counts of unread messages and who looked when are not."""

_CHANNELS: dict[str, tuple[str, str | None]] = {
    "webwidget": ("chat", "webchat"),
    "api": ("chat", "api"),
    "whatsapp": ("chat", "whatsapp"),
    "sms": ("chat", "sms"),
    "twiliosms": ("chat", "sms"),
    "facebookpage": ("chat", "messenger"),
    "instagram": ("chat", "instagram"),
    "telegram": ("chat", "telegram"),
    "line": ("chat", "line"),
    "twitterprofile": ("chat", "twitter"),
    "tiktok": ("chat", "tiktok"),
    "email": ("email", None),
    "voice": ("phone", None),
}
_DIRECTIONS: dict[JsonValue, str] = {0: "inbound", 1: "outbound", 3: "outbound"}
"""Who wrote first, by the type of the message that a new conversation begins with."""


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the conversation's id is missing."""
    document = letter.document
    said = text(document.get("event"), LONGEST_ID) or ""
    name = said.removeprefix(_BY_RULE)
    if name in _TOLD_OF_MESSAGE:
        return _survey(letter, raw, name)
    if name not in _TOLD_OF_CONVERSATION:
        return ignored(letter, PLATFORM, f"event_{code(name) or 'unknown'}")
    status = code_in(document.get("status"))
    if status not in _STATUSES:
        return ignored(letter, PLATFORM, f"status_{status or 'unknown'}")
    root = required_id(document, "id")
    facts = _facts(document, raw)
    if name == "conversation_created" and (direction := _direction(document)):
        facts["direction"] = direction
    return event(letter, raw, _told(letter, said, status, root=root, kind=_kind(document, status, facts), facts=facts))


def _told(letter: Letter, said: str, status: str, *, root: str, kind: Kind, facts: Facts) -> Told:
    document = letter.document
    updated = document.get("updated_at")
    moment = first_time(updated, letter.time)
    meta = part(document, "meta")
    people: Document = {who: part(meta, who).get("id") for who in ("sender", "assignee", "team")}
    content = digest({**people, **{field: document[field] for field in _LASTING if field in document}})
    stamp = text(updated, LONGEST_ID) or (repr(updated) if isinstance(updated, float) else None)
    return Told(
        platform=PLATFORM, account=_account(document), stream="conversation", version="",
        id=f"{said}/{root}/{status}/{stamp}" if stamp else digest(document).hex(), hash=content,
        root=root, leg=root, kind=kind, moment=moment, facts=facts, handles=_handles(document),
    )  # fmt: skip


def _survey(letter: Letter, raw: Raw, name: str) -> Event | Ignored:
    """Of messages only those that ask the customer how it was, or hold the answer: the words are not even looked at."""
    message = letter.document
    if code_in(message.get("content_type")) != _SURVEY:
        return ignored(letter, PLATFORM, f"event_{name}")
    conversation = part(message, "conversation")
    root, own = required_id(conversation, "id", "conversation."), required_id(message, "id")
    facts = _facts(conversation, raw)
    facts["rated"] = True
    told = Told(
        platform=PLATFORM, account=_account(message) or _account(conversation), stream="message", id=own, version="",
        hash=digest({"id": own, "conversation": root}), root=root, leg=root, kind=Kind.ENDED,
        moment=first_time(message.get("created_at"), letter.time), facts=facts, handles=_handles(conversation),
    )  # fmt: skip
    return event(letter, raw, told)


def _kind(document: Document, status: str, facts: Facts) -> Kind:
    """Assigned to a person it is connected, without one it waits for one, unless a bot still has it."""
    if status == _RESOLVED:
        return Kind.ENDED
    if _RESOLVED in _previous(document):
        return Kind.REOPENED
    if status != _OPEN:
        return Kind.STARTED
    return Kind.CONNECTED if "agent" in facts else Kind.QUEUED


def _previous(document: Document) -> list[str | None]:
    """The status it had: a list of changes, an object of them, or null, as the version has it."""
    changed = document.get("changed_attributes")
    changes = changed if isinstance(changed, list) else [changed]
    return [code_in(part(change, "status").get("previous_value")) for change in changes if isinstance(change, dict)]


def _facts(conversation: Document, raw: Raw) -> Facts:
    meta, more = part(conversation, "meta"), part(conversation, "additional_attributes")
    attributes = {**part(part(meta, "sender"), "custom_attributes"), **part(conversation, "custom_attributes")}
    channel, medium = _place(conversation.get("channel"))
    team = part(meta, "team")
    facts = facts_of(
        channel=channel or raw.default_channel or "chat",
        medium=medium,
        queue=text(conversation.get("inbox_id"), LONGEST_ID),
        team=text(team.get("name"), LONGEST_ID) or text(team.get("id"), LONGEST_ID),
        language=_language(more.get("conversation_language")) or _language(more.get("browser_language")),
        reason=next(_labels(conversation), None),
        traits=kept(attributes, raw.traits) or None,
        purpose=purpose_in(attributes),
        thread_ms=ms_of(conversation.get("created_at")),
    )
    facts.update(_assignee(meta, with_bot=_is_with_bot(conversation, meta)))
    return facts


def _is_with_bot(conversation: Document, meta: Document) -> bool:
    """Pending is a bot's, and so is what was resolved straight out of it while nobody had it."""
    status = code_in(conversation.get("status"))
    return status == _PENDING or (status == _RESOLVED and not part(meta, "assignee") and _PENDING in _previous(conversation))


def _assignee(meta: Document, *, with_bot: bool) -> Facts:
    """Newer versions say of an assignee what it is; a bot may be one."""
    assignee = part(meta, "assignee")
    what = code_in(meta.get("assignee_type")) or code_in(assignee.get("type")) or "user"
    if with_bot or (assignee and what != "user"):
        return {"bot": True}
    who = text(assignee.get("id"), LONGEST_ID)
    if who is None:
        return {}
    name = text(assignee.get("available_name"), LONGEST_ID) or text(assignee.get("name"), LONGEST_ID)
    return facts_of(handled=True, agent=who, agent_name=name)


def _place(channel: JsonValue) -> tuple[str | None, str | None]:
    word = (text(channel, LONGEST_ID) or "").removeprefix("Channel::").lower()
    if not word:
        return None, None
    return _CHANNELS.get(word) or channel_and_medium(code(word) or "other")


def _language(value: JsonValue) -> str | None:
    """Chatwoot writes `pt_BR` for what is `pt-BR`."""
    said = text(value, LONGEST_ID)
    return said.replace("_", "-") if said else None


def _labels(conversation: Document) -> Iterator[str]:
    labels = conversation.get("labels")
    return (found for label in (labels if isinstance(labels, list) else []) if (found := code_in(label)))


def _direction(conversation: Document) -> str | None:
    messages = conversation.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    kind = first.get("message_type") if isinstance(first, dict) else None
    return _DIRECTIONS.get(kind) if isinstance(kind, int) else None


def _account(document: Document) -> str | None:
    """Older versions name it only in the conversation's messages."""
    if named := text(part(document, "account").get("id"), LONGEST_ID):
        return named
    messages = document.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    return text(first.get("account_id"), LONGEST_ID) if isinstance(first, dict) else None


def _handles(conversation: Document) -> Handles:
    sender = part(part(conversation, "meta"), "sender")
    identifier = text(sender.get("identifier"), LONGEST_PERSONAL)
    return handles_of(
        contact_id=text(sender.get("id"), LONGEST_PERSONAL),
        member_id=identifier if identifier and "@" not in identifier else None,
        phone=number_in(sender.get("phone_number")) or _number_of_whatsapp(conversation),
        email=mail_in(sender.get("email")),
        name=text(sender.get("name"), LONGEST_PERSONAL),
    )


def _number_of_whatsapp(conversation: Document) -> str | None:
    """WhatsApp's own id of somebody is the number without its plus."""
    own = text(part(conversation, "contact_inbox").get("source_id"), LONGEST_PERSONAL) or ""
    return f"+{own}" if own.isdecimal() and own.isascii() and _place(conversation.get("channel"))[1] == "whatsapp" else None
