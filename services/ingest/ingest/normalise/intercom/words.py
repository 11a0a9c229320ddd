"""What a conversation says, in either shape: `user` and `assignee` of old, `contacts` and `admin_assignee_id` since version 2."""

from collections.abc import Iterator, Sequence

from ingest.normalise.decode import Document
from ingest.normalise.fields import (
    LONGEST_ID,
    LONGEST_PERSONAL,
    channel_and_medium,
    code_in,
    kept,
    mail_in,
    number_in,
    part,
    purpose_in,
    text,
)
from ingest.normalise.model import Facts, Handles, Raw
from ingest.normalise.telling import facts_of, handles_of
from ingest.normalise.times import ms_of

PLATFORM = "intercom"

_CHANNELS: dict[str, tuple[str, str | None]] = {
    "conversation": ("chat", "webchat"),
    "push": ("chat", "push"),
    "facebook": ("chat", "messenger"),
    "instagram": ("chat", "instagram"),
    "twitter": ("chat", "twitter"),
    "email": ("email", None),
    "phone_call": ("phone", None),
    "phone_switch": ("phone", None),
}
_BEGUN_BY_US = frozenset({"admin_initiated", "campaigns_initiated"})
_CUSTOMERS = frozenset({"user", "lead", "contact"})
_ADMIN_WROTE = ("conversation.admin.replied", "conversation.admin.single.created")
_CUSTOMER_WROTE = ("conversation.user.created", "conversation.user.replied")
_CLOSED = "conversation.admin.closed"
_WORDS_OF_ADMINS = frozenset({"comment", "open", "assignment", "close"})
"""Kinds of parts that hold a reply, if they hold a text."""


def is_closed(conversation: Document) -> bool:
    state = code_in(conversation.get("state"))
    return state == "closed" or (state is None and conversation.get("open") is False)


def facts(conversation: Document, raw: Raw, *, topic: str = "") -> Facts:
    source, attributes = part(conversation, "source"), part(conversation, "custom_attributes")
    word = code_in(source.get("type"))
    channel, medium = (_CHANNELS.get(word) or channel_and_medium(word)) if word else (raw.default_channel or "chat", None)
    direction = _direction(conversation, source, topic)
    found = facts_of(
        channel=channel,
        medium=medium,
        direction=direction,
        queue=_team(conversation),
        reason=next(_tags(conversation), None),
        traits=kept(attributes, raw.traits) or None,
        purpose=purpose_in(attributes),
        thread_ms=ms_of(conversation.get("created_at")),
        rated=True if _asked(conversation) else None,
    )
    found.update(_who(conversation, topic, begun_by_us=direction == "outbound"))
    return found


def handles(conversation: Document) -> Handles:
    customer = _customer(conversation)
    return handles_of(
        contact_id=text(customer.get("id"), LONGEST_PERSONAL),
        member_id=text(customer.get("external_id"), LONGEST_PERSONAL) or text(customer.get("user_id"), LONGEST_PERSONAL),
        phone=number_in(customer.get("phone")),
        email=mail_in(customer.get("email")),
        name=text(customer.get("name"), LONGEST_PERSONAL),
    )


def _who(conversation: Document, topic: str, *, begun_by_us: bool) -> Facts:
    """A person handled it who wrote to the customer, or closed it; not a bot, nor an admin to whom nobody answered."""
    parts = _parts(conversation)
    author = _author(parts, topic)
    by = code_in(author.get("type"))
    wrote = _admin_wrote(conversation, parts, topic)
    if not wrote and (conversation.get("ai_agent_participated") is True or by == "bot"):
        return {"bot": True}
    spoke = wrote or (wrote is None and (topic == _CLOSED or (not topic and is_closed(conversation))))
    handled = spoke and (not begun_by_us or _customer_wrote(conversation, parts, topic))
    agent, name = _agent(conversation, author if by == "admin" else {})
    return facts_of(agent=agent, agent_name=name, handled=True if handled else None)


