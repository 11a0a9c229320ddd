"""What an alert's message says: team, channel, level, counts, the earliest due time and where to look. No name, number or words."""

import json
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from routing.alerts.model import Alert, Kind, Outgoing
from shared.schemas.fields import in_wire_form


def body(outgoing: Outgoing, *, console: str) -> bytes:
    """JSON in the form of Standard Webhooks; `console` is the address under which people open alerts."""
    alert = outgoing.alert
    told = {
        "alert": str(alert.id),
        "kind": alert.kind.value,
        "team": alert.team,
        "channel": alert.channel,
        "level": alert.level.value,
        "count": alert.count,
        "new": alert.count - alert.told,
        "since": in_wire_form(alert.opened_at),
        "oldest_due_at": in_wire_form(outgoing.oldest_due_at) if outgoing.oldest_due_at else None,
        "link": _link(alert, console),
    }
    return json.dumps({"type": f"alert.{alert.kind.value}", "timestamp": in_wire_form(outgoing.at), "data": told}).encode()


def letter(outgoing: Outgoing, to: Sequence[str], *, sender: str, console: str, zone: str) -> EmailMessage:
    """An e-mail whose Message-ID is the same however often it is sent again; its times are those of the company's zone."""
    written = EmailMessage()
    written["From"], written["To"], written["Subject"] = sender, ", ".join(to), _subject(outgoing.alert)
    written["Date"] = format_datetime(outgoing.at)
    written["Message-ID"] = f"<{outgoing.message_id}@{sender.rpartition('@')[2]}>"
    written["Auto-Submitted"] = "auto-generated"
    written.set_content("\n".join(_lines(outgoing, console, zone=zone)))
    return written


def _subject(alert: Alert) -> str:
    where = " ".join(f"{alert.team}, {alert.channel}".split())
    if alert.kind is Kind.CRITICAL:
        return f"Critical: a customer needs a call now: {where}"
    new = alert.count - alert.told
    return f"{new} new unhappy customer{'s' if new != 1 else ''}: {where}"


def _lines(outgoing: Outgoing, console: str, *, zone: str) -> list[str]:
    alert = outgoing.alert
    due = _clock(outgoing.oldest_due_at, zone) if outgoing.oldest_due_at else "nobody waits any more"
    return [
        f"Team: {alert.team}",
        f"Channel: {alert.channel}",
        f"Level: {alert.level.value}",
        f"Unhappy customers: {alert.count} since {_clock(alert.opened_at, zone)}, {alert.count - alert.told} of them new",
        f"First call due: {due}",
        "",
        _link(alert, console),
        "",
        "This message may come twice. Names, numbers and words of customers are only shown after signing in.",
    ]


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b, %H:%M %Z}"


def _link(alert: Alert, console: str) -> str:
    return f"{console}/console/alerts/{alert.id}"
