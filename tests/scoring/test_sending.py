"""From a planned survey to a message on a phone, with a gateway that keeps a real one's promises."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from scoring.ask import store as surveys
from scoring.ask.inbox.clients import InboxGateway
from scoring.ask.model import Accepted, Failed, Lost, Outgoing, Refused, Scope
from scoring.ask.sending import store
from scoring.ask.sending.timers import claim_sendings, record_sending, send
from scoring.decide.first import first_document
from scoring.decide.policies import store as policies
from shared.runtime.audit import CommandLine
from shared.schemas import ConsentChanged, PlatformRef, SurveyDecided
from tests.support.asking import EVERYBODY, PHONE, SEALER, FakeGateway, Scoring, case, completed, consent, customer, phone


@pytest.fixture
async def scoring(scoring_database: str) -> AsyncIterator[Scoring]:
    made = Scoring(scoring_database)
    yield made
    await made.close()


def link(message: Outgoing) -> str:
    found = re.search(r"/s/([\w-]+)", message.body)
    assert found is not None
    return found[1]


async def test_a_planned_survey_is_sent_once_with_a_link_whose_hash_alone_is_kept(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))

    assert await scoring.send() == 1
    assert await scoring.send() == 0

    (message,) = scoring.gateway.delivered
    (survey,) = await scoring.surveys()
    token = link(message)
    assert message.address == "+15550000000"
    assert len(token) >= 22
    assert survey["state"] == "sent"
    assert survey["token_hash"] == hashlib.sha256(token.encode()).digest()
    assert survey["token"] is survey["due"] is survey["lease_until"] is None
    assert survey["expires_at"] - survey["sent_at"] == timedelta(days=7)
    async with scoring.database.transaction() as unit:
        found = await surveys.survey_by_token_hash(unit.tx, hashlib.sha256(token.encode()).digest())
        there = await surveys.latest_survey_to_address(unit.tx, PHONE)
    assert found is not None
    assert found == there
    assert found.id == survey["id"]


async def test_the_real_send_restarts_the_quarantine(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.move("survey", "asked_at", seconds=29 * 86_400)

    await scoring.send()

    (survey,) = await scoring.surveys()
    assert survey["asked_at"] == survey["sent_at"]


async def test_a_survey_that_is_not_due_is_not_sent(scoring_database: str) -> None:
    scoring = Scoring(
        scoring_database, policies={"tnps": {"hours": {"daily": "00:00-24:00"}, "sampling": {"rate": 1}, "delay_s": {"sms": 900}}}
    )
    await scoring.deliver(completed(customer()))

    assert await scoring.send() == 0
    await scoring.move("survey", "due", seconds=900)
    assert await scoring.send() == 1
    await scoring.close()


async def test_an_opt_out_between_decision_and_sending_withdraws_the_survey(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(points=(phone(),))))
    await scoring.deliver(ConsentChanged(consent=consent(channel="sms", purpose="any", address_ref=PHONE)))

    await scoring.send()

    (survey,) = await scoring.surveys()
    told = (await scoring.sent_messages(SurveyDecided))[-1]
    assert scoring.gateway.calls == []
    assert (survey["state"], survey["reason"]) == ("unsent", "opt_out")
    assert (told.outcome, told.reason, told.phase, told.revision) == ("withdrawn", "opt_out", "send", 2)


async def test_a_blackout_announced_after_the_decision_moves_the_survey(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    document = first_document(
        "tnps", {**EVERYBODY, "blackouts": [{"code": "storm", "start": "2026-01-01T00:00:00Z", "end": end.isoformat()}]}
    )
    async with scoring.database.transaction() as unit:
        version = await policies.draft_policy(unit.tx, "tnps", document, note="a storm", by="ana", now=unit.now)
        await policies.activate_policy(unit.tx, version, at=unit.now, who=CommandLine())

    assert await scoring.send() == 0

    (survey,) = await scoring.surveys()
    told = (await scoring.sent_messages(SurveyDecided))[-1]
    assert (survey["state"], survey["due"], survey["send_at"]) == ("planned", end, end)
    assert (told.outcome, told.phase, told.send_at, told.policy_version) == ("invited", "send", end, version)
    assert scoring.gateway.calls == []


async def test_a_callback_that_turns_out_to_be_ours_is_withdrawn(scoring: Scoring) -> None:
    contact = completed(customer())
    await scoring.deliver(contact)
    call = PlatformRef(platform=contact.platform, account=contact.account, ref=contact.ref)
    await scoring.deliver(case("closed", revision=1, platform_ref=call))

    await scoring.send()

    assert scoring.gateway.calls == []
    assert await scoring.outcomes() == [("withdrawn", "purpose")]


async def test_a_withdrawn_survey_frees_its_place(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.deliver(case("open", revision=1))
    await scoring.send()
    await scoring.deliver(case("closed", revision=2))

    await scoring.deliver(completed(customer()))

    assert sorted(await scoring.outcomes()) == [("invited", "eligible"), ("withdrawn", "open_callback")]


async def test_killed_after_the_gateway_took_it_a_gateway_with_keys_delivers_one_message(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.send_and_die()

    await scoring.move("survey", "lease_until", seconds=3600)
    await scoring.send()

    (survey,) = await scoring.surveys()
    assert len(scoring.gateway.calls) == 2
    assert len(scoring.gateway.delivered) == 1
    assert scoring.gateway.calls[0] == scoring.gateway.calls[1]
    assert survey["state"] == "sent"
    assert survey["token_hash"] == hashlib.sha256(link(scoring.gateway.delivered[0]).encode()).digest()


async def test_killed_after_the_gateway_took_it_one_without_keys_is_not_called_again(scoring_database: str) -> None:
    scoring = Scoring(scoring_database, gateway=FakeGateway(keeps_keys=False))
    await scoring.deliver(completed(customer()))
    await scoring.send_and_die()

    await scoring.move("survey", "lease_until", seconds=3600)
    for _ in range(3):
        await scoring.send()

    (survey,) = await scoring.surveys()
    assert len(scoring.gateway.calls) == len(scoring.gateway.delivered) == 1
    assert (survey["state"], survey["due"]) == ("unknown", None)
    await scoring.deliver(completed(customer()))
    assert ("suppressed", "quarantine_any") in await scoring.outcomes()
    async with scoring.database.transaction() as unit:
        found = await surveys.survey_by_token_hash(unit.tx, hashlib.sha256(link(scoring.gateway.delivered[0]).encode()).digest())
    assert found is not None
    await scoring.close()


async def test_a_lease_that_still_runs_is_nobody_elses(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    await scoring.send_and_die()

    assert await scoring.send() == 0
    (survey,) = await scoring.surveys()
    assert survey["state"] == "sending"


async def test_killed_before_the_gateway_was_called_it_is_surely_unsent_and_sent_again(scoring_database: str) -> None:
    scoring = Scoring(scoring_database, gateway=FakeGateway(keeps_keys=False))
    await scoring.deliver(completed(customer()))
    async with scoring.database.transaction() as unit:
        await claim_sendings(unit, scoring.deps)

    await scoring.move("survey", "lease_until", seconds=3600)
    await scoring.send()

    assert len(scoring.gateway.delivered) == 1
    assert [each["state"] for each in await scoring.surveys()] == ["sent"]
    await scoring.close()


async def test_a_lost_answer_is_unknown_and_sent_again_under_the_same_key(scoring: Scoring) -> None:
    scoring.gateway.answers = [(Lost("timed_out"), True)]
    await scoring.deliver(completed(customer()))
    await scoring.send()
    (unknown,) = await scoring.surveys()

    await scoring.move("survey", "due", seconds=3600)
    await scoring.send()

    assert unknown["state"] == "unknown"
    assert len(scoring.gateway.calls) == 2
    assert len(scoring.gateway.delivered) == 1
    assert [each["state"] for each in await scoring.surveys()] == ["sent"]


async def test_what_may_have_left_is_not_sent_again_after_an_opt_out(scoring: Scoring) -> None:
    scoring.gateway.answers = [(Lost("timed_out"), True)]
    await scoring.deliver(completed(customer(points=(phone(),))))
    await scoring.send()
    await scoring.deliver(ConsentChanged(consent=consent(address_ref=PHONE)))

    await scoring.move("survey", "due", seconds=3600)
    await scoring.send()

    (survey,) = await scoring.surveys()
    assert len(scoring.gateway.calls) == 1
    assert (survey["state"], survey["due"], survey["token"]) == ("unknown", None, None)


async def test_a_failing_gateway_is_tried_again_with_the_same_link_and_given_up_in_the_end(scoring: Scoring) -> None:
    scoring.gateway.answers = [(Failed("http_500"), False)] * 3
    await scoring.deliver(completed(customer()))

    waits = []
    for _ in range(3):
        await scoring.send()
        (survey,) = await scoring.surveys()
        waits.append(survey["due"] and round((survey["due"] - datetime.now(UTC)).total_seconds(), -1))
        await scoring.move("survey", "due", seconds=3600)

    (survey,) = await scoring.surveys()
    assert waits == [60, 300, None]
    assert len({each.body for each in scoring.gateway.calls}) == 1
    assert (survey["state"], survey["reason"], survey["token_hash"]) == ("unsent", "http_500", None)


async def test_a_gateway_that_asks_for_time_gets_it(scoring: Scoring) -> None:
    scoring.gateway.answers = [(Failed("http_429", 1_200.0), False)]
    await scoring.deliver(completed(customer()))

    await scoring.send()

    (survey,) = await scoring.surveys()
    assert survey["due"] > datetime.now(UTC) + timedelta(seconds=1_100)


async def test_a_refused_message_ends_unsent_and_frees_its_place(scoring: Scoring) -> None:
    scoring.gateway.answers = [(Refused("http_400"), False)]
    await scoring.deliver(completed(customer()))
    await scoring.send()

    await scoring.deliver(completed(customer()))

    assert await scoring.outcomes() == [("invited", "eligible")] * 2


async def test_a_customer_whose_address_is_missing_is_not_sent_to(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer(private=SEALER.seal({"addresses": {}}))))

    await scoring.send()

    (survey,) = await scoring.surveys()
    assert scoring.gateway.calls == []
    assert (survey["state"], survey["reason"]) == ("unsent", "address_missing")


async def test_nothing_leaves_while_sending_is_paused_and_all_of_it_once_afterwards(scoring: Scoring) -> None:
    people = [customer(customer_id=uuid4(), points=(phone(f"p{n}"),)) for n in range(60)]
    await scoring.deliver(*(completed(person, point_ref=person.points[0].ref) for person in people))
    await paused(scoring, Scope("all"))

    assert await scoring.send() == 0
    assert scoring.gateway.calls == []
    assert scoring.deps.metrics.paused.labels("all")._value.get() == 1

    await resumed(scoring, Scope("all"))
    while await scoring.send():
        pass

    assert len(scoring.gateway.delivered) == len({each.key for each in scoring.gateway.delivered}) == 60


async def test_what_was_claimed_before_a_pause_is_held_and_sent_later(scoring: Scoring) -> None:
    await scoring.deliver(completed(customer()))
    async with scoring.database.transaction() as unit:
        (claimed,) = await claim_sendings(unit, scoring.deps)
    await paused(scoring, Scope("all"))
    result = await send(claimed, scoring.deps)
    async with scoring.database.transaction() as unit:
        await record_sending(unit, claimed, result, scoring.deps)

    assert scoring.gateway.calls == []
    assert await scoring.send() == 0
    await resumed(scoring, Scope("all"))
    assert await scoring.send() == 1
    (survey,) = await scoring.surveys()
    assert (survey["state"], survey["attempts"]) == ("sent", 1)


@pytest.mark.parametrize("scope", [Scope("channel", "sms"), Scope("policy", "1")])
async def test_a_channel_or_a_policy_can_be_paused_by_itself(scoring: Scoring, scope: Scope) -> None:
    await scoring.deliver(completed(customer()))
    await paused(scoring, Scope("channel", "email"))
    await paused(scoring, scope)
    assert await scoring.send() == 0

    await resumed(scoring, scope)

    assert await scoring.send() == 1


async def test_two_senders_never_send_the_same_survey(scoring: Scoring, scoring_database: str) -> None:
    other = Scoring(scoring_database, gateway=scoring.gateway)
    people = [customer(customer_id=uuid4(), points=(phone(f"p{n}"),)) for n in range(30)]
    await scoring.deliver(*(completed(person, point_ref=person.points[0].ref) for person in people))

    for _ in range(3):
        await asyncio.gather(scoring.send(), other.send())

    assert len(scoring.gateway.calls) == len({each.key for each in scoring.gateway.calls}) == 30
    await other.close()


async def test_the_development_inbox_keeps_a_key_once(scoring: Scoring) -> None:
    gateway = InboxGateway(scoring.database, SEALER)
    message = Outgoing("key", "sms", "+15550000000", None, "hello")

    first, second = await gateway.send(message), await gateway.send(message)

    assert isinstance(first, Accepted)
    assert first == second
    (kept,) = await scoring.rows("select * from inbox_message")
    assert "+15550000000" not in str(dict(kept))


async def paused(scoring: Scoring, scope: Scope) -> None:
    async with scoring.database.transaction() as unit:
        assert await store.pause(unit.tx, scope, by="ana", now=unit.now)


async def resumed(scoring: Scoring, scope: Scope) -> None:
    async with scoring.database.transaction() as unit:
        assert await store.resume(unit.tx, scope)
