"""Amazon SNS: which messages we believe, and what we fetch for them."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ingest.intake.clients import MOST_KEPT, AmazonAway, AmazonSns
from ingest.intake.signatures import sns
from ingest.intake.signatures.posted import Untrusted
from shared.runtime.outbound import Reply
from tests.support.amazon import (
    CERTIFICATE_URL,
    HOST,
    REGION,
    SOURCE,
    SUBSCRIBE_URL,
    TOPIC,
    FakeAmazon,
    certificate,
    certificate_of_another_kind,
    message,
    ok,
    posted,
)
from tests.support.signing import AT

CHINA = "arn:aws-cn:sns:cn-north-1:123456789012:contacts"


def why_not(said: dict[str, Any], *, by: bytes | None = None, at: datetime = AT) -> str | None:
    """The reason why it is not believed; None where it is."""
    try:
        sns.check(sns.notice_of(posted(said), SOURCE), by or certificate(), at)
    except Untrusted as why:
        return why.reason
    return None


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_what_sns_signs_is_believed(kind: str, version: str) -> None:
    assert why_not(message(kind, version=version)) is None


@pytest.mark.parametrize("subject", ["A call ended", "", None])
def test_a_subject_is_signed_where_there_is_one(subject: str | None) -> None:
    assert why_not(message(Subject=subject)) is None
    assert why_not({**message(Subject=subject), "Subject": "Another"}) == "signature"


def test_a_subject_that_is_null_is_none() -> None:
    assert why_not({**message(), "Subject": None}) is None


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "SubscribeURL", "Token", "Type", "Signature"])
def test_no_signed_field_that_differs_by_a_bit_is_believed(field: str) -> None:
    said = message("SubscriptionConfirmation")
    value = said[field]
    for place in range(len(value) * 7):
        at, bit = divmod(place, 7)
        changed = value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :]
        assert why_not({**said, field: changed}) in {"signature", "malformed"}


def test_only_what_is_signed_is_read() -> None:
    said = {**message(), "MessageAttributes": {"InstanceId": {"Type": "String", "Value": "somebody else's"}}}
    notice = sns.notice_of(posted(said), SOURCE)

    assert notice.signed_fields.keys() == {"Message", "MessageId", "Timestamp", "TopicArn", "Type"}


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.{REGION}.amazonaws.com/a.pem",
        f"https://sns.{REGION}.amazonaws.com:443/a.pem",
        f"https://sns.{REGION}.amazonaws.com:8443/a.pem",
        f"https://joe@sns.{REGION}.amazonaws.com/a.pem",
        f"https://sns.{REGION}.amazonaws.com@evil.example/a.pem",
        f"https://sns.{REGION}.amazonaws.com.evil.example/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.s3.amazonaws.com/a.pem",
        f"https://SNS.{REGION}.amazonaws.com/a.pem",
        f"https://sns.{REGION}.amazonaws.com/a.pem?x=.pem",
        f"https://sns.{REGION}.amazonaws.com/a.pem#.pem",
        f"https://sns.{REGION}.amazonaws.com/a.txt",
        f"https://sns.{REGION}.amazonaws.com/../a.pem",
        f"https://sns.{REGION}.amazonaws.com\\a.pem",
        f"https://sns.{REGION}.amazonaws.com/a.pem\n",
        "//a.pem",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(url: str) -> None:
    with pytest.raises(Untrusted) as why:
        sns.notice_of(posted(message(SigningCertURL=url)), SOURCE)

    assert why.value.reason == ("certificate_url" if url else "malformed")


def test_in_china_the_host_is_another() -> None:
    source = SOURCE.model_copy(update={"topics": [CHINA]})
    url = "https://sns.cn-north-1.amazonaws.com.cn/a.pem"

    assert sns.notice_of(posted(message(TopicArn=CHINA, SigningCertURL=url)), source).certificate_url == url


@pytest.mark.parametrize("version", ["0", "3", "", "1.0", None])
def test_another_version_of_the_signature_is_refused(version: str | None) -> None:
    said = {**message(), "SignatureVersion": version}

    assert why_not(said) in {"signature_version", "malformed"}


def test_a_signature_of_one_version_is_none_of_the_other() -> None:
    assert why_not({**message(version="1"), "SignatureVersion": "2"}) == "signature"


def test_a_topic_that_is_not_ours_is_refused_however_well_it_is_signed() -> None:
    assert why_not(message(TopicArn=f"arn:aws:sns:{REGION}:123456789012:others")) == "topic"


@pytest.mark.parametrize(
    ("by", "at", "said"),
    [
        (certificate(), AT, None),
        (certificate("elsewhere", alternative="sns.amazonaws.com"), AT, None),
        (certificate(f"sns-signing.{REGION}.amazonaws.com"), AT, None),
        (certificate("sns-signing.us-east-1.amazonaws.com"), AT, "certificate"),
        (certificate("evil.example"), AT, "certificate"),
        (certificate(), AT + timedelta(days=91), "certificate"),
        (certificate(), AT - timedelta(days=91), "certificate"),
        (certificate(which=2), AT, "signature"),
        (certificate_of_another_kind(), AT, "certificate"),
        (certificate(authority=False), AT, None),
        (certificate(authority=True), AT, "certificate"),
        (certificate() + certificate(), AT, "certificate"),
        (certificate() + certificate("Amazon Root CA 1", authority=True), AT, "certificate"),
        (certificate("evil.example") + certificate(), AT, "certificate"),
        (certificate("sns.amazonaws.com.evil.example"), AT, "certificate"),
        (certificate("*.amazonaws.com"), AT, "certificate"),
        (b"\n", AT, "certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", AT, "certificate"),
        (b"<html>", AT, "certificate"),
    ],
)
def test_a_certificate_is_one_of_sns_and_of_today(by: bytes, at: datetime, said: str | None) -> None:
    assert why_not(message(), by=by, at=at) == said


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"Type": 7}', b'{"Type": "Other", "TopicArn": "x"}', b'{"a":1,"a":2}'])
def test_what_is_no_message_of_sns_is_refused(body: bytes) -> None:
    with pytest.raises(Untrusted, match="malformed"):
        sns.notice_of(replace(posted({}), body=body), SOURCE)


def test_raw_delivery_carries_no_signature_and_is_refused() -> None:
    raw = posted(message())

    with pytest.raises(Untrusted, match="raw_delivery"):
        sns.notice_of(replace(raw, headers={**raw.headers, "x-amz-sns-rawdelivery": ["true"]}), SOURCE)


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.{REGION}.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=1",
        f"https://evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=1",
        f"{HOST}/?Action=Publish&TopicArn={TOPIC}&Message=1",
        f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}s&Token=1",
        f"{HOST}/x?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=1",
        f"{HOST}/?Action=ConfirmSubscription&Action=Publish&TopicArn={TOPIC}&Token=1",
    ],
)
def test_only_a_confirmation_of_our_own_topic_is_visited(url: str) -> None:
    notice = sns.notice_of(posted(message("SubscriptionConfirmation", SubscribeURL=url)), SOURCE)

    with pytest.raises(Untrusted, match="subscribe_url"):
        assert notice.subscribe_url


async def test_a_certificate_is_fetched_once() -> None:
    fake = FakeAmazon()
    amazon = AmazonSns(fake)

    assert await amazon.certificate(CERTIFICATE_URL) == await amazon.certificate(CERTIFICATE_URL)
    assert fake.asked == [CERTIFICATE_URL]


async def test_that_there_is_no_certificate_is_remembered() -> None:
    fake = FakeAmazon({CERTIFICATE_URL: Reply(404, {}, b"")})
    amazon = AmazonSns(fake)
    for _ in range(3):
        with pytest.raises(Untrusted, match="certificate"):
            await amazon.certificate(CERTIFICATE_URL)

    assert fake.asked == [CERTIFICATE_URL]


@pytest.mark.parametrize("answers", [{}, {CERTIFICATE_URL: Reply(503, {}, b"")}, {CERTIFICATE_URL: Reply(429, {}, b"")}])
async def test_that_amazon_does_not_answer_is_nobodys_fault_and_not_remembered(answers: dict[str, Reply]) -> None:
    fake = FakeAmazon(answers)
    amazon = AmazonSns(fake)
    with pytest.raises(AmazonAway):
        await amazon.certificate(CERTIFICATE_URL)
    fake.answers = {CERTIFICATE_URL: ok(certificate())}

    assert await amazon.certificate(CERTIFICATE_URL) == certificate()


async def test_forged_messages_make_us_neither_fetch_without_end_nor_forget_what_we_have() -> None:
    fake = FakeAmazon()
    amazon = AmazonSns(fake)
    await amazon.certificate(CERTIFICATE_URL)
    for n in range(MOST_KEPT * 3):
        fake.answers[f"{HOST}/{n}.pem"] = Reply(403, {}, b"")
        with pytest.raises((Untrusted, AmazonAway)):
            await amazon.certificate(f"{HOST}/{n}.pem")

    assert len(fake.asked) < 10
    assert await amazon.certificate(CERTIFICATE_URL) == certificate()


async def test_a_subscription_is_confirmed_only_by_a_200() -> None:
    fake = FakeAmazon({SUBSCRIBE_URL: Reply(302, {"location": "https://evil.example"}, b"")})

    with pytest.raises(AmazonAway):
        await AmazonSns(fake).confirm(SUBSCRIBE_URL)
    assert json.dumps(fake.asked) == json.dumps([SUBSCRIBE_URL])
