"""`POST /v1/webhooks/{platform}`: accepted means stored, once; everything else hears as little as it should."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from ingest.intake.clients import AmazonSns
from ingest.intake.signatures.source import Source
from shared.runtime.audit import CommandLine
from shared.runtime.clearing import Outcome, Replays
from shared.runtime.keys import NewKey, create_key
from shared.runtime.outbound import Reply
from shared.runtime.resolving import replay_one
from tests.support import amazon
from tests.support.amazon import CERTIFICATE_URL, SUBSCRIBE_URL, FakeAmazon
from tests.support.built import NOWHERE
from tests.support.ingest import Json, Running, call, ingest
from tests.support.signing import (
    AT,
    BASE,
    STANDARD_SECRET,
    TEXT_SECRET,
    Sent,
    a_source,
    chatwoot,
    intercom,
    ringcentral,
    segment,
    standard,
    twilio_form,
    twilio_json,
    zendesk,
)

EVENT = call("c-1", start=AT - timedelta(minutes=1))[0]
NATIVE = a_source("native", check="standard", secrets=[STANDARD_SECRET], name="bridge")
CALLBACK = [
    ("EventType", "task.created"), ("AccountSid", "AC01"), ("WorkspaceSid", "WS01"), ("Sid", "EV01"), ("TaskSid", "WT01"),
    ("TimestampMs", str(int(AT.timestamp() * 1000))), ("TaskAttributes", '{"from": "+12125550142"}'), ("TaskChannelUniqueName", "voice"),
]  # fmt: skip


@dataclass
class Posting:
    """Ingest with sources, and a client that sends what a platform signed."""

    running: Running
    client: httpx.AsyncClient
    amazon: FakeAmazon

    async def send(self, sent: Sent, path: str | None = None, **headers: str) -> httpx.Response:
        """`path` other than the source's own."""
        url = (path or sent.path) + (f"?{sent.query}" if sent.query else "")
        return await self.client.post(url, content=sent.body, headers={**sent.headers, **headers})

    def refused(self, platform: str, reason: str) -> float:
        registry = self.running.service.internal.state.edges.registry
        return registry.get_sample_value("aftercall_ingest_webhooks_refused_total", {"platform": platform, "reason": reason}) or 0.0

    async def stored(self) -> int:
        (found,) = await self.running.rows("select count(*) from event")
        return int(found["count"])

    async def unread(self) -> list[tuple[str, str | None]]:
        """Dead letters: reason and field."""
        return [(each["reason"], each["path"]) for each in await self.running.rows("select reason, path from dead_letter order by id")]


