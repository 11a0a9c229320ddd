"""From a payload to readings: open the envelopes, tell the dialect, let its module speak."""

from collections.abc import Callable, Mapping, Sequence

from ingest.normalise import chatwoot, native, zendesk
from ingest.normalise.amazon_connect import events, records, words
from ingest.normalise.asterisk import ami, ari, queues
from ingest.normalise.asterisk import records as asterisk_records
from ingest.normalise.asterisk import words as asterisk
from ingest.normalise.detect import dialect_of
from ingest.normalise.envelopes import UNKNOWN, Letter, Opened, opened
from ingest.normalise.genesys_cloud import events as genesys_events
from ingest.normalise.genesys_cloud import records as genesys_records
from ingest.normalise.genesys_cloud import words as genesys
from ingest.normalise.intercom import events as intercom_events
from ingest.normalise.intercom import words as intercom
from ingest.normalise.model import Event, Ignored, Raw, Reading, Refused
from ingest.normalise.ringcentral import sessions
from ingest.normalise.ringcentral import words as ringcentral
from ingest.normalise.segment import events as segment
from ingest.normalise.snowplow import events as snowplow
from ingest.normalise.twilio import conversations, sockets, streams, voice
from ingest.normalise.twilio import words as twilio
from ingest.normalise.unreadable import Unreadable

Adapter = Callable[[Letter, Raw], Event | Ignored | Sequence[Event]]
"""What a document says: one event as a rule, several where it is a record of a whole contact with all its legs."""

ADAPTERS: Mapping[str, tuple[str, Adapter]] = {
    "native": (native.PLATFORM, native.adapt),
    "connect-contact-event": (words.PLATFORM, events.adapt_event),
    "connect-contact-record": (words.PLATFORM, records.adapt_record),
    "connect-chat-message": (words.PLATFORM, events.adapt_chat_message),
    "connect-agent-event": (words.PLATFORM, events.ignore_agent_event),
    "connect-flow-call": (words.PLATFORM, events.ignore_flow_call),
    "genesys-cloud": (genesys.PLATFORM, genesys_events.adapt_event),
    "genesys-cloud-record": (genesys.PLATFORM, genesys_records.adapt_record),
    "twilio-taskrouter": (twilio.PLATFORM, streams.adapt_event),
    "twilio-taskrouter-socket": (twilio.PLATFORM, sockets.adapt),
    "twilio-taskrouter-callback": (twilio.PLATFORM, streams.adapt_callback),
    "twilio-voice": (twilio.PLATFORM, voice.adapt_event),
    "twilio-call-status": (twilio.PLATFORM, voice.adapt_callback),
    "twilio-conversations": (twilio.PLATFORM, conversations.adapt),
    "twilio": (twilio.PLATFORM, voice.ignore_other),
    "zendesk": (zendesk.PLATFORM, zendesk.adapt),
    "chatwoot": (chatwoot.PLATFORM, chatwoot.adapt),
    "intercom": (intercom.PLATFORM, intercom_events.adapt_notification),
    "intercom-conversation": (intercom.PLATFORM, intercom_events.adapt_conversation),
    "ringcentral": (ringcentral.PLATFORM, sessions.adapt),
    "asterisk-record": (asterisk.PLATFORM, asterisk_records.adapt),
    "asterisk-queue-log": (asterisk.PLATFORM, queues.adapt),
    "asterisk-queue-log-line": (asterisk.PLATFORM, queues.adapt_message),
    "asterisk-ami": (asterisk.PLATFORM, ami.adapt),
    "asterisk-ari": (asterisk.PLATFORM, ari.adapt),
    "segment": (segment.PLATFORM, segment.adapt),
    "snowplow": (snowplow.PLATFORM, snowplow.adapt),
}
"""Dialect, as `detect` names it → the platform and what reads it. A dialect that is not here is known by sight only."""


def read(raw: Raw) -> list[Reading]:
    """Everything one record or request body says, in its order; at least one reading. Never raises, whatever the bytes."""
    return read_as(raw, raw.body, raw.headers)


def read_as(raw: Raw, body: bytes | None, headers: Mapping[str, str]) -> list[Reading]:
    """The same of another body: from `raw` comes what it does not say itself."""
    return [reading for one in opened(body, headers) for reading in _readings(one, raw)]


def _readings(one: Opened, raw: Raw) -> Sequence[Reading]:
    if not isinstance(one, Letter):
        return (one,)
    dialect = dialect_of(one)
    if dialect is None:
        return (Ignored(one.envelope, one.index, UNKNOWN, "unknown_type" if one.type is not None else "unknown_shape"),)
    if dialect not in ADAPTERS:
        return (Ignored(one.envelope, one.index, dialect, f"no_adapter:{dialect}"),)
    platform, adapt = ADAPTERS[dialect]
    try:
        said = adapt(one, raw)
    except Unreadable as fault:
        return (Refused(one.envelope, one.index, platform, fault.code, f"{one.prefix}{fault.path or ''}".rstrip(".") or None),)
    return (said,) if isinstance(said, (Event, Ignored)) else said
