"""Whose dialect a document is, by its shape: a table of marks, the most telling first."""

from collections.abc import Callable

from ingest.normalise.decode import Document
from ingest.normalise.envelopes import Letter

Test = Callable[[Document], bool]


def dialect_of(letter: Letter) -> str | None:
    """The dialect's name; None where nothing is recognised."""
    if letter.type is not None:
        named = next((dialect for lead, dialect in _BY_TYPE if letter.type.startswith(lead)), None)
        partner = next((dialect for lead, dialect in _BY_SOURCE if (letter.source or "").startswith(lead)), None)
        if found := named or partner:
            return found
    for test, dialect in _SHAPES:
        if test(letter.document):
            return dialect
    return _native_or_nothing(letter.document) if letter.type is None else None


def _native_or_nothing(document: Document) -> str | None:
    """What names a contact or an event is judged by the native schema, and so is what names nothing: its sender hears what is missing."""
    return "native" if "contact" in document or "event" in document or "id" not in document else None


def _has(*names: str) -> Test:
    marks = frozenset(names)
    return lambda document: document.keys() >= marks


def _has_any(first: str, *others: str) -> Test:
    marks = frozenset(others)
    return lambda document: first in document and not marks.isdisjoint(document)


def _text_begins(name: str, *leads: str) -> Test:
    return lambda document: isinstance(value := document.get(name), str) and value.startswith(leads)


def _is_native(document: Document) -> bool:
    return "contact" in document and "event" in document and "at" in document


def _is_chatwoot(document: Document) -> bool:
    """A tracked event may have such a name, too: names are free there."""
    event = document.get("event")
    return isinstance(event, str) and event.startswith(_CHATWOOT) and not is_segment(document)


def _is_ringcentral(document: Document) -> bool:
    event = document.get("event")
    pushed = "pn_apns" in document or "pn_gcm" in document or document.get("type") == "ServerNotification"
    return pushed or (isinstance(event, str) and event.startswith("/") and not is_segment(document))


def _is_ami(document: Document) -> bool:
    """Bridges keep AMI's capitals or lower them."""
    return ("Event" in document or "event" in document) and not _AMI.isdisjoint(document)


def _is_ari(document: Document) -> bool:
    return "application" in document and "type" in document and not _ARI.isdisjoint(document)


def _is_queue_log_line(document: Document) -> bool:
    message = document.get("message")
    return isinstance(message, str) and message[:10].isdecimal() and "|" in message


def is_segment(document: Document) -> bool:
    kinds = ("track", "identify", "page", "screen", "group", "alias")
    marked = "messageId" in document or "anonymousId" in document or "userId" in document
    return marked and (document.get("type") in kinds or document.get("action") in kinds)


def _is_chat_message(document: Document) -> bool:
    return all(name in document for name in ("AbsoluteTime", "ContentType", "ContactId"))


_CHATWOOT = ("conversation_", "message_", "contact_", "inbox_", "webwidget_", "automation_event.")
_AMI = frozenset({"Uniqueid", "UniqueID", "uniqueid", "Linkedid", "linkedid", "Privilege", "privilege"})
_ARI = frozenset({"asterisk_id", "channel", "peer", "bridge"})
_BY_TYPE = (
    ("contact.", "native"),
    ("com.twilio.taskrouter.", "twilio-taskrouter"),
    ("com.twilio.voice.", "twilio-voice"),
    ("com.twilio.conversations.", "twilio-conversations"),
    ("com.twilio.", "twilio"),
    ("Amazon Connect Contact Event", "connect-contact-event"),
    ("Amazon Connect Contact Record", "connect-contact-record"),
    ("v2.detail.events.", "genesys-cloud"),
)
_BY_SOURCE = (("aws.partner/genesys.com", "genesys-cloud"),)

_SHAPES: tuple[tuple[Test, str], ...] = (
    (_is_native, "native"),
    (_is_chatwoot, "chatwoot"),
    (_has_any("topic", "app_id", "data"), "intercom"),
    (_has_any("contactId", "eventType"), "connect-contact-event"),
    (_has("CurrentAgentSnapshot"), "connect-agent-event"),
    (_is_chat_message, "connect-chat-message"),
    (_has("AWSContactTraceRecordFormatVersion"), "connect-contact-record"),
    (_has_any("ContactId", "EventType"), "connect-contact-event"),
    (_has_any("ContactId", "InitiationMethod", "DisconnectReason", "DisconnectTimestamp"), "connect-contact-record"),
    (lambda document: document.get("Name") == "ContactFlowExecution", "connect-flow-call"),
    (lambda document: document.get("type") == "conversation", "intercom-conversation"),
    (_text_begins("type", "zen:event-type:"), "zendesk"),
    (_has_any("event", "conversation", "contact_inbox", "changed_attributes"), "chatwoot"),
    (_is_ringcentral, "ringcentral"),
    (_has("core-uuid"), "freeswitch"),
    (_has("hook_event"), "kazoo"),
    (_is_ami, "asterisk-ami"),
    (_has("linkedid"), "asterisk-record"),
    (_has("uniqueid", "disposition"), "asterisk-record"),
    (_is_ari, "asterisk-ari"),
    (_has("callid", "queuename", "event"), "asterisk-queue-log"),
    (_is_queue_log_line, "asterisk-queue-log-line"),
    (_has("workspace_sid"), "twilio-taskrouter-socket"),
    (_has("EventType", "WorkspaceSid"), "twilio-taskrouter-callback"),
    (_has("EventType", "ConversationSid"), "twilio-conversations"),
    (_has("EventType", "TaskSid"), "twilio-taskrouter-callback"),
    (_has("CallSid", "CallStatus"), "twilio-call-status"),
    (_has("conversationId", "participants"), "genesys-cloud-record"),
    (_has_any("conversationId", "topicName", "eventTime"), "genesys-cloud"),
    (_has("eventBody", "topicName"), "genesys-cloud"),
    (is_segment, "segment"),
    (_has("event_id", "collector_tstamp"), "snowplow"),
    (_has("rawEvent"), "snowplow"),
)