@asynccontextmanager
async def posting(url: str, *sources: Source, at: datetime = AT, **given: Any) -> AsyncIterator[Posting]:
    written = [each.model_dump(exclude_defaults=True) for each in sources]
    async with ingest(url, webhook_sources=written, public_url=BASE, **given) as running:
        fake = FakeAmazon()
        hooks = replace(running.deps.webhooks, clock=lambda: at, amazon=AmazonSns(fake))
        running.service.public.state.deps = replace(running.deps, webhooks=hooks)
        transport = httpx.ASGITransport(running.service.public, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.7:8001") as client:
            yield Posting(running, client, fake)


def native(*events: Json, source: Source = NATIVE, **given: Any) -> Sent:
    return standard(source, body=json.dumps(events[0] if len(events) == 1 else events).encode(), **given)


async def test_what_is_signed_is_stored_once_however_often_it_comes(ingest_database: str) -> None:
    async with posting(ingest_database, NATIVE) as hooks:
        first, replayed = [await hooks.send(native(EVENT)) for _ in range(2)]
        by_platform = await hooks.send(native(EVENT, message="msg_2"), "/v1/webhooks/native")

        assert (first.status_code, first.json()) == (202, {"accepted": 1, "duplicate": 0, "ignored": 0, "rejected": []})
        assert (replayed.status_code, replayed.json()["duplicate"], by_platform.json()["duplicate"]) == (202, 1, 1)
        assert await hooks.stored() == 1


async def test_whatever_is_wrong_every_sender_hears_the_same() -> None:
    """Of a source there is, of one there is none, of a platform nobody knows: only the metric tells them apart."""
    right = native(EVENT)
    wrong = [
        (right.path, replace(right, body=right.body + b" "), "native", "signature"),
        (right.path, native(EVENT, at=AT - timedelta(minutes=6)), "native", "time"),
        (right.path, native(EVENT, at=AT + timedelta(minutes=6)), "native", "time"),
        (right.path, replace(right, headers={}), "native", "header_missing"),
        (right.path, replace(right, body=b"\xff not json"), "native", "signature"),
        ("/v1/webhooks/native/other", right, "native", "unknown_source"),
        ("/v1/webhooks/zendesk", right, "unknown", "unknown_source"),
        ("/v1/webhooks/%F0%9F%92%A9/%00", right, "unknown", "unknown_source"),
        ("/v1/webhooks/native/" + "x" * 300, right, "native", "unknown_source"),
        ("/v1/webhooks/" + "x" * 300, right, "unknown", "unknown_source"),
    ]
    async with posting(NOWHERE, NATIVE) as hooks:
        answers = []
        for path, sent, platform, reason in wrong:
            before = hooks.refused(platform, reason)
            answers.append(await hooks.send(sent, path))
            assert hooks.refused(platform, reason) == before + 1, reason

        told = [{**answer.json(), "request_id": None} for answer in answers]
        assert {answer.status_code for answer in answers} == {401}
        assert all(each == told[0] for each in told)


async def test_a_repeated_header_is_refused() -> None:
    async with posting(NOWHERE, NATIVE) as hooks:
        sent = native(EVENT)
        twice = [*sent.headers.items(), ("webhook-signature", sent.headers["webhook-signature"])]

        assert (await hooks.client.post(sent.path, content=sent.body, headers=twice)).status_code == 401
        assert hooks.refused("native", "header_repeated") == 1


async def test_no_content_type_is_asked_for_and_none_is_believed(ingest_database: str) -> None:
    """What is not signed changes nothing: neither the content type nor the attributes of a binary CloudEvent."""
    odd = {"content-type": "text/xml", "ce-specversion": "1.0", "ce-id": "7", "ce-source": "/x", "ce-type": "contact.ended"}
    async with posting(ingest_database, NATIVE) as hooks:
        first = await hooks.send(native(EVENT))
        again = await hooks.send(native(EVENT), **odd)

        assert "content-type" not in first.request.headers
        assert (first.json()["accepted"], again.json()["duplicate"]) == (1, 1)


async def test_of_several_sources_at_one_address_each_is_believed_by_its_own_secret(ingest_database: str) -> None:
    other = a_source("native", check="standard", secrets=["whsec_" + "b3RoZXI" * 5 + "b3Ro"], name="other")
    async with posting(ingest_database, NATIVE, other) as hooks:
        for source, each in ((NATIVE, EVENT), (other, {**EVENT, "id": "another"})):
            assert (await hooks.send(native(each, source=source), "/v1/webhooks/native")).json()["accepted"] == 1
        assert (await hooks.send(native(EVENT, source=other), "/v1/webhooks/native/bridge")).status_code == 401


async def test_a_source_fills_in_what_its_payloads_do_not_say_and_speaks_for_nobody_else(ingest_database: str) -> None:
    source = NATIVE.model_copy(update={"account": "main", "accounts": ["main"]})
    nameless = {name: value for name, value in EVENT.items() if name != "account"}
    async with posting(ingest_database, source) as hooks:
        own = await hooks.send(native({**nameless, "id": "1"}, source=source))
        others = await hooks.send(native({**EVENT, "account": "elsewhere", "id": "2"}, source=source))
        foreign = await hooks.send(native({"contactId": "c", "eventType": "COMPLETED"}, source=source))

        assert own.json()["accepted"] == 1
        assert await hooks.running.rows("select account from event") == [{"account": "main"}]
        assert (others.status_code, others.json()["errors"]) == (422, [{"path": "account", "reason": "not_your_account"}])
        assert foreign.status_code == 422
        assert await hooks.stored() == 1


async def test_what_cannot_be_read_is_answered_by_its_field_and_the_rest_is_stored(ingest_database: str) -> None:
    async with posting(ingest_database, NATIVE) as hooks:
        nothing = await hooks.send(native({**EVENT, "contact": None}))
        broken = await hooks.send(standard(NATIVE, body=b"{"))
        partly = await hooks.send(native(EVENT, {**EVENT, "id": "2", "contact": None}))
        known_otherwise = await hooks.send(native({**EVENT, "queue": "q-2"}))

        assert (nothing.status_code, nothing.json()["errors"]) == (422, [{"path": "contact", "reason": "missing"}])
        assert (broken.status_code, broken.json()["errors"]) == (422, [{"path": "", "reason": "invalid_json"}])
        assert (partly.status_code, partly.json()["accepted"], len(partly.json()["rejected"])) == (202, 1, 1)
        assert (known_otherwise.status_code, known_otherwise.json()["rejected"][0]["reason"]) == (202, "conflict")
        assert await hooks.stored() == 1
        assert await hooks.unread() == [("missing", "contact")]


@pytest.mark.parametrize("sign", [ringcentral, zendesk, intercom])
async def test_a_platform_that_stops_when_it_is_refused_hears_of_a_bad_body_in_a_202(ingest_database: str, sign: Any) -> None:
    async with posting(ingest_database, sign().source) as hooks:
        answer = await hooks.send(sign(body=b"{"))

        assert (answer.status_code, answer.json()["rejected"]) == (202, [{"index": 0, "path": None, "reason": "invalid_json"}])
        assert await hooks.unread() == [("invalid_json", None)]


async def test_what_was_kept_unread_is_replayed_as_from_its_own_source(ingest_database: str) -> None:
    event = {name: value for name, value in EVENT.items() if name not in ("account", "at")}
    source = NATIVE.model_copy(update={"account": "north", "accounts": ["north"], "zone": "America/Denver", "channel": "phone"})
    async with posting(ingest_database, source) as hooks:
        sent = native({**EVENT, "account": "north", "id": "whole"}, {**event, "id": "1", "contact": None}, source=source)
        assert (await hooks.send(sent)).json()["accepted"] == 1
        (letter,) = await hooks.running.rows("select id from dead_letter")
        door = hooks.running.deps.door
        replays = Replays(hooks.running.database, door.sealer, dict.fromkeys(door.topics, door))
        mended = json.dumps({**event, "id": "1", "contact": "c-mended", "at": "2027-05-11 08:00:00"})
        assert await replay_one(replays, letter["id"], mended, who=CommandLine()) == Outcome(taken=True)

        (found,) = await hooks.running.rows("select account, at, facts from event where root = 'c-mended'")
        assert (found["account"], found["at"]) == ("north", datetime(2027, 5, 11, 14, tzinfo=UTC))
        assert (found["facts"]["channel"], "clock" in found["facts"]) == ("phone", False)


async def test_what_is_kept_unread_says_how_it_is_read_and_nothing_of_its_senders_key(ingest_database: str) -> None:
    source = a_source("native", check="key", secrets=[])
    async with posting(ingest_database, source) as hooks:
        key = await create_key(hooks.running.database, NewKey("bridge", ["platform"], account="main"))
        headers = {"authorization": f"Bearer {key}", "cookie": "a=b", "content-type": "application/cloudevents-batch+json"}
        sent = Sent(source, json.dumps([EVENT, {**EVENT, "id": "2", "contact": None}]).encode())
        answer = await hooks.send(sent, **headers)

        assert (answer.status_code, answer.json()["accepted"], len(answer.json()["rejected"])) == (202, 1, 1)
        (letter,) = await hooks.running.rows("select headers from dead_letter")
        kept = {name: bytes.fromhex(value).decode() for name, value in letter["headers"]}
        assert kept == {"content-type": headers["content-type"], "aftercall-account": "main"}


@pytest.mark.parametrize("sign", [twilio_json, segment, chatwoot])
async def test_the_others_hear_of_it_in_a_422(ingest_database: str, sign: Any) -> None:
    async with posting(ingest_database, sign().source) as hooks:
        assert (await hooks.send(sign(body=b"{"))).status_code == 422


async def test_a_form_of_twilio_is_read_by_its_fields(ingest_database: str) -> None:
    async with posting(ingest_database, a_source("twilio")) as hooks:
        first = await hooks.send(twilio_form(form=CALLBACK))
        again = await hooks.send(twilio_form(form=CALLBACK))
        without_type = await hooks.client.post(
            "/v1/webhooks/twilio/main?tenant=a+b",
            content=urlencode(CALLBACK).encode(),
            headers={"X-Twilio-Signature": twilio_form(form=CALLBACK).headers["X-Twilio-Signature"]},
        )

        assert (first.status_code, first.json()["accepted"]) == (202, 1)
        assert [each.json()["duplicate"] for each in (again, without_type)] == [1, 1]
        (stored,) = await hooks.running.rows("select platform, account, root, kind, facts from event")
        assert (stored["platform"], stored["account"], stored["root"], stored["kind"]) == ("twilio", "AC01", "WT01", "started")
        assert stored["facts"]["channel"] == "phone"


async def test_json_of_twilio_is_read_as_it_is(ingest_database: str) -> None:
    event = {
        "specversion": "1.0", "id": "EV02", "source": "/twilio", "type": "com.twilio.taskrouter.task.created",
        "data": {"payload": {"task_sid": "WT02", "account_sid": "AC01", "timestamp": AT.isoformat()}},
    }  # fmt: skip
    async with posting(ingest_database, a_source("twilio")) as hooks:
        body = json.dumps([event, {**event, "id": "EV03"}]).encode()

        assert (await hooks.send(twilio_json(body=body))).json()["accepted"] == 2


async def test_ringcentrals_handshake_is_answered_before_any_token_is_asked_for() -> None:
    async with posting(NOWHERE, a_source("ringcentral", path="r" * 30)) as hooks:
        path = "/v1/webhooks/ringcentral/" + "r" * 30
        answer = await hooks.client.post(path, headers={"Validation-Token": "d1b2-c3"})
        elsewhere = await hooks.client.post("/v1/webhooks/ringcentral", headers={"Validation-Token": "d1b2-c3"})

        told = answer.headers
        assert (answer.status_code, told["validation-token"], told["content-type"]) == (200, "d1b2-c3", "application/json")
        assert (elsewhere.status_code, "validation-token" in elsewhere.headers) == (401, False)


async def test_intercoms_ping_is_taken_and_its_look_at_the_address_answered(ingest_database: str) -> None:
    ping = {"type": "notification_event", "id": None, "topic": "ping", "app_id": "a1", "data": {"item": {"type": "ping"}}}
    async with posting(ingest_database, a_source("intercom")) as hooks:
        answer = await hooks.send(intercom(body=json.dumps(ping).encode()))

        assert (await hooks.client.head("/v1/webhooks/intercom")).status_code == 200
        assert (answer.status_code, answer.json()["ignored"]) == (202, 1)


async def test_an_unsigned_chatwoot_is_believed_under_its_path_alone(ingest_database: str) -> None:
    source = a_source("chatwoot", secrets=[], unsigned_allowed=True, path="c" * 30)
    body = json.dumps({"event": "conversation_typing_on"}).encode()
    async with posting(ingest_database, source) as hooks:
        by_path = await hooks.client.post("/v1/webhooks/chatwoot/" + "c" * 30, content=body)
        answers = [await hooks.client.post(path, content=body) for path in ("/v1/webhooks/chatwoot", "/v1/webhooks/chatwoot/main")]

        assert by_path.status_code == 202
        assert [each.status_code for each in answers] == [401, 401]


@pytest.mark.parametrize(("scopes", "status"), [(("platform",), 202), (("crm",), 401), ((), 401)])
async def test_a_source_may_show_a_key_of_ours(ingest_database: str, scopes: Sequence[str], status: int) -> None:
    source = a_source("native", check="key", secrets=[])
    async with posting(ingest_database, source) as hooks:
        headers = await hooks.running.key(*scopes) if scopes else {"authorization": "Bearer ak_0_0"}

        assert (await hooks.client.post("/v1/webhooks/native", json=EVENT, headers=headers)).status_code == status
        assert (await hooks.client.post("/v1/webhooks/native", json=EVENT)).status_code == 401


async def test_a_key_of_another_account_does_not_speak_for_this_one(ingest_database: str) -> None:
    async with posting(ingest_database, a_source("native", check="key", secrets=[])) as hooks:
        headers = await hooks.running.key("platform", platform="native", account="elsewhere")

        assert (await hooks.client.post("/v1/webhooks/native", json=EVENT, headers=headers)).status_code == 422


async def test_sns_is_confirmed_and_then_read(ingest_database: str) -> None:
    inner = {"version": "0", "id": "eb-1", "detail-type": "Amazon Connect Contact Event", "source": "aws.connect", "account": "1",
             "time": AT.isoformat(), "detail": {"contactId": "c-9", "eventType": "INITIATED", "channel": "VOICE",
             "instanceArn": "arn:aws:connect:eu-west-1:1:instance/i-1", "initiationTimestamp": "2026-11-20T14:59:00.000Z"}}  # fmt: skip
    async with posting(ingest_database, amazon.SOURCE) as hooks:

        async def send(said: Json) -> httpx.Response:
            return await hooks.client.post("/v1/webhooks/amazon-connect", content=json.dumps(said), headers={"content-type": "text/plain"})

        confirmed = await send(amazon.message("SubscriptionConfirmation"))
        first, again = [await send(amazon.message(version="2", Message=json.dumps(inner))) for _ in range(2)]
        forged = await send({**amazon.message(), "Message": json.dumps({**inner, "id": "eb-2"})})
        ended = await send(amazon.message("UnsubscribeConfirmation"))

        assert (confirmed.status_code, confirmed.json()) == (200, {"subscription": "confirmed"})
        assert hooks.amazon.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]
        assert (first.json()["accepted"], again.json()["duplicate"], forged.status_code) == (1, 1, 401)
        assert ended.json() == {"subscription": "ended"}
        assert await hooks.stored() == 1


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (amazon.message("SubscriptionConfirmation", TopicArn=amazon.TOPIC + "-of-others"), []),
        (
            amazon.message("SubscriptionConfirmation", SubscribeURL="https://elsewhere.example/?Action=ConfirmSubscription"),
            [CERTIFICATE_URL],
        ),
        (amazon.message("SubscriptionConfirmation", which=2), [CERTIFICATE_URL]),
    ],
)
async def test_no_subscription_is_confirmed_but_of_our_topics_at_amazon(said: Json, asked: list[str]) -> None:
    async with posting(NOWHERE, amazon.SOURCE) as hooks:
        answer = await hooks.client.post("/v1/webhooks/amazon-connect", json=said)

        assert (answer.status_code, hooks.amazon.asked) == (401, asked)


