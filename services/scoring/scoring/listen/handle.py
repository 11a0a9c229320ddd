"""What outsiders tell of answers, and what a stop or a start does to consents."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from scoring.ask import store as surveys
from scoring.ask.model import Survey
from scoring.listen.consents import of_reply
from scoring.listen.door.handle import Arrival, Listening, accept_answers
from scoring.listen.model import Said
from scoring.listen.reply import Reading, Wish, read
from scoring.people import store as people
from shared import addresses
from shared.runtime.database import Unit
from shared.runtime.errors import Unprocessable
from shared.runtime.handling import Batch, Handler
from shared.runtime.sealing import Sealer
from shared.schemas import Consent, ConsentChanged, Sealed, SurveyAnswered


async def remember_consents(unit: Unit, consents: Sequence[Consent]) -> None:
    """Take effect here at once, and are told to the others. People's rows are locked first: their messages leave in order."""
    now_known = await people.lock(unit.tx, [consent.customer_id for consent in consents if consent.customer_id])
    facts = [
        consent.model_copy(update={"customer_id": now_known[consent.customer_id]}) if consent.customer_id else consent
        for consent in consents
    ]
    people.merge_consents(unit.tx, facts)
    for fact in facts:
        key = fact.customer_id or fact.address_ref
        assert key is not None
        unit.send(ConsentChanged(consent=fact), key=key, correlation=key)


async def survey_answered(batch: Batch[SurveyAnswered], deps: Listening) -> None:
    """Answers of outsiders: whom each answers, what its words ask for, then through the door together."""
    told = [await _told(batch.unit, deps, delivery.message) for delivery in batch.items]
    for delivery, each in zip(batch.items, told, strict=True):
        if each.survey is None and each.consent is None:
            batch.wait_for(delivery, each.reference)
    await people.lock(batch.unit.tx, {person for each in told if (person := each.person) is not None})
    await remember_consents(batch.unit, [each.consent for each in told if each.consent is not None])
    await accept_answers(batch.unit, deps, [Arrival.of(each.survey, each.said) for each in told if each.survey and each.said])


@dataclass(frozen=True, slots=True)
class _Told:
    """A message, read. `reference` is by what it names its survey."""

    survey: Survey | None
    said: Said | None
    consent: Consent | None
    reference: str

    @property
    def person(self) -> UUID | None:
        return self.survey.customer_id if self.survey else None


async def _told(unit: Unit, deps: Listening, message: SurveyAnswered) -> _Told:
    """Raises Unprocessable for a survey or token that this service never gave out."""
    reading = read(message.text) if message.text is not None else Reading(message.score)
    at = min(message.answered_at or unit.now, unit.now)
    ref = _named_address(message.address, deps) if message.address is not None else None
    survey, reference = await _answered_survey(unit, message, ref)
    own_ref = survey.address_ref if survey and survey.channel == message.channel else None
    consent = of_reply(
        reading.wish, channel=message.channel, address_ref=ref or own_ref, customer_id=survey.customer_id if survey else None, at=at
    )
    return _Told(survey, _said(message, reading, at, deps.sealer), consent, reference)


async def _answered_survey(unit: Unit, message: SurveyAnswered, ref: str | None) -> tuple[Survey | None, str]:
    if message.survey_id is not None:
        return _ours(await surveys.survey_by_id(unit.tx, message.survey_id), "survey_id"), "survey_id"
    if message.token is not None:
        return _ours(await surveys.survey_by_token_hash(unit.tx, token_hash(message.token)), "token"), "token"
    if message.contact is not None:
        contact = message.contact
        found = await surveys.survey_of_contact(unit.tx, platform=contact.platform, account=contact.account, ref=contact.ref)
        return found, f"contact:{contact.platform}/{contact.account}/{contact.ref}"
    assert ref is not None
    return await surveys.latest_survey_to_address(unit.tx, ref), f"address:{ref}"


def _ours(survey: Survey | None, path: str) -> Survey:
    if survey is None:
        raise Unprocessable("unknown_reference", path)
    return survey


def token_hash(token: str) -> bytes:
    """How a token rests. Any text has one, so that a malformed token costs the same look-up as an unknown one."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _said(message: SurveyAnswered, reading: Reading, at: datetime, sealer: Sealer) -> Said | None:
    """None where nothing but "stop", "start" or "help" was said."""
    comment = sealer.unseal(message.comment) if isinstance(message.comment, Sealed) else message.comment
    if reading.score is None and reading.wish is not Wish.NONE:
        return None
    wish = message.callback_wish or None
    return Said(message.channel, at, reading.score, comment or reading.comment, message.resolved, message.callback, wish, message.language)


def address_ref(plain: str, deps: Listening) -> str | None:
    """How all services know this address; None where it is none of a person."""
    kind = "email" if "@" in plain else "phone"
    address = addresses.classify(kind, plain, country=deps.settings.company_country)
    return deps.sealer.ref(address.kind, "", address.value) if isinstance(address, addresses.Address) else None


def _named_address(address: str | Sealed, deps: Listening) -> str:
    plain = str(deps.sealer.unseal(address)) if isinstance(address, Sealed) else address
    ref = address_ref(plain, deps)
    if ref is None:
        raise Unprocessable("not_an_address", "address")
    return ref


ANSWERS: Handler[Listening] = Handler(SurveyAnswered, survey_answered, inbox=True)
