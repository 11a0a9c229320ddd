"""The receivers of alert messages: a webhook with a Standard Webhooks signature, and e-mail."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

import aiosmtplib

from routing.alerts.message import body, letter
from routing.alerts.model import Outgoing, Try
from routing.alerts.receivers import in_turn
from routing.deps import Deps
from shared.runtime.outbound import NoReply, signed

log = logging.getLogger("aftercall.routing")
MADE = range(200, 300)


async def deliver(outgoing: Outgoing, deps: Deps) -> tuple[Try, ...]:
    """What each receiver said that was asked, until one took it. Nothing is raised for an outside fault."""
    settings = deps.settings
    tries: list[Try] = []
    for receiver in in_turn(settings.alert_receivers, failed=outgoing.alert.attempts, patience=settings.alert_fallback_after):
        tries.append(Try(receiver, await SENDERS[receiver](outgoing, deps)))
        if tries[-1].arrived:
            break
    return tuple(tries)


async def by_webhook(outgoing: Outgoing, deps: Deps) -> str:
    """`delivered`, or a code for what went wrong."""
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


async def by_email(outgoing: Outgoing, deps: Deps) -> str:
    """`delivered` when the server took it for at least one address. The server is the operator's, like the database: no outbound guard."""
    settings = deps.settings
    written = letter(
        outgoing, settings.alert_email_to, sender=settings.alert_email_from, console=settings.public_url, zone=settings.company_zone
    )
    try:
        async with asyncio.timeout(settings.alert_timeout_s):
            refused, _ = await aiosmtplib.send(
                written,
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user or None,
                password=settings.smtp_password or None,
                use_tls=settings.smtp_tls == "tls",
                start_tls=settings.smtp_tls == "starttls",
                timeout=settings.alert_timeout_s,
            )
    except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused):
        return "answered_error"
    except (TimeoutError, aiosmtplib.SMTPServerDisconnected):
        return "unknown"
    except (aiosmtplib.SMTPException, OSError):
        return "failed"
    if refused:
        log.warning("the mail server refused some of the addresses alerts go to", extra={"count": len(refused)})
    return "delivered"


SENDERS: Mapping[str, Callable[[Outgoing, Deps], Awaitable[str]]] = {"webhook": by_webhook, "email": by_email}
