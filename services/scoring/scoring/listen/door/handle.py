"""The one door for answers. Pages and SMS replies come through it in the request's transaction, outsiders' messages in their batch's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Protocol
from uuid import UUID, uuid4

from scoring.ask.model import Survey
from scoring.decide import store as decisions
from scoring.listen import store
from scoring.listen.accept import Asked, accept
from scoring.listen.model import Accepted, Became, Kept, Said
from scoring.listen.publish import Story, counted, feedback_row, feedback_scored, place_of
from scoring.metrics import ScoringMetrics
from scoring.people import store as people
from scoring.score import store as scores
from scoring.score.tally import Move, changes
from scoring.settings import Settings
from shared import nps
from shared.runtime.database import Unit
from shared.runtime.sealing import Sealer
from shared.schemas import Contact, Sealed
from shared.words import cleaned


class Listening(Protocol):
    """What listening needs of the service's dependencies."""

    @property
    def sealer(self) -> Sealer: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def metrics(self) -> ScoringMetrics: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """An answer to a survey. `id` names it in the history."""

    survey: Survey
    said: Said
    id: UUID

    @staticmethod
    def of(survey: Survey, said: Said) -> "Arrival":
        return Arrival(survey, said, uuid4())


async def accept_answers(unit: Unit, deps: Listening, arrivals: Sequence[Arrival]) -> list[Accepted]:
    """What became of each, in the order given. Locks, then reads, then decides; the counts, which everybody shares, come last."""
    if not arrivals:
        return []
    surveys = {each.survey.id: each.survey for each in arrivals}
    stories = await _stories(unit, surveys)
    await store.lock_surveys(unit.tx, surveys)
    desk = _Desk(
        unit,
        deps,
        stories,
        kept=await store.kept(unit.tx, surveys, deps.sealer),
        numbers=await store.how_many(unit.tx, surveys),
        partial=await store.partial_answers(unit.tx, surveys, deps.sealer),
    )
    accepted = [desk.take(arrival) for arrival in arrivals]
    await store.keep(unit.tx, desk.history)
    await scores.keep_feedback(unit.tx, [desk.rows[survey_id] for survey_id in sorted(desk.rows)])
    await unit.flush()
    await scores.count(unit.tx, changes(desk.moves))
    return accepted


async def _stories(unit: Unit, surveys: Mapping[UUID, Survey]) -> dict[UUID, Story]:
    """Locks the customers first: their messages leave in this order."""
    ids = {survey.customer_id for survey in surveys.values() if survey.customer_id is not None}
    now_known = await people.lock(unit.tx, ids)
    customers = {each: await people.customer(unit.tx, each) for each in sorted(ids)}
    stories = {}
    for survey in surveys.values():
        person = survey.customer_id
        stories[survey.id] = Story(
            survey,
            key=now_known.get(person, person) if person else None,
            customer=customers[person] if person else None,
            contact=Contact.model_validate(survey.contact) if survey.contact else None,
            decision=await decisions.decision_story(unit.tx, survey.decision_id),
        )
    return stories


@dataclass(slots=True)
class _Desk:
    """Takes the answers of one transaction one after the other, and gathers what is to be written."""

    unit: Unit
    deps: Listening
    stories: Mapping[UUID, Story]
    kept: dict[UUID, Kept]
    numbers: dict[UUID, int]
    partial: dict[UUID, list[Said]]
    history: list[dict[str, object]] = field(default_factory=list)
    rows: dict[UUID, dict[str, object]] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)

    def take(self, arrival: Arrival) -> Accepted:
        survey = arrival.survey
        asked = asked_of(survey, self.deps.settings)
        said = replace(
            arrival.said,
            answered_at=asked.moment(arrival.said.answered_at, self.unit.now),
            comment=None if arrival.said.comment is None else cleaned(arrival.said.comment),
        )
        if self.stories[survey.id].of_somebody_forgotten:
            said = replace(said, comment=None, wish=None, language=None)
        before = self.kept.get(survey.id)
        accepted = accept(asked, before.standing if before else None, said, earlier=self.partial.get(survey.id, ()))
        self._remember(replace(arrival, said=said), accepted)
        self.unit.when_committed(partial(self.deps.metrics.answered, said.channel, accepted.became))
        if accepted.standing is None:
            self.partial.setdefault(survey.id, []).append(said)
        else:
            self._keep(self.stories[survey.id], before, accepted)
        return accepted

    def _remember(self, arrival: Arrival, accepted: Accepted) -> None:
        said, survey_id = arrival.said, arrival.survey.id
        self.numbers[survey_id] = self.numbers.get(survey_id, 0) + 1
        self.history.append(
            {
                "id": arrival.id,
                "survey_id": survey_id,
                "number": self.numbers[survey_id],
                "channel": said.channel,
                "became": accepted.became,
                "revision": accepted.published.revision if accepted.published else None,
                "score": said.score,
                "comment": self._seal(said.comment),
                "resolved": said.resolved,
                "callback": said.callback,
                "callback_wish": None if said.wish is None else list(said.wish),
                "language": said.language,
                "answered_at": said.answered_at,
                "received_at": self.unit.now,
            }
        )

    def _keep(self, story: Story, before: Kept | None, accepted: Accepted) -> None:
        """Publish, count anew where it changed, and note what stands."""
        standing, published = accepted.standing, accepted.published
        if standing is None or published is None:
            return
        survey_id = story.survey.id
        place = place_of(story, standing.answer, self.deps.settings.company_zone, known=before.place if before else None)
        if accepted.moves:
            self.moves.append((counted(before.place, before.standing.answer) if before else None, counted(place, standing.answer)))
        if accepted.became is Became.FIRST:
            scored = partial(self.deps.metrics.scored, place.kind, channel=place.channel, band=nps.band(standing.answer.score))
            self.unit.when_committed(scored)
        self.kept[survey_id] = Kept(standing, place)
        self.rows[survey_id] = feedback_row(story, standing, place, comment=self._seal(standing.answer.comment))
        message = feedback_scored(story, published, self._seal(published.comment))
        self.unit.send(message, key=story.key or survey_id, correlation=story.survey.interaction_id or story.survey.anchor)

    def _seal(self, comment: str | None) -> Sealed | None:
        return self.deps.sealer.seal(comment) if comment else None


def asked_of(survey: Survey, settings: Settings) -> Asked:
    return Asked(survey.sent_at or survey.asked_at, survey.expires_at, timedelta(seconds=settings.amend_s))
