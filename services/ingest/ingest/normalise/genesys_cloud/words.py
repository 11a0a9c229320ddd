"""Genesys' words in ours, and what its events and its analytics have in common: the one writes words in capitals, the other small."""

from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, LONGEST_PERSONAL, channel_and_medium, code_in, kept, mail_in, number_in, purpose_in, text
from ingest.normalise.model import Event, Facts, Handles, Kind, Raw
from ingest.normalise.times import Moment, as_datetime

PLATFORM = "genesys-cloud"

BESIDE = frozenset({"cobrowse", "screenshare", "screenmonitoring"})
"""Media that run beside a contact and never are one."""
CALLBACK = "callback"
"""Not a call but the wish for one, or the agent's screen for it: who calls then has a voice session of their own."""
TRANSFERS = frozenset({
    "transfer", "conference_transfer", "consult_transfer", "forward_transfer", "no_answer_transfer", "not_available_transfer"
})  # fmt: skip
RANG_OUT = frozenset({"no_answer_transfer", "not_available_transfer"})
BOTS = frozenset({"bot", "digitalbot"})
SURVEYS = frozenset({"voicesurvey", "surveyinvite"})

_CHANNELS: dict[str, tuple[str, str | None]] = {
    "voice": ("phone", None),
    "chat": ("chat", "webchat"),
    "message": ("chat", None),
    "callback": ("phone", "callback"),
    "internalmessage": ("other", "internalmessage"),
    "video": ("other", "video"),
}
_MESSAGES = {"webmessaging": "webchat", "facebook": "messenger"}
_DIRECTIONS = {"inbound": "inbound", "outbound": "outbound"}
_OF_THE_CUSTOMER = {"endpoint": "customer", "client": "customer", "peer": "agent"}
_OF_THE_AGENT = {"endpoint": "agent", "client": "agent", "peer": "customer"}
"""Who ended a session, by whose it was: each side calls the other its peer."""
_FAULTS = ("error", "transport_failure", "uncallable", "dnd_", "dnc_", "spam")
_SKIPPED = "preview-skipped"


@dataclass(frozen=True, slots=True)
class Told:
    """What one message, or one session of a record, says. `stream` is which of the forms it came in, `id` the id there."""

    stream: str
    id: str
    version: str
    hash: bytes
    kind: Kind
    moment: Moment
    root: str
    leg: str
    facts: Facts
    handles: Handles


def event(letter: Letter, raw: Raw, told: Told) -> Event:
    account = account_in(letter.source) or letter.account or raw.account or "-"
    facts, moment = told.facts, told.moment
    if "channel" not in facts and raw.default_channel:
        facts["channel"] = raw.default_channel
    if moment.doubt or moment.ms is None:
        facts["clock"] = moment.doubt or "missing"
    return Event(
        envelope=letter.envelope, index=letter.index, platform=PLATFORM, account=account, source=f"{PLATFORM}/{account}/{told.stream}",
        id=told.id, version=told.version, hash=told.hash, root=told.root, leg=told.leg, kind=told.kind,
        at=None if moment.ms is None else as_datetime(moment.ms), facts=facts, handles=told.handles,
    )  # fmt: skip


def account_in(source: str | None) -> str | None:
    """The organization of `aws.partner/genesys.com/cloud/ORGANIZATION/BUS`."""
    lead, found, rest = (source or "").partition("/cloud/")
    return rest.split("/", 1)[0][:LONGEST_ID] or None if found and lead.startswith("aws.partner/genesys.com") else None


def word(value: JsonValue) -> str:
    return code_in(value) or ""


def place_facts(session: Document) -> Facts:
    """Channel, medium, direction, and a purpose where the medium alone tells it."""
    facts: Facts = {}
    if media := word(session.get("mediaType")):
        facts["channel"], medium = _CHANNELS.get(media) or channel_and_medium(media)
        if media == "message" and (carrier := word(session.get("messageType"))):
            medium = _MESSAGES.get(carrier, carrier)
        if medium:
            facts["medium"] = medium
        if media == "internalmessage":
            facts["purpose"] = "internal"
    if direction := _DIRECTIONS.get(word(session.get("direction"))):
        facts["direction"] = direction
    elif session.get("outboundCampaignId"):
        facts["direction"] = "outbound"
    return facts


def mark_part(facts: Facts) -> None:
    facts["framed"] = True
    facts["lives_once"] = True


def mark_flow(facts: Facts, *, kind: str) -> None:
    """What a flow is for. The platform's own survey, or its invitation to one, runs beside the contact, and asks about it."""
    mark_part(facts)
    if kind in BOTS:
        facts["bot"] = True
    if kind in SURVEYS:
        facts["aside"] = facts["rated"] = True


def add_agent(facts: Facts, user: JsonValue, queue: JsonValue) -> None:
    mark_part(facts)
    add(facts, agent=text(user, LONGEST_ID), queue=text(queue, LONGEST_ID))


def add_wrap_up(facts: Facts, wrap_up: JsonValue) -> None:
    """Why the customer came, as the agent chose it; and that a call offered by the dialer was never made."""
    reason = code_in(wrap_up)
    add(facts, reason=reason, failed=True if reason and reason.endswith(_SKIPPED) else None)


def add_disconnect(facts: Facts, said: JsonValue, *, of_agent: bool = False) -> None:
    reason = word(said)
    if not reason:
        return
    facts["disconnect"] = (_OF_THE_AGENT if of_agent else _OF_THE_CUSTOMER).get(reason, reason)
    if not of_agent and reason.startswith(_FAULTS):
        facts["failed"] = True


def add_attributes(facts: Facts, attributes: Document, traits: frozenset[str]) -> None:
    add(facts, traits=kept(attributes, traits) or None, purpose=facts.get("purpose") or purpose_in(attributes))


def add(facts: Facts, **found: object) -> None:
    """What of `found`, named as facts are, is there."""
    facts.update(cast("Facts", {name: value for name, value in found.items() if value is not None}))


def handles(session: Document, *, outbound: bool) -> Handles:
    """The customer's end: numbers and addresses may bear a scheme, and a chat's address is no number."""
    numbers, asked = session.get("dnis" if outbound else "ani"), session.get("callbackNumbers")
    address = session.get("addressTo" if outbound else "addressFrom")
    ends = [numbers, address, *(asked if isinstance(asked, list) else [])]
    found = {
        "contact_id": text(session.get("externalContactId"), LONGEST_PERSONAL),
        "phone": next((number for end in ends if (number := number_in(end))), None),
        "email": mail_in(address),
        "name": text(session.get("callbackUserName"), LONGEST_PERSONAL),
    }
    return cast("Handles", {name: value for name, value in found.items() if value is not None})
