"""The one receiver of alert messages: a webhook with a Standard Webhooks signature."""

from routing.alerts.message import body
from routing.alerts.model import Outgoing
from routing.deps import Deps
from shared.runtime.outbound import NoReply, signed

MADE = range(200, 300)


async def deliver(outgoing: Outgoing, deps: Deps) -> str:
    """`delivered`, or a code for what went wrong. Nothing is raised for an outside fault."""
    settings = deps.settings
    content = body(outgoing, console=settings.public_url)
    headers = {
        **signed(settings.alert_webhook_secret, outgoing.message_id, at=outgoing.at, body=content),
        "content-type": "application/json",
    }
    try:
        reply = await deps.outbound.post(settings.alert_webhook_url, content=content, headers=headers, timeout=settings.alert_timeout_s)
    except NoReply as error:
        return type(error).__name__.lower()
    return "delivered" if reply.status in MADE else "answered_error"
