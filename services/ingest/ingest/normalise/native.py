"""The event that a platform without an adapter sends; bare, or as the data of a CloudEvent of type `contact.<event>`."""

from typing import cast

from pydantic import JsonValue

from ingest.normalise.cloudevents import NATIVE
from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import (
    HANDLE_NAMES,
    LONGEST_ID,
    LONGEST_PERSONAL,
    channel_and_medium,
    code_in,
    flag,
    kept,
    part,
    purpose_in,
    required_text,
    text,
)
from ingest.normalise.model import Event, Facts, Handles, Ignored, Kind, Raw
from ingest.normalise.times import as_datetime, read_time
from ingest.normalise.unreadable import Unreadable

PLATFORM = "native"
_KINDS = {kind.value: kind for kind in Kind}


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` naming the required field that is missing or of the wrong type."""
    document = letter.document
    event_id, root = _id(letter), required_text(document, "contact")
    kind = _KINDS.get(_event(letter))
    if kind is None:
        return Ignored(letter.envelope, letter.index, PLATFORM, "unknown_event")
    channel, at = required_text(document, "channel"), _at(letter)
    account = text(document.get("account"), LONGEST_ID) or raw.account or "-"
    moment = read_time(at, raw.zone_of(account))
    facts = _facts(document, channel.strip().lower(), raw.traits)
    if moment.doubt:
        facts["clock"] = moment.doubt
    return Event(
        envelope=letter.envelope, index=letter.index, platform=PLATFORM, account=account, source=f"{PLATFORM}/{account}", id=event_id,
        version="", hash=digest(document), root=root, leg=text(document.get("leg"), LONGEST_ID) or root, kind=kind,
        at=None if moment.ms is None else as_datetime(moment.ms), facts=facts, handles=_handles(part(document, "customer")),
    )  # fmt: skip


def _is_told_by_envelope(letter: Letter, name: str) -> bool:
    """A CloudEvent says itself what its data need not repeat."""
    return name not in letter.document and letter.type is not None and letter.type.startswith(NATIVE)


def _id(letter: Letter) -> str:
    """A CloudEvent's own is one of its source."""
    if _is_told_by_envelope(letter, "id"):
        return required_text({"id": f"{letter.source}/{letter.id}"}, "id")
    return required_text(letter.document, "id")


def _event(letter: Letter) -> str:
    if letter.type is not None and _is_told_by_envelope(letter, "event"):
        return letter.type.removeprefix(NATIVE).removesuffix(".v1")
    return required_text(letter.document, "event").strip().lower()


def _at(letter: Letter) -> JsonValue:
    at = letter.time if _is_told_by_envelope(letter, "at") else letter.document.get("at")
    if at is None:
        raise Unreadable("missing", "at")
    if isinstance(at, bool) or not isinstance(at, (str, int, float)):
        raise Unreadable("wrong_type", "at")
    return at


def _facts(document: Document, channel: str, traits: frozenset[str]) -> Facts:
    ours, medium = channel_and_medium(channel)
    facts: Facts = {"channel": ours}
    if medium := code_in(document.get("medium")) or medium:
        facts["medium"] = medium
    if direction := code_in(document.get("direction")):
        facts["direction"] = direction if direction in ("inbound", "outbound") else "unknown"
    if reason := code_in(document.get("reason")):
        facts["reason"] = reason
    for name in ("team", "queue", "language"):
        if (word := text(document.get(name), LONGEST_ID)) is not None:
            facts[name] = word
    for name in ("self_served", "bot"):
        if (said := flag(document.get(name))) is not None:
            facts[name] = said  # type: ignore[literal-required]  # both are keys of Facts
    _add_agent(facts, part(document, "agent"))
    _add_attributes(facts, part(document, "attributes"), traits)
    return facts


def _add_agent(facts: Facts, agent: Document) -> None:
    if not agent:
        return
    name = text(agent.get("name"), LONGEST_ID)
    if (who := text(agent.get("id"), LONGEST_ID) or name) is not None:
        facts["agent"] = who
    if name is not None:
        facts["agent_name"] = name


def _add_attributes(facts: Facts, attributes: Document, traits: frozenset[str]) -> None:
    if not attributes:
        return
    if purpose := purpose_in(attributes):
        facts["purpose"] = purpose
    if found := kept(attributes, traits):
        facts["traits"] = found


def _handles(customer: Document) -> Handles:
    found = ((name, text(customer[name], LONGEST_PERSONAL)) for name in HANDLE_NAMES if name in customer)
    return cast("Handles", {name: value for name, value in found if value is not None})
