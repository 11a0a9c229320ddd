"""What happens with each topic."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from scoring.ask import store as surveys
from scoring.ask.handle import Look, judge, newest
from scoring.ask.known import Subject
from scoring.decide import store as decisions
from scoring.decide.first import RECOVERY, TNPS
from scoring.decide.policies.handle import policies_in_force
from scoring.deps import Deps
from scoring.listen.erasure.handle import customer_erased
from scoring.listen.handle import survey_answered
from scoring.people import store as people
from scoring.people.callbacks import store as callbacks
from scoring.people.model import call
from shared.runtime.delivery import Delivery
from shared.runtime.handling import Batch, Handler
from shared.schemas import (
    CallbackChanged,
    ConsentChanged,
    CustomerChanged,
    CustomerErased,
    InteractionCompleted,
    SurveyAnswered,
)


def look_at_contacts(deliveries: Sequence[Delivery[InteractionCompleted]]) -> Look:
    """What is asked of the database before the contacts are judged."""
    contacts = [delivery.message for delivery in deliveries]
    told = people.highest_versions(contact.customer for contact in contacts if contact.customer)
    return Look([_subject(contact) for contact in contacts], told)


async def interaction_completed(batch: Batch[InteractionCompleted], deps: Deps) -> None:
    """Lock the customers, keep what the contacts say of them, decide about each contact."""
    look = batch.ahead or look_at_contacts(batch.items)
    await judge(batch.unit, newest(_subject(delivery.message) for delivery in batch.items), deps, look=look)


def _subject(message: InteractionCompleted) -> Subject:
    customer = message.customer.customer_id if message.customer else None
    return Subject(TNPS, message.interaction_id, message, customer, message.ended_at)


async def customer_changed(batch: Batch[CustomerChanged], _: Deps) -> None:
    """The highest version wins; merged customers become one person, with one history and one set of consents."""
    tx, changes = batch.unit.tx, [delivery.message for delivery in batch.items]
    now_known = await people.lock(tx, {each for change in changes for each in (change.customer.customer_id, *change.supersedes)})
    await people.learn(tx, [change.customer for change in changes], now_known=now_known)
    for change in changes:
        if change.supersedes:
            kept, moved = await people.merge_into(tx, change.customer.customer_id, change.supersedes)
            await surveys.follow_merge(tx, kept, moved)
            await decisions.follow_merge(tx, kept, moved)
    await decisions.look_again_at(tx, {*now_known, *now_known.values()}, now=batch.unit.now)


async def consent_changed(batch: Batch[ConsentChanged], _: Deps) -> None:
    """In every order and however often the same; what was deferred for want of a consent is looked at again."""
    facts = [delivery.message.consent for delivery in batch.items]
    now_known = await people.lock(batch.unit.tx, [fact.customer_id for fact in facts if fact.customer_id])
    people.merge_consents(batch.unit.tx, [people.about_the_same(fact, now_known) for fact in facts])
    await decisions.look_again_at(batch.unit.tx, set(now_known.values()), now=batch.unit.now)


async def callback_changed(batch: Batch[CallbackChanged], deps: Deps) -> None:
    """Who is about to be called is not asked; our own calls are never surveyed; a new case is asked about later."""
    calls = {call(item.message.platform_ref): item.message.case_id for item in batch.items if item.message.platform_ref}
    await callbacks.keep_own_calls(batch.unit.tx, calls)
    new = await callbacks.keep_callbacks(batch.unit.tx, _latest(batch.items))
    openings = await surveys.surveys_of(batch.unit.tx, [case.opening_survey for case in new if case.opening_survey])
    in_force = await policies_in_force(batch.unit, deps.settings.first_policies)
    after = timedelta(seconds=in_force[RECOVERY].terms.after_s)
    asked_about = [case for case in new if case.opening_survey in openings and openings[case.opening_survey].kind != RECOVERY]
    await callbacks.schedule_recoveries(batch.unit.tx, {case.case_id: case.answered_at + after for case in asked_about})


def _latest(items: Iterable[Delivery[CallbackChanged]]) -> dict[UUID, CallbackChanged]:
    """Of each case the highest revision."""
    return {item.message.case_id: item.message for item in sorted(items, key=lambda item: item.message.revision)}


HANDLERS: Mapping[str, Handler[Deps]] = {
    "interactions.completed": Handler(InteractionCompleted, interaction_completed, ahead=look_at_contacts),
    "customers.changed": Handler(CustomerChanged, customer_changed),
    "consents.changed": Handler(ConsentChanged, consent_changed, inbox=True),
    "callbacks.changed": Handler(CallbackChanged, callback_changed),
    "customers.erased": Handler(CustomerErased, customer_erased, inbox=True, identity=lambda message: str(message.request_id)),
    "survey.responses": Handler(SurveyAnswered, survey_answered, inbox=True, identity=lambda message: message.answer_id),
}
