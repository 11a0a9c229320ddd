"""Gateways: what carries an invitation to a customer. One interface; each says whether it keeps idempotency keys."""

import json
from datetime import UTC, datetime
from typing import Protocol

from scoring.ask.model import Accepted, Failed, Lost, Outgoing, Refused, Result
from scoring.ask.schedule import retry_after
from shared.runtime import outbound
from shared.runtime.outbound import Outbound, Reply
from shared.runtime.webhooks import signed

MAYBE_SENT = frozenset({502, 504})
TRY_AGAIN = frozenset({408, 425, 429, 500, 503, 507})
LONGEST_REF = 200


class Gateway(Protocol):
    """`keeps_keys`: two messages under one key reach the customer once. `send` answers with a value, whatever happens."""

    @property
    def name(self) -> str: ...

    @property
    def keeps_keys(self) -> bool: ...

    async def send(self, message: Outgoing) -> Result: ...


class WebhookGateway:
    """POSTs each message to one address, signed by Standard Webhooks, with the key as `webhook-id` and as `Idempotency-Key`."""

    name = "webhook"

    def __init__(self, client: Outbound, url: str, *, secret: str, keeps_keys: bool, timeout_s: float) -> None:
        self._client, self._url, self._secret, self._timeout_s = client, url, secret, timeout_s
        self.keeps_keys = keeps_keys

    async def send(self, message: Outgoing) -> Result:
        body = _body(message)
        headers = {
            **signed(self._secret, message.key, at=datetime.now(UTC), body=body),
            "idempotency-key": message.key,
            "content-type": "application/json",
        }
        try:
            reply = await self._client.post(self._url, content=body, headers=headers, timeout=self._timeout_s)
        except outbound.Refused as refused:
            return Failed(refused.why)
        except outbound.Failed as failed:
            return Failed(failed.why)
        except outbound.Unknown as unknown:
            return Lost(unknown.why)
        return reading(reply)


def reading(reply: Reply) -> Result:
    """What a gateway's answer means for the message."""
    why = f"http_{reply.status}"
    if 200 <= reply.status < 300:
        return Accepted(_ref(reply.body))
    if reply.status in MAYBE_SENT:
        return Lost(why)
    if reply.status in TRY_AGAIN or reply.status > 504:
        return Failed(why, retry_after(reply.headers))
    return Refused(why)


def _body(message: Outgoing) -> bytes:
    said = {"id": message.key, "channel": message.channel, "to": message.address, "subject": message.subject, "body": message.body}
    return json.dumps(said, ensure_ascii=False).encode()


def _ref(body: bytes) -> str | None:
    """The gateway's own name for the message: `id` of a JSON object, where it gives one."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = said.get("id") if isinstance(said, dict) else None
    return found if isinstance(found, str) and 0 < len(found) <= LONGEST_REF and found.isprintable() else None
