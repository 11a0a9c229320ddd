"""The webhook gateway against a real server on loopback."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from scoring.ask.clients import WebhookGateway
from scoring.ask.model import Accepted, Failed, Lost, Outgoing, Refused, Result
from shared.runtime.outbound import Outbound
from tests.support.wire import Wire, answers, wire

KEY = b"a webhook key of 32 bytes length"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MESSAGE = Outgoing("0193-key", "sms", "+15550000000", None, "Example Health: hello é")


def reply(status: int, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 %d X" % status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@asynccontextmanager
async def gateway(server: Wire, **given: float) -> AsyncIterator[WebhookGateway]:
    client = Outbound(allow=[server.host])
    yield WebhookGateway(client, server.url, secret=SECRET, keeps_keys=True, timeout_s=given.get("timeout_s", 5.0))
    await client.close()


async def test_a_message_is_signed_and_carries_its_key_twice() -> None:
    async with wire(answers(reply(202, b'{"id": "m-1"}'))) as server, gateway(server) as made:
        assert await made.send(MESSAGE) == Accepted("m-1")

    head, _, body = server.received[0].partition(b"\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n")[1:])}
    signed = f"0193-key.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-id"] == headers["idempotency-key"] == "0193-key"
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {"id": "0193-key", "channel": "sms", "to": "+15550000000", "subject": None, "body": MESSAGE.body}


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (reply(500), Failed("http_500")),
        (reply(429, b"", b"retry-after: 7"), Failed("http_429", 7.0)),
        (reply(410), Refused("http_410")),
        (reply(302, b"", b"location: http://169.254.169.254/"), Refused("http_302")),
        (b"", Lost("remote_protocol_error")),
    ],
)
async def test_what_a_gateway_says_is_understood(said: bytes, result: Result) -> None:
    async with wire(answers(said)) as server, gateway(server) as made:
        assert await made.send(MESSAGE) == result


async def test_nobody_listening_means_it_surely_did_not_leave() -> None:
    async with wire(answers(reply(200))) as server:
        pass
    async with gateway(server) as made:
        assert isinstance(await made.send(MESSAGE), Failed)


async def test_an_address_the_guard_refuses_is_not_called() -> None:
    client = Outbound()
    made = WebhookGateway(client, "http://127.0.0.1:9/", secret=SECRET, keeps_keys=False, timeout_s=1.0)

    assert await made.send(MESSAGE) == Failed("loopback_address")
    await client.close()
