"""Amazon SNS as far as a subscriber sees it: a certificate of its own, messages signed by it, and the client it is fetched with."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding

from ingest.intake.signatures.posted import Posted
from shared.runtime.outbound import Failed, Reply
from tests.support.signing import AT, a_source

REGION = "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:123456789012:contacts"
HOST = f"https://sns.{REGION}.amazonaws.com"
CERTIFICATE_URL = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
SOURCE = a_source("amazon-connect", check="sns", secrets=[], topics=[TOPIC])
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@lru_cache
def key(which: int = 0) -> rsa.RSAPrivateKey:
    """Made once: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache
def certificate(
    name: str = "sns.amazonaws.com",
    *,
    alternative: str | None = None,
    begins: datetime = AT - timedelta(days=90),
    which: int = 0,
    authority: bool | None = None,
) -> bytes:
    """PEM, valid for 180 days, signed by a certificate authority of the test's. `authority`: whether it says to be one itself."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A test's certificate authority")])
    made = x509.CertificateBuilder(issuer, subject, key(which).public_key(), 7, begins, begins + timedelta(days=180))
    if alternative:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(alternative)]), critical=False)
    if authority is not None:
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return made.sign(key(1), hashes.SHA256()).public_bytes(Encoding.PEM)


def certificate_of_another_kind() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = ec.generate_private_key(ec.SECP256R1())
    built = x509.CertificateBuilder(name, name, made.public_key(), 7, AT - timedelta(days=1), AT + timedelta(days=1))
    return built.sign(made, hashes.SHA256()).public_bytes(Encoding.PEM)


def message(kind: str = "Notification", *, version: str = "1", which: int = 0, **changed: Any) -> dict[str, Any]:
    """Signed as it is; a field changed to None is absent."""
    said: dict[str, Any] = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": '{"hello": "wörld"}',
        "Timestamp": "2026-11-20T15:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe",
        **({} if kind == "Notification" else {"Token": "2336412f37", "SubscribeURL": SUBSCRIBE_URL}),
        **changed,
    }
    said = {name: value for name, value in said.items() if value is not None}
    names = _NOTIFICATION if kind == "Notification" else _CONFIRMATION
    text = "".join(f"{name}\n{said[name]}\n" for name in names if name in said)
    algorithm = {"1": hashes.SHA1, "2": hashes.SHA256}.get(version, hashes.SHA256)
    told = key(which).sign(text.encode(), PKCS1v15(), algorithm())
    return {**said, "Signature": base64.b64encode(told).decode()}


def posted(said: dict[str, Any]) -> Posted:
    return Posted(json.dumps(said).encode(), {"content-type": ["text/plain; charset=UTF-8"]}, "/v1/webhooks/amazon-connect")


@dataclass
class FakeAmazon:
    """Keeps the guarded client's promise: `answers` by address, or no reply at all. `asked` are the addresses fetched, in order."""

    answers: dict[str, Reply] = field(default_factory=lambda: {CERTIFICATE_URL: ok(certificate()), SUBSCRIBE_URL: ok(b"<xml/>")})
    asked: list[str] = field(default_factory=list)

    async def request(self, method: str, url: str, *, timeout: float) -> Reply:  # noqa: ASYNC109  # as the real one
        assert method == "GET"
        self.asked.append(url)
        if url not in self.answers:
            raise Failed("name_not_found")
        return self.answers[url]


def ok(body: bytes) -> Reply:
    return Reply(200, {}, body)
