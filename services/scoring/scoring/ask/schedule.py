"""What follows from an attempt: settled, or tried again, and when."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from scoring.ask.model import Accepted, Failed, Held, Lost, Refused, Result, Sending, Settled, State

LONGEST_WAIT_S = 86_400.0


def settled(sending: Sending, result: Result, *, now: datetime, waits_s: Sequence[float], keeps_keys: bool) -> Settled:
    """`waits_s`: seconds to wait after the first failure, the second and so on; after the last the survey ends unsent.

    What may have left is tried again only where the gateway keeps idempotency keys; once one attempt may have left, no later failure
    makes it surely unsent.
    """
    expires_at = now + timedelta(seconds=sending.open_s)
    match result:
        case Accepted(ref):
            return Settled(State.SENT, gateway_ref=ref, sent_at=now, expires_at=expires_at)
        case Held():
            return Settled(State.UNKNOWN if sending.was_unknown else State.PLANNED, due=now, was_tried=False)
        case Lost():
            return Settled(State.UNKNOWN, due=_next(sending, None, now=now, waits_s=waits_s) if keeps_keys else None, expires_at=expires_at)
        case Refused(why):
            return Settled(State.UNKNOWN) if sending.was_unknown else Settled(State.UNSENT, reason=why)
        case Failed(why, retry_after_s):
            due = _next(sending, retry_after_s, now=now, waits_s=waits_s)
            if sending.was_unknown:
                return Settled(State.UNKNOWN, due=due)
            return Settled(State.PLANNED, due=due) if due else Settled(State.UNSENT, reason=why)


def _next(sending: Sending, retry_after_s: float | None, *, now: datetime, waits_s: Sequence[float]) -> datetime | None:
    if sending.attempt > len(waits_s):
        return None
    wait = max(waits_s[sending.attempt - 1], retry_after_s or 0)
    return now + timedelta(seconds=min(wait, LONGEST_WAIT_S))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header (RFC 9110, 10.2.3) asks for: a number, or a date seen from the reply's own Date."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit() and len(asked) < 10:
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (ValueError, TypeError):
        return None
