"""Requests signed as each platform signs them: by the vendors' own libraries where there are some, else by the rules they publish."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import standardwebhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from slack_sdk.signature import Clock, SignatureVerifier
from twilio.request_validator import RequestValidator

from ingest.intake.signatures.posted import Posted
from ingest.intake.signatures.source import Source

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
BASE = "https://hooks.example.com"
TEXT_SECRET = "b7c1f0e2d9a84536"
STANDARD_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC_KEY = "whpk_" + base64.b64encode(_SIGNER.public_key().public_bytes_raw()).decode()
SHARED_KEY = "webhooks_sharedkey_01"
JSON_BODY = json.dumps({"id": "ev-1", "name": "Zoë", "nested": {"a": [1, 2.5, None]}}, ensure_ascii=False).encode()
FORM = [("StateTo", "closed"), ("Body", " two  spaces + plus "), ("Tag", "b"), ("Tag", "a"), ("Empty", ""), ("ä", "é&=%")]


@dataclass(frozen=True)
class Sent:
    """A request for `source`; `headers` are single."""

    source: Source
    body: bytes = JSON_BODY
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    at: datetime = AT

    @property
    def path(self) -> str:
        return f"/v1/webhooks/{self.source.platform}/{self.source.name}"

    @property
    def posted(self) -> Posted:
        return Posted(self.body, {name.lower(): [value] for name, value in self.headers.items()}, self.path, self.query)

    def with_header(self, name: str, *values: str) -> Posted:
        posted = self.posted
        kept: dict[str, Sequence[str]] = {**posted.headers, name.lower(): values}
        return replace(posted, headers={each: said for each, said in kept.items() if said})


def a_source(platform: str, **given: Any) -> Source:
    return Source.model_validate({"name": "main", "platform": platform, "public_url": BASE, "secrets": [TEXT_SECRET], **given})


def twilio_form(
    source: Source | None = None, *, form: Sequence[tuple[str, str]] = FORM, query: str = "tenant=a+b", base: str = BASE
) -> Sent:
    sent = Sent(source or a_source("twilio"), urlencode(form).encode(), query=query)
    told = RequestValidator(sent.source.secrets[0]).compute_signature(f"{base}{sent.path}?{query}", _Many(form))
    return replace(sent, headers={"X-Twilio-Signature": told, "Content-Type": "application/x-www-form-urlencoded"})


def twilio_json(source: Source | None = None, *, body: bytes = JSON_BODY) -> Sent:
    query = f"a=1&bodySHA256={hashlib.sha256(body).hexdigest()}"
    sent = Sent(source or a_source("twilio"), body, query=query)
    told = RequestValidator(sent.source.secrets[0]).compute_signature(f"{BASE}{sent.path}?{query}", {})
    return replace(sent, headers={"X-Twilio-Signature": told})


def twilio_shared_key() -> Sent:
    sent = Sent(a_source("twilio", shared_keys={SHARED_KEY: TEXT_SECRET}, secrets=[]), urlencode(FORM).encode())
    told = RequestValidator(TEXT_SECRET).compute_signature(f"{BASE}{sent.path}", _Many(FORM), "HMAC_SHA256")
    named = f"key={SHARED_KEY},algorithm=HMAC_SHA256"
    return replace(sent, headers={"X-Twilio-Signature": told, "X-Twilio-Webhooks-Signature-Settings": named})


def standard(source: Source | None = None, *, body: bytes = JSON_BODY, at: datetime = AT, message: str = "msg_1") -> Sent:
    sent = Sent(source or a_source("native", check="standard", secrets=[STANDARD_SECRET]), body, at=at)
    told = standardwebhooks.Webhook(sent.source.secrets[0]).sign(message, at, body.decode())
    return replace(sent, headers=_standard_headers(message, at, told))


def standard_by_public_key(*, at: datetime = AT) -> Sent:
    sent = Sent(a_source("native", check="standard", secrets=[PUBLIC_KEY]), at=at)
    told = _SIGNER.sign(f"msg_1.{int(at.timestamp())}.".encode() + sent.body)
    return replace(sent, headers=_standard_headers("msg_1", at, f"v1,AAAA v1a,{base64.b64encode(told).decode()}"))


def zendesk(source: Source | None = None, *, body: bytes = JSON_BODY, at: datetime = AT, secret: str = TEXT_SECRET) -> Sent:
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()).decode()
    headers = {"X-Zendesk-Webhook-Signature": told, "X-Zendesk-Webhook-Signature-Timestamp": stamp}
    return Sent(source or a_source("zendesk"), body, headers, at=at)


def intercom(source: Source | None = None, *, body: bytes = JSON_BODY) -> Sent:
    told = hmac.new(TEXT_SECRET.encode(), body, hashlib.sha1).hexdigest()
    return Sent(source or a_source("intercom"), body, {"X-Hub-Signature": f"sha1={told}"})


def chatwoot(source: Source | None = None, *, body: bytes = JSON_BODY, at: datetime = AT, delivery: str = "d-1") -> Sent:
    stamp = str(int(at.timestamp()))
    told = hmac.new(TEXT_SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-Chatwoot-Signature": f"sha256={told}", "X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Delivery": delivery}
    return Sent(source or a_source("chatwoot"), body, headers, at=at)


def ringcentral(source: Source | None = None, *, body: bytes = JSON_BODY) -> Sent:
    return Sent(source or a_source("ringcentral"), body, {"Verification-Token": TEXT_SECRET})


def segment(source: Source | None = None, *, body: bytes = JSON_BODY) -> Sent:
    return Sent(source or a_source("segment"), body, {"X-Signature": hmac.new(TEXT_SECRET.encode(), body, hashlib.sha1).hexdigest()})


def slack(*, at: datetime = AT) -> Sent:
    stamp = str(int(at.timestamp()))
    told = SignatureVerifier(TEXT_SECRET, Clock()).generate_signature(timestamp=stamp, body=JSON_BODY)
    assert told
    return Sent(a_source("slack"), headers={"X-Slack-Signature": told, "X-Slack-Request-Timestamp": stamp}, at=at)


Signer = Callable[..., Sent]

SIGNERS: Mapping[str, Signer] = {
    "twilio-form": twilio_form,
    "twilio-json": twilio_json,
    "twilio-shared-key": twilio_shared_key,
    "standard": standard,
    "standard-v1a": standard_by_public_key,
    "zendesk": zendesk,
    "intercom": intercom,
    "chatwoot": chatwoot,
    "ringcentral": ringcentral,
    "segment": segment,
    "slack": slack,
}
TIMED: Mapping[str, Signer] = {
    "standard": standard,
    "standard-v1a": standard_by_public_key,
    "zendesk": zendesk,
    "chatwoot": chatwoot,
    "slack": slack,
}


class _Many(dict[str, list[str]]):
    """A form as the vendor's library takes it from a framework."""

    def __init__(self, form: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        for name, value in form:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _standard_headers(message: str, at: datetime, told: str) -> dict[str, str]:
    return {"webhook-id": message, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": told}