async def test_amazon_away_is_a_matter_of_later() -> None:
    async with posting(NOWHERE, amazon.SOURCE) as hooks:
        hooks.amazon.answers = {}
        unknown = await hooks.client.post("/v1/webhooks/amazon-connect", json=amazon.message())
        hooks.amazon.answers = {CERTIFICATE_URL: amazon.ok(amazon.certificate()), SUBSCRIBE_URL: Reply(500, {}, b"")}
        unconfirmed = await hooks.client.post("/v1/webhooks/amazon-connect", json=amazon.message("SubscriptionConfirmation"))

        assert [(each.status_code, each.headers["retry-after"]) for each in (unknown, unconfirmed)] == [(503, "2")] * 2


async def test_too_large_a_body_is_refused_before_anything_is_read() -> None:
    async with posting(NOWHERE, NATIVE, body_limit=1_000) as hooks:
        answer = await hooks.send(standard(NATIVE, body=b"1" * 1_001))

        assert (answer.status_code, hooks.refused("native", "signature")) == (413, 0)


async def test_a_source_over_its_rate_waits_and_strangers_cannot_use_it_up(ingest_database: str) -> None:
    """Twice the rate in a burst, and hardly one more while it is used up."""
    source, other = NATIVE.model_copy(update={"rate": 2.0}), a_source("segment")
    async with posting(ingest_database, source, other) as hooks:
        for _ in range(20):
            await hooks.send(replace(native(EVENT), body=b"{}"))
        answers = [await hooks.send(native(EVENT)) for _ in range(12)]
        over = [each for each in answers if each.status_code == 429]

        assert [each.status_code for each in answers[:4]] == [202] * 4
        assert over
        assert {each.headers["retry-after"] for each in over} == {"1"}
        assert hooks.refused("native", "rate") == len(over)
        assert (await hooks.send(segment())).status_code == 202


