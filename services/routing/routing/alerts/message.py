"""What an alert's message says: team, channel, level, counts, the earliest due time and where to look. No name, number or words."""

import json

from routing.alerts.model import Outgoing
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
        "link": f"{console}/console/alerts/{alert.id}",
    }
    return json.dumps({"type": f"alert.{alert.kind.value}", "timestamp": in_wire_form(outgoing.at), "data": told}).encode()
