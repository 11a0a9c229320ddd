"""Zendesk's ticket events, as its webhooks send them.

A ticket is one contact, and over when it is solved; that it is closed follows days later and says nothing new. It comes back when it
is opened again. Whoever it is assigned to is its agent: each event shows the whole ticket as it stood then. One that was merged into
another is over too, and no contact of a customer's: the other goes on for both.
"""

from pydantic import JsonValue

from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import (
    LONGEST_ID,
    LONGEST_PERSONAL,
    channel_and_medium,
    code,
    code_in,
    mail_in,
    number_in,
    part,
    required_id,
    text,
)
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.telling import Told, event, facts_of, handles_of, ignored
from ingest.normalise.times import first_time, ms_of

PLATFORM = "zendesk"
LEAD = "zen:event-type:"

_CREATED = "ticket.created"
_STATUS = "ticket.status_changed"
_AGENT = "ticket.agent_assignment_changed"
_GROUP = "ticket.group_assignment_changed"
_MERGED = "ticket.merged"
_SOLVED, _CLOSED = "solved", "closed"
_GOING_ON = frozenset({"new", "open", "pending", "hold"})
_OF_MERGED, _OF_BOTS = "closed_by_merge", "bot_chat"
"""Tags that Zendesk itself sets."""
_BOT = "zd:answerBot"

_CHANNELS: dict[str, tuple[str, str | None]] = {
    "native_messaging": ("chat", "messaging"),
    "chat": ("chat", "webchat"),
    "facebook": ("chat", "messenger"),
    "twitter": ("chat", "twitter"),
    "line": ("chat", "line"),
    "instagram_dm": ("chat", "instagram"),
    "email": ("email", None),
    "web": ("email", "web_form"),
}
"""How a ticket came. One written in a form is answered by e-mail, and lives as long."""


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the event's id or the ticket's is missing."""
    name = (text(letter.document.get("type"), LONGEST_ID) or "").removeprefix(LEAD)
    ticket, change = part(letter.document, "detail"), part(letter.document, "event")
    merged = _is_merged_away(ticket, change)
    if name not in (_CREATED, _STATUS, _AGENT, _GROUP) and not (name == _MERGED and merged):
        return ignored(letter, PLATFORM, f"event_{code(name.replace('.', '_')) or 'unknown'}")
    status = _SOLVED if merged else code_in((change.get("current") if name == _STATUS else None) or ticket.get("status"))
    if name == _STATUS and status not in _GOING_ON and status != _SOLVED:
        return ignored(letter, PLATFORM, f"status_{status or 'unknown'}")
    if status == _CLOSED:
        return ignored(letter, PLATFORM, "status_closed")
    root = required_id(ticket, "id", "detail.")
    told = _told(letter, name, status, root=root)
    if merged:
        told.facts["purpose"] = "internal"
    return event(letter, raw, told)


def _told(letter: Letter, name: str, status: str | None, *, root: str) -> Told:
    document = letter.document
    ticket, change = part(document, "detail"), part(document, "event")
    kind = _kind(name, status, change)
    facts = _facts(ticket, change.get("current") if name == _GROUP else ticket.get("group_id"))
    agent = change.get("current") if name == _AGENT else ticket.get("assignee_id")
    if kind is Kind.CONNECTED or kind is Kind.ENDED:
        facts.update(facts_of(agent=text(agent, LONGEST_ID)))
    if kind is Kind.ENDED:
        facts.update(_solved_by(ticket, change))
    return Told(
        platform=PLATFORM, account=text(document.get("account_id"), LONGEST_ID), stream="event",
        id=required_id(document, "id"), version="", hash=digest(document), root=root, leg=root, kind=kind,
        moment=first_time(document.get("time"), letter.time), facts=facts, handles=_handles(ticket),
    )  # fmt: skip


def _kind(name: str, status: str | None, change: Document) -> Kind:
    if status == _SOLVED:
        return Kind.ENDED
    if name == _STATUS:
        return Kind.REOPENED if code_in(change.get("previous")) in (_SOLVED, _CLOSED) else Kind.STARTED
    return Kind.CONNECTED if name == _AGENT and change.get("current") else Kind.STARTED


def _facts(ticket: Document, group: JsonValue) -> Facts:
    word = code_in(part(ticket, "via").get("channel"))
    channel, medium = (_CHANNELS.get(word) or channel_and_medium(word)) if word else (None, None)
    requester = ticket.get("requester_id")
    return facts_of(
        channel=channel,
        medium=medium,
        queue=text(group, LONGEST_ID),
        thread_ms=ms_of(ticket.get("created_at")),
        direction="inbound" if requester and requester == ticket.get("submitter_id") else None,
    )


def _is_merged_away(ticket: Document, change: Document) -> bool:
    """Said by the event itself, or by the ticket's tag; one that was solved before stays what it was."""
    target = text(change.get("target_ticket_id"), LONGEST_ID)
    if target is not None:
        return target != text(ticket.get("id"), LONGEST_ID)
    return _is_tagged(ticket, _OF_MERGED) and code_in(change.get("previous")) != _SOLVED


def _solved_by(ticket: Document, change: Document) -> Facts:
    """A ticket with no assignee was solved by a bot; of one that does not say, somebody did, unless it bears a bot's marks."""
    if "assignee_id" in ticket:
        return {"handled": True} if ticket["assignee_id"] else {"bot": True}
    actors = (ticket.get("actor_id"), part(change, "actor").get("id"))
    return {"bot": True} if _BOT in actors or _is_tagged(ticket, _OF_BOTS) else {"handled": True}


def _is_tagged(ticket: Document, tag: str) -> bool:
    tags = ticket.get("tags")
    return isinstance(tags, list) and tag in tags


def _handles(ticket: Document) -> Handles:
    """Only an id; more where a bridge looked the requester up and put it beside the id."""
    requester = part(ticket, "requester")
    return handles_of(
        contact_id=text(ticket.get("requester_id"), LONGEST_PERSONAL),
        member_id=text(requester.get("external_id"), LONGEST_PERSONAL),
        phone=number_in(requester.get("phone")),
        email=mail_in(requester.get("email")),
        name=text(requester.get("name"), LONGEST_PERSONAL),
    )