async def test_without_the_database_the_sender_is_asked_to_come_again() -> None:
    async with posting(NOWHERE, NATIVE, a_source("ringcentral")) as hooks:
        answer = await hooks.send(native(EVENT))
        handshake = await hooks.client.post("/v1/webhooks/ringcentral", headers={"Validation-Token": "t"})
        forged = await hooks.send(replace(native(EVENT), body=b"{}"))

        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (handshake.status_code, forged.status_code) == (200, 401)


async def test_nothing_of_a_webhook_stands_in_a_log_or_a_metric(ingest_database: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    path, canary = "q" * 30, "+15550109999"
    source = a_source("native", check="standard", secrets=[STANDARD_SECRET], path=path, name="hidden")
    async with posting(ingest_database, source) as hooks:
        sent = native({**EVENT, "contact": None, "customer": {"phone": canary}}, source=source)
        answers = [await hooks.send(each, f"/v1/webhooks/native/{path}?who={canary}") for each in (sent, replace(sent, body=b"{}"))]
        metrics = (await httpx.AsyncClient(transport=httpx.ASGITransport(hooks.running.service.internal)).get("http://x/metrics")).text

        logged = [str(each.__dict__) for each in caplog.records if each.name.startswith("aftercall")]
        said = "".join([*logged, metrics, *(each.text for each in answers)])
        assert logged
        assert [each.status_code for each in answers] == [422, 401]
        for secret in (path, canary, STANDARD_SECRET, TEXT_SECRET):
            assert secret not in said


OWN_WORDS = {
    "zendesk/ticket-status-changed-solved": zendesk,
    "chatwoot/conversation-status-changed-resolved-minimal": chatwoot,
    "intercom/webhook-conversation-admin-closed": intercom,
    "ringcentral/telephony-session-answered-inbound": ringcentral,
    "segment/live-chat-conversation-ended": segment,
    "twilio/invented-call-completed": twilio_json,
}


async def test_each_platforms_own_words_are_stored_once_however_often_they_come(ingest_database: str) -> None:
    sources = [replace_name(sign().source, name) for name, sign in zip("abcdef", OWN_WORDS.values(), strict=True)]
    async with posting(ingest_database, *sources) as hooks:
        for (file, sign), source in zip(OWN_WORDS.items(), sources, strict=True):
            body = (Path(__file__).parent / "fixtures" / f"{file}.json").read_bytes()
            before = await hooks.stored()
            first, again = [(await hooks.send(sign(source, body=body))).json() for _ in range(2)]
            events = await hooks.stored() - before

            assert events >= 1, file
            assert first == {"accepted": events, "duplicate": 0, "ignored": 0, "rejected": []}, file
            assert again == {"accepted": 0, "duplicate": events, "ignored": 0, "rejected": []}, file


def replace_name(source: Source, name: str) -> Source:
    return source.model_copy(update={"name": name})
