"""Sending: claim what is due, hand it to a gateway, record what came of it."""

import secrets
from collections import Counter
from datetime import datetime

from scoring.ask.handle import address_of, judge
from scoring.ask.known import Subject
from scoring.ask.model import Failed, Held, Outgoing, Refused, Result, Sending, State, Survey
from scoring.ask.plan import Judged, sending_row
from scoring.ask.schedule import settled
from scoring.ask.sending import store
from scoring.ask.texts import fill, text_for
from scoring.decide.model import Outcome
from scoring.decide.policies.handle import policies_in_force
from scoring.decide.policy import Terms
from scoring.deps import Deps
from scoring.people import store as people
from shared.runtime.database import Unit
from shared.runtime.failpoints import failpoint
from shared.runtime.patience import passing
from shared.runtime.sealing import SealingKeyMissing
from shared.schemas import Contact, Sealed

TOKEN_BYTES = 18
"""144 random bits: 24 characters in the link."""


async def claim_sendings(unit: Unit, deps: Deps) -> list[Sending]:
    """Ask the rules again about what is due, take a lease on what they let through, move or withdraw the rest."""
    await _tell_gauges(unit, deps)
    await _lapse(unit, deps)
    due = await store.sendable(unit.tx, now=unit.now, limit=deps.settings.send_batch)
    if not due:
        return []
    await people.lock(unit.tx, [customer for _, customer in due if customer])
    claimed = {(each.kind, each.anchor): each for each in await store.claim(unit.tx, [survey for survey, _ in due], now=unit.now)}
    judged = await judge(unit, [_subject(each) for each in claimed.values()], deps, phase="send")
    policies = await policies_in_force(unit, deps.settings.first_policies) if judged else {}
    going = []
    for each in judged:
        survey = claimed[each.subject.key]
        if await _goes(unit, survey, each, deps):
            going.append(_begin(survey, each, policies[survey.kind].terms, now=unit.now, deps=deps))
    await store.begin(unit.tx, [row for _, row in going])
    return [sending for sending, _ in going]


def _subject(survey: Survey) -> Subject:
    return Subject(survey.kind, survey.anchor, Contact.model_validate(survey.contact), survey.customer_id, survey.aged_from, again=True)


async def _goes(unit: Unit, survey: Survey, judged: Judged, deps: Deps) -> bool:
    """Whether it may leave now; what may not is moved, or ends."""
    decision = judged.decision
    if decision.outcome is not Outcome.INVITED or decision.send_at is None or _cannot_repeat(survey, deps):
        if survey.state is State.UNKNOWN:
            await store.give_up_unknown(unit.tx, survey.id)
        unit.when_committed(deps.metrics.invitations.labels(survey.channel, "withdrawn").inc)
        return False
    if decision.send_at > unit.now:
        await store.move(unit.tx, survey.id, to=decision.send_at)
        return False
    return True


def _cannot_repeat(survey: Survey, deps: Deps) -> bool:
    """What may have left goes again only through the gateway that took it: no other knows its key."""
    gateway = deps.gateways.get(survey.channel)
    return survey.state is State.UNKNOWN and not (gateway and gateway.name == survey.gateway and gateway.keeps_keys)


def _begin(survey: Survey, judged: Judged, terms: Terms, *, now: datetime, deps: Deps) -> tuple[Sending, dict[str, object]]:
    """An attempt after one that may have left goes to the same address.

    The token is random. It rests sealed until the sending is settled, so that every attempt under the key carries the same link; then
    only its SHA-256 stays. Derived from a secret it would need no storing, but whoever learns the secret could answer every survey.
    """
    repeats = survey.state is State.UNKNOWN
    way = judged.decision.way
    assert way is not None
    channel = survey.channel if repeats else way.channel
    token = deps.sealer.unseal(Sealed.model_validate(survey.token)) if survey.token else secrets.token_urlsafe(TOKEN_BYTES)
    sending = Sending(
        survey_id=survey.id,
        channel=channel,
        gateway=deps.gateways[channel].name,
        text=text_for(terms.texts, channel=channel, language=survey.language),
        address=Sealed.model_validate(survey.address) if repeats else address_of(judged, deps.sealer),
        address_ref=survey.address_ref if repeats else way.point.ref,
        token=token,
        attempt=survey.attempts + 1,
        was_unknown=repeats,
        open_s=terms.open_s,
    )
    return sending, sending_row(sending, judged.decision, sealed_token=deps.sealer.seal(token), now=now, lease_s=deps.settings.send_lease_s)


async def send(sending: Sending, deps: Deps) -> Result:
    """Hand it to the gateway, unless sending was paused since the claim. Nothing it answers with is raised."""
    try:
        async with deps.database.transaction() as unit:
            if not await store.mark_called(unit.tx, sending.survey_id, attempt=sending.attempt):
                return Held()
        address = deps.sealer.unseal(sending.address)
    except SealingKeyMissing as error:
        return Failed(type(error).__name__.lower())
    except Exception as error:
        if not passing(error):
            raise
        return Failed(type(error).__name__.lower())
    if not isinstance(address, str):
        return Refused("address_missing")
    subject, body = fill(sending.text, brand=deps.settings.brand, link=f"{deps.settings.public_url}/s/{sending.token}")
    message = Outgoing(str(sending.survey_id), sending.channel, address, subject, body)
    result = await deps.gateways[sending.channel].send(message)
    failpoint("scoring.after_gateway_accepted")
    return result


async def record_sending(unit: Unit, sending: Sending, result: Result, deps: Deps) -> None:
    """Sent, tried again later, perhaps sent, or ended."""
    what = settled(sending, result, now=unit.now, waits_s=deps.settings.send_waits_s, keeps_keys=deps.gateways[sending.channel].keeps_keys)
    if await store.settle(unit.tx, sending.survey_id, what, attempt=sending.attempt):
        unit.when_committed(deps.metrics.invitations.labels(sending.channel, type(result).__name__.lower()).inc)


async def _lapse(unit: Unit, deps: Deps) -> None:
    """Leases that ran out: nobody knows whether those left."""
    channels = await store.lapse_leases(
        unit.tx,
        now=unit.now,
        again_by={gateway.name for gateway in deps.gateways.values() if gateway.keeps_keys},
        attempts=len(deps.settings.send_waits_s) + 1,
    )
    for channel in channels:
        unit.when_committed(deps.metrics.invitations.labels(channel, "lost").inc)


async def _tell_gauges(unit: Unit, deps: Deps) -> None:
    scopes = Counter(each["scope"] for each in await store.pauses(unit.tx))
    for scope in ("all", "channel", "policy"):
        deps.metrics.paused.labels(scope).set(scopes[scope])
    deps.metrics.due_age.set(await store.overdue_seconds(unit.tx, now=unit.now))
