"""Alerts by e-mail through a real SMTP server: what they say, what happens when it refuses, and which receiver stands in for which."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.alerts import store as alerts
from routing.alerts.model import Standing
from routing.alerts.receivers import fallback_s, in_turn
from routing.settings import Settings
from shared.runtime.database import run
from shared.runtime.settings import SettingsRefused, load
from tests.support.cases import Routing, a_contact, a_customer, an_answer, routing
from tests.support.mail_server import MailServer, certificate, mail_server, speaking_tls
from tests.support.receiver import Receiver, receiver

TEAM = ["leads@example.com", "night@example.com"]
MAIL: dict[str, Any] = {"alert_email_to": TEAM, "alert_email_from": "aftercall@example.com", "smtp_host": "127.0.0.1", "smtp_tls": "none"}


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with mail_server() as serving:
        yield serving


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as listening:
        yield listening


@pytest.fixture
async def mailing(routing_database: str, mail: MailServer) -> AsyncIterator[Routing]:
    """A service that only mails."""
    made = routing(routing_database, **MAIL, smtp_port=mail.port)
    yield made
    await made.deps.database.close()


@pytest.fixture
async def both(routing_database: str, mail: MailServer, hook: Receiver) -> AsyncIterator[Routing]:
    """A service that tells `hook`, and mails where it is dead."""
    made = routing(routing_database, **MAIL, smtp_port=mail.port, alert_webhook_url=hook.url, outbound_allow=[f"127.0.0.1:{hook.port}"])
    yield made
    await made.deps.outbound.close()
    await made.deps.database.close()


async def unhappy(desk: Routing, count: int = 1, *, words: str | None = None) -> None:
    comment = desk.sealed(words) if words else None
    await desk.hear(*(an_answer(2, customer=a_customer(), contact=a_contact(), comment=comment) for _ in range(count)))


async def kept(desk: Routing) -> Standing:
    async with desk.deps.database.transaction() as unit:
        (only,) = await alerts.newest(unit.tx, teams=None, limit=50)
    return only


async def next_try(desk: Routing) -> None:
    """As if the wait were over."""
    async with desk.deps.database.transaction() as unit:
        await run(unit.tx, "update alert set next_on = now() - interval '1 second' where next_on is not null")
    await desk.tick("alerts")


async def test_the_first_is_mailed_at_once_to_everybody(mailing: Routing, mail: MailServer) -> None:
    await unhappy(mailing)

    assert await mailing.tick("alerts") == 1

    (message,) = mail.received
    alert = (await kept(mailing)).alert
    assert mail.recipients == [TEAM]
    assert message["Subject"] == "1 new unhappy customer: birch, phone"
    assert message["Message-ID"] == f"<{alert.id}-1@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert f"http://127.0.0.1:8003/console/alerts/{alert.id}" in text
    assert "First call due: " in text
    assert (alert.messages, alert.told, alert.next_on) == (1, 1, None)


async def test_what_comes_within_the_minute_is_one_message(mailing: Routing, mail: MailServer) -> None:
    await unhappy(mailing)
    await mailing.tick("alerts")
    await unhappy(mailing, 40)
    await mailing.tick("alerts")
    assert len(mail.received) == 1

    await next_try(mailing)

    assert [each["Subject"] for each in mail.received] == ["1 new unhappy customer: birch, phone", "40 new unhappy customers: birch, phone"]
    assert "41 since" in mail.received[1].get_content()


async def test_no_name_number_or_words_are_mailed_also_of_a_critical_case(mailing: Routing, mail: MailServer) -> None:
    await unhappy(mailing, words="Please ask for Rosalind at 212 555 0112, I will sue")
    await mailing.tick("alerts")

    case = await mailing.case()
    (message,) = mail.received
    alert_id = str((await kept(mailing)).alert.id)
    said = f"{list(message.values())} {message.get_content()}".replace(alert_id, "its own random id")
    assert message["Subject"] == "Critical: a customer needs a call now: birch, phone"
    assert case.customer is not None
    assert alert_id not in {str(case.customer_id), str(case.id)}
    assert all(hidden not in said for hidden in ("Rosalind", "555", "will sue", str(case.customer_id), str(case.id), str(case.number)))


@pytest.mark.parametrize("answer", ["451 try later", "554 no"])
async def test_what_the_server_did_not_take_is_mailed_again_under_the_same_id(mailing: Routing, mail: MailServer, answer: str) -> None:
    mail.answers += [answer]
    await unhappy(mailing)
    await mailing.tick("alerts")
    assert (await kept(mailing)).alert.attempts == 1
    assert await mailing.tick("alerts") == 0

    await next_try(mailing)

    assert len({each["Message-ID"] for each in mail.received}) == 1
    assert ((await kept(mailing)).alert.messages, (await kept(mailing)).alert.attempts) == (1, 0)


async def test_one_address_that_is_gone_does_not_keep_the_others_from_hearing(mailing: Routing, mail: MailServer) -> None:
    mail.refuses.add(TEAM[0])
    await unhappy(mailing)

    await mailing.tick("alerts")

    assert (mail.recipients, (await kept(mailing)).alert.messages) == ([TEAM[1:]], 1)


async def test_when_nobody_is_left_it_did_not_arrive(mailing: Routing, mail: MailServer) -> None:
    mail.refuses.update(TEAM)
    await unhappy(mailing)

    await mailing.tick("alerts")

    assert (mail.received, (await kept(mailing)).alert.attempts) == ([], 1)


async def test_it_signs_in_where_it_has_a_name(routing_database: str) -> None:
    async with mail_server(password="right") as mail:
        for password, arrives in (("wrong", 0), ("right", 1)):
            desk = routing(routing_database, **MAIL, smtp_port=mail.port, smtp_user="aftercall", smtp_password=password)
            await unhappy(desk) if not arrives else None
            await next_try(desk)
            assert len(mail.received) == arrives
            await desk.deps.database.close()


async def test_a_server_that_does_not_offer_encryption_is_told_nothing(routing_database: str, mail: MailServer) -> None:
    desk = routing(routing_database, **{**MAIL, "smtp_tls": "starttls"}, smtp_port=mail.port)
    await unhappy(desk)

    await desk.tick("alerts")

    assert (mail.received, (await kept(desk)).alert.attempts) == ([], 1)
    await desk.deps.database.close()


async def test_mail_leaves_encrypted_and_only_to_a_server_whose_certificate_is_trusted(
    routing_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = certificate(tmp_path)
    async with mail_server(tls=speaking_tls(file)) as mail:
        desk = routing(routing_database, **{**MAIL, "smtp_tls": "starttls"}, smtp_port=mail.port)
        await unhappy(desk)
        await desk.tick("alerts")
        assert (mail.received, (await kept(desk)).alert.attempts) == ([], 1)

        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        await next_try(desk)

        assert len(mail.received) == 1
        await desk.deps.database.close()


async def test_a_server_that_never_speaks_costs_no_more_than_the_timeout(routing_database: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    desk = routing(routing_database, **MAIL, smtp_port=port, alert_timeout_s=0.3)
    await unhappy(desk)

    await asyncio.wait_for(desk.tick("alerts"), 5)

    assert (await kept(desk)).alert.attempts == 1
    server.close()
    await desk.deps.database.close()


# ---- one stands in for the other ---------------------------------------------------------------------------------------------------


async def test_while_the_webhook_answers_nothing_is_mailed(both: Routing, hook: Receiver, mail: MailServer) -> None:
    await unhappy(both)

    await both.tick("alerts")

    assert (len(hook.received), mail.received) == (1, [])


async def test_a_webhook_that_fails_for_an_hour_is_replaced_within_two_minutes_and_keeps_its_schedule(
    both: Routing, hook: Receiver, mail: MailServer
) -> None:
    hook.answers += [503] * 6
    settings = both.deps.settings
    waited = timedelta()
    await unhappy(both)
    due = (await both.case()).due_at
    await both.tick("alerts")
    while not mail.received:
        alert = (await kept(both)).alert
        assert alert.next_on is not None
        waited += timedelta(seconds=settings.alert_waits_s[alert.attempts - 1] + settings.alert_timeout_s)
        await next_try(both)

    assert waited <= timedelta(minutes=2)
    assert [len(hook.received), len(mail.received)] == [3, 1]
    assert (await kept(both)).alert.told == 1
    assert (await both.case()).due_at == due

    await unhappy(both)
    for _ in range(3):
        await next_try(both)
    assert [len(hook.received), len(mail.received)] == [6, 2]

    await unhappy(both)
    await next_try(both)
    assert [len(hook.received), len(mail.received)] == [7, 2]


async def test_mail_first_falls_back_to_the_webhook(routing_database: str, hook: Receiver, mail: MailServer) -> None:
    desk = routing(
        routing_database,
        **MAIL,
        smtp_port=mail.port,
        alert_order=["email", "webhook"],
        alert_webhook_url=hook.url,
        outbound_allow=[f"127.0.0.1:{hook.port}"],
    )
    mail.answers += ["451 later"] * 3
    await unhappy(desk)
    for _ in range(3):
        await next_try(desk)

    assert [len(mail.received), len(hook.received)] == [3, 1]
    await desk.deps.outbound.close()
    await desk.deps.database.close()


async def test_when_both_are_dead_the_schedule_goes_on(both: Routing, hook: Receiver, mail: MailServer) -> None:
    hook.answers += [500] * 9
    mail.answers += ["451 later"] * 2
    await unhappy(both)

    for _ in range(5):
        await next_try(both)

    assert [len(hook.received), len(mail.received)] == [5, 3]
    assert ((await kept(both)).alert.messages, (await kept(both)).alert.attempts) == (1, 0)


@given(st.lists(st.sampled_from(["webhook", "email"]), min_size=1, max_size=2, unique=True), st.integers(0, 9), st.integers(1, 9))
def test_the_first_receiver_is_always_asked_and_the_others_only_after_patience(receivers: list[str], failed: int, patience: int) -> None:
    asked = in_turn(receivers, failed=failed, patience=patience)

    assert asked[0] == receivers[0]
    assert (len(asked) == len(receivers)) == (failed >= patience or len(receivers) == 1)


def test_the_promise_of_two_minutes_counts_waits_and_timeouts() -> None:
    assert fallback_s([5, 15, 60], patience=2, timeout=10) == 60
    assert fallback_s([5], patience=2, timeout=10) is None


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"smtp_host": ""}, "SMTP_HOST"),
        ({"alert_email_from": ""}, "EMAIL_FROM"),
        ({"alert_email_to": ["a@b.example\r\nBcc: x@y.example"]}, "EMAIL_TO"),
        ({"alert_order": ["pager"]}, "ALERT_ORDER"),
        ({"alert_webhook_url": "https://a.example", "alert_fallback_after": 4}, "FALLBACK_AFTER"),
        ({"alert_webhook_url": "https://a.example", "alert_waits_s": [5.0]}, "FALLBACK_AFTER"),
        ({"alert_webhook_url": "https://a.example", "alert_lease_s": 20.0}, "LEASE_S"),
    ],
)
def test_settings_that_could_not_keep_the_promise_are_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsRefused, match=named):
        load(Settings, **{**MAIL, **wrong})
