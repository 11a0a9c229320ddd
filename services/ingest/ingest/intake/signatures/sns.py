"""Amazon SNS: RSA over some of the message's own fields, by a certificate that the message names. Nothing is timed.

The certificate must come from SNS in the region of the topic, and the topic must be one of ours, before anything is fetched.
Who issued it is not asked: it comes over TLS from that very host, which is what vouches for it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ingest.intake.signatures.posted import Posted, Untrusted, canonical_base64
from ingest.intake.signatures.source import Source
from ingest.normalise.decode import Document, decode
from ingest.normalise.unreadable import Unreadable

NOTIFICATION, SUBSCRIPTION, UNSUBSCRIPTION = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: _CONFIRMATION,
    UNSUBSCRIPTION: _CONFIRMATION,
}
_OPTIONAL = "Subject"
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
_CERTIFICATE_PATH = re.compile(r"/[A-Za-z0-9._-]{1,200}\.pem", re.ASCII)
_RAW = "x-amz-sns-rawdelivery"
Extension = TypeVar("Extension", x509.SubjectAlternativeName, x509.BasicConstraints)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of a topic of ours, not yet believed. `certificate_url` is safe to fetch."""

    kind: str
    fields: Document
    topic: str
    certificate_url: str

    @property
    def id(self) -> str:
        return _text(self.fields, "MessageId")

    @property
    def signed_fields(self) -> Document:
        """What the signature covers: attributes and the rest are anybody's."""
        return {name: self.fields[name] for name in _SIGNED[self.kind] if name in self.fields}

    @property
    def subscribe_url(self) -> str:
        """Where to confirm. Raises `Untrusted` where that is not SNS in the topic's region, or another topic."""
        url, asked = _text(self.fields, "SubscribeURL"), {"Action": ["ConfirmSubscription"], "TopicArn": [self.topic]}
        lead = f"https://{_host(self.topic)}/?"
        query = parse_qs(url.removeprefix(lead))
        if not url.startswith(lead) or any(query.get(name) != value for name, value in asked.items()):
            raise Untrusted("subscribe_url")
        return url


def notice_of(posted: Posted, source: Source) -> Notice:
    """Raises `Untrusted` for what is no message of a topic of ours, or names a certificate from elsewhere."""
    if posted.has(_RAW):
        raise Untrusted("raw_delivery")
    try:
        fields = decode(posted.body)
    except Unreadable:
        raise Untrusted("malformed") from None
    if not isinstance(fields, dict):
        raise Untrusted("malformed")
    kind, topic = _text(fields, "Type"), _text(fields, "TopicArn")
    if kind not in _SIGNED:
        raise Untrusted("malformed")
    if topic not in source.topics:
        raise Untrusted("topic")
    return Notice(kind, fields, topic, _certificate_url(fields, topic))


def check(notice: Notice, certificate: bytes, at: datetime) -> None:
    """By the certificate (PEM) that was at `certificate_url`. Raises `Untrusted`."""
    algorithm = _HASHES.get(_text(notice.fields, "SignatureVersion"))
    if algorithm is None:
        raise Untrusted("signature_version")
    key = _key_of(certificate, notice.topic, at)
    try:
        key.verify(canonical_base64(_text(notice.fields, "Signature")), signed_text(notice), PKCS1v15(), algorithm())
    except InvalidSignature:
        raise Untrusted("signature") from None


def signed_text(notice: Notice) -> bytes:
    """Name and value of each signed field on a line of its own; a subject only where there is one."""
    lines = [
        f"{name}\n{_text(notice.fields, name)}\n"
        for name in _SIGNED[notice.kind]
        if name != _OPTIONAL or notice.fields.get(name) is not None
    ]
    return "".join(lines).encode()


def _host(topic: str) -> str:
    _, partition, _, region, *_ = topic.split(":")
    return f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")


def _certificate_url(fields: Document, topic: str) -> str:
    """Text that is compared whole leaves no room for ports, user-info, other hosts or odd spellings of this one."""
    url = _text(fields, "SigningCertURL")
    lead = f"https://{_host(topic)}"
    if not url.startswith(f"{lead}/") or not _CERTIFICATE_PATH.fullmatch(url.removeprefix(lead)):
        raise Untrusted("certificate_url")
    return url


def _key_of(certificate: bytes, topic: str, at: datetime) -> RSAPublicKey:
    """Of a file that holds SNS' own certificate and no other: which of several is meant would be a guess."""
    try:
        (found,) = x509.load_pem_x509_certificates(certificate)
        key, names, signs_others = found.public_key(), _names_in(found), _signs_others(found)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise Untrusted("certificate") from None
    right = names & {"sns.amazonaws.com", _host(topic), _host(topic).replace("sns.", "sns-signing.", 1)}
    today = found.not_valid_before_utc <= at <= found.not_valid_after_utc
    if not right or not today or signs_others or not isinstance(key, RSAPublicKey):
        raise Untrusted("certificate")
    return key


def _names_in(certificate: x509.Certificate) -> set[str]:
    common = {str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
    other = _extension(certificate, x509.SubjectAlternativeName)
    return common | set(other.get_values_for_type(x509.DNSName) if other else ())


def _signs_others(certificate: x509.Certificate) -> bool:
    """An authority's certificate signs certificates, not messages."""
    constraints = _extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _text(fields: Document, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or (not value and name not in {"Message", _OPTIONAL}):
        raise Untrusted("malformed")
    return value
