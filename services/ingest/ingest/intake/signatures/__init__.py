"""Is it really the platform that posts? One module per scheme, each checking the bytes as they came; pure, the time is given.

A check returns nothing, or raises `Untrusted` with a code. `sns` needs a certificate besides, and the check `key` is that of
API keys: both stand in `intake.receive`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from ingest.intake.signatures import chatwoot, intercom, ringcentral, segment, slack, standard, twilio, zendesk
from ingest.intake.signatures.posted import Posted
from ingest.intake.signatures.source import Source

Check = Callable[[Posted, Source, datetime], None]

CHECKS: Mapping[str, Check] = {
    "twilio": twilio.check,
    "standard": standard.check,
    "zendesk": zendesk.check,
    "intercom": intercom.check,
    "chatwoot": chatwoot.check,
    "ringcentral": ringcentral.check,
    "segment": segment.check,
    "slack": slack.check,
}
_UNSIGNED = {"chatwoot": chatwoot.HEADER, "ringcentral": ringcentral.HEADER}


def check(posted: Posted, source: Source, at: datetime) -> None:
    """By the source's own check. What carries no signature at all passes where its settings say so."""
    header = _UNSIGNED.get(source.checked_by)
    if source.unsigned_allowed and header and not posted.has(header):
        return
    CHECKS[source.checked_by](posted, source, at)