def _agent(conversation: Document, admin: Document) -> tuple[str | None, str | None]:
    """To whom it is assigned, or else the admin who did the latest; with the name, where one of the two is named."""
    assignee = part(conversation, "assignee")
    assigned = conversation.get("admin_assignee_id") or (assignee.get("id") if code_in(assignee.get("type")) == "admin" else None)
    agent = text(assigned, LONGEST_ID) or text(admin.get("id"), LONGEST_ID)
    named = (one for one in (admin, assignee) if agent and text(one.get("id"), LONGEST_ID) == agent)
    return agent, next((text(one.get("name"), LONGEST_ID) for one in named), None)


def _admin_wrote(conversation: Document, parts: Sequence[Document], topic: str) -> bool | None:
    """None where the conversation does not say."""
    statistics = part(conversation, "statistics")
    if topic in _ADMIN_WROTE or statistics.get("first_admin_reply_at") or statistics.get("last_admin_reply_at"):
        return True
    if _first_author(conversation) == "admin" or any(map(_is_reply, parts)):
        return True
    return False if "first_admin_reply_at" in statistics else None


def _is_reply(one: Document) -> bool:
    author = part(one, "author")
    return code_in(author.get("type")) == "admin" and code_in(one.get("part_type")) in _WORDS_OF_ADMINS and bool(one.get("body"))


def _customer_wrote(conversation: Document, parts: Sequence[Document], topic: str) -> bool:
    statistics = part(conversation, "statistics")
    if topic in _CUSTOMER_WROTE or conversation.get("first_contact_reply") or statistics.get("first_contact_reply_at"):
        return True
    return any(code_in(part(one, "author").get("type")) in _CUSTOMERS for one in parts)


def _direction(conversation: Document, source: Document, topic: str) -> str | None:
    """By how it was delivered, or, in the older shape, by who wrote first."""
    delivered = code_in(source.get("delivered_as"))
    if delivered in _BEGUN_BY_US or topic == "conversation.admin.single.created":
        return "outbound"
    if delivered == "customer_initiated" or topic == "conversation.user.created":
        return "inbound"
    author = _first_author(conversation)
    return "outbound" if author == "admin" else "inbound" if author in _CUSTOMERS else None


def _first_author(conversation: Document) -> str | None:
    first = part(conversation, "source") or part(conversation, "conversation_message")
    return code_in(part(first, "author").get("type"))


def _asked(conversation: Document) -> bool:
    """Intercom asks for a rating by itself; an empty object is none."""
    rating = part(conversation, "conversation_rating")
    return rating.get("rating") is not None or bool(rating.get("requested_at"))


def _author(parts: Sequence[Document], topic: str) -> Document:
    """Of the latest part, which is what a notification tells of."""
    latest = parts[-1] if parts else {}
    return part(latest, "author") if topic or code_in(latest.get("part_type")) == "close" else {}


def _parts(conversation: Document) -> list[Document]:
    parts = part(conversation, "conversation_parts").get("conversation_parts")
    return [one for one in parts if isinstance(one, dict)] if isinstance(parts, list) else []


def _team(conversation: Document) -> str | None:
    team = conversation.get("team_assignee_id")
    assignee = part(conversation, "assignee")
    return text(team or (assignee.get("id") if code_in(assignee.get("type")) == "team" else None), LONGEST_ID)


def _tags(conversation: Document) -> Iterator[str]:
    tags = part(conversation, "tags").get("tags")
    names = (one.get("name") for one in (tags if isinstance(tags, list) else []) if isinstance(one, dict))
    return (found for name in names if (found := code_in(name)))


def _customer(conversation: Document) -> Document:
    """The contact with whatever else is known of it: of the newer shape the first message's author knows name and e-mail."""
    held = conversation.get("contacts")
    listed = part(conversation, "contacts").get("contacts") if isinstance(held, dict) else held
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    author = part(part(conversation, "source"), "author")
    wrote = author if code_in(author.get("type")) in _CUSTOMERS else {}
    return {**part(conversation, "user"), **wrote, **first}
