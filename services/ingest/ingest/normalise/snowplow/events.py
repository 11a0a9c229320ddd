"""Enriched events. Snowplow knows no end of a visit: agreed events say it, and nothing is guessed from silence.

`event_name` says what happened; `event` may say otherwise. Times are UTC, written with or without saying so. An event
delivered twice differs in when it was collected and loaded; different events may bear one `event_id`, and then differ in
their fingerprint.
"""

import re
from collections.abc import Iterable

from pydantic import JsonValue

from ingest.normalise import telling
from ingest.normalise.decode import Document, digest
from ingest.normalise.envelopes import Letter
from ingest.normalise.fields import LONGEST_ID, LONGEST_PERSONAL, code_in, kept, mail_in, part, purpose_in, required_inside, text
from ingest.normalise.model import Event, Handles, Ignored, Kind, Raw
from ingest.normalise.telling import Told, facts_of, handles_of, ignored
from ingest.normalise.times import first_time

PLATFORM = "snowplow"

_UNSTRUCT, _FAILURE = "unstruct_event_", "contexts_com_snowplowanalytics_snowplow_failure_"
_FAILURE_SCHEMA = "iglu:com.snowplowanalytics.snowplow/failure/"
_SCHEMA = re.compile(r"iglu:[^/]+/([^/]+)/[^/]+/[^/]+\Z")


def adapt(letter: Letter, raw: Raw) -> Event | Ignored:
    """Raises `Unreadable` where the event's id is missing. Micro wraps the event into what its collector made of it."""
    wrapped = "rawEvent" in letter.document
    event = part(letter.document, "event") if wrapped else letter.document
    if wrapped and not event:
        return ignored(letter, PLATFORM, "no_event")
    name = code_in(event.get("event_name")) or _name_of(event) or code_in(event.get("event"))
    if name not in raw.ends:
        return ignored(letter, PLATFORM, "event_not_agreed")
    if _failed(event):
        return ignored(letter, PLATFORM, "failed_event")
    return _event(letter, event, raw, prefix="event." if wrapped else "")


def _failed(event: Document) -> bool:
    """In either spelling: a key of its own, or one of the contexts by its schema."""
    contexts = part(event, "contexts").get("data")
    listed = contexts if isinstance(contexts, list) else ()
    schemas = [one.get("schema") for one in listed if isinstance(one, dict)]
    return _begins(event, _FAILURE) or _begins([schema for schema in schemas if isinstance(schema, str)], _FAILURE_SCHEMA)


def _begins(names: Iterable[str], lead: str) -> bool:
    return any([name.startswith(lead) for name in names])  # noqa: C419  # a list costs half of what a generator does


def _what(event: Document) -> Document:
    """What a self-describing event says: under a key that names its schema, or within an envelope that does."""
    flat = next((value for name, value in event.items() if name.startswith(_UNSTRUCT) and isinstance(value, dict)), None)
    return flat if flat is not None else part(part(part(event, "unstruct_event"), "data"), "data")


def _name_of(event: Document) -> str | None:
    schema = part(part(event, "unstruct_event"), "data").get("schema")
    named = _SCHEMA.match(schema) if isinstance(schema, str) and len(schema) <= LONGEST_ID else None
    return code_in(named[1]) if named else None


def _event(letter: Letter, event: Document, raw: Raw, *, prefix: str) -> Event:
    own = required_inside(event, "event_id", prefix)
    what = _what(event)
    fingerprint = text(event.get("event_fingerprint"), LONGEST_ID) or ""
    root = text(event.get("domain_sessionid"), LONGEST_ID) or own
    moment = first_time(*(event.get(name) for name in ("derived_tstamp", "collector_tstamp", "dvce_created_tstamp")), zone="UTC")
    facts = facts_of(channel="web", direction="inbound", self_served=True, traits=kept(what, raw.traits) or None, purpose=purpose_in(what))
    content: Document = {"what": what, "root": root, **{name: event.get(name) for name in ("event_name", "user_id", "dvce_created_tstamp")}}
    told = Told(
        platform=PLATFORM, account=None, stream="enriched", id=own, version=fingerprint, hash=digest(content), root=root, leg=root,
        kind=Kind.ENDED, moment=moment, facts=facts, handles=_handles(event.get("user_id")),
    )  # fmt: skip
    return telling.event(letter, raw, told)


def _handles(user: JsonValue) -> Handles:
    """The company's own id of the customer, unless it is an e-mail address."""
    known = text(user, LONGEST_PERSONAL)
    mail = mail_in(known)
    return handles_of(email=mail, member_id=None if mail else known)
