"""The survey page: `/s/{token}` and below. GET and HEAD record nothing; a form is a POST that comes back as a page of its own.

Unknown and malformed tokens take the same path and the same one look-up.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from scoring.ask import store as surveys
from scoring.ask.model import Survey
from scoring.listen import store
from scoring.listen.consents import of_page
from scoring.listen.door.handle import Arrival, accept_answers
from scoring.listen.frame.pages import KeptOnFault, closed, deps_of, not_found, posted, said, see, show, words_for
from scoring.listen.handle import remember_consents, token_hash
from scoring.listen.model import Accepted, Became, Standing
from scoring.listen.view import Form, Reader, asks_for_call, call_line, facts, form, reader, until
from scoring.listen.wish import slots_of
from scoring.people import store as people
from shared.runtime.access import open_to_all
from shared.runtime.database import Unit

router = APIRouter(prefix="/s/{token}", route_class=KeptOnFault, dependencies=[Depends(open_to_all)], include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Visit:
    """An open transaction, the survey of the token, and what stands for it."""

    unit: Unit
    survey: Survey
    standing: Standing | None
    reader: Reader

    @property
    def expired(self) -> bool:
        return self.survey.has_expired(self.unit.now)


@router.api_route("", methods=["GET", "HEAD"])
async def ask(request: Request, token: str) -> Response:
    """The question; once answered the answer, to change for a while and then to read."""

    async def serve(visit: _Visit) -> Response:
        if visit.standing is None:
            return _question(request, token, visit, chosen=_preselected(request))
        if visit.standing.is_open(visit.unit.now):
            return _question(request, token, visit, chosen=visit.standing.answer.score)
        return _answered(request, token, visit, visit.standing)

    return await _visited(request, token, serve)


@router.post("")
async def score(request: Request, token: str) -> Response:
    """A score, the first one or a change."""
    given = form(await posted(request))

    async def take(visit: _Visit) -> Response:
        if given.score is None:
            return closed(request, visit.reader.words) if visit.expired else _question(request, token, visit, chosen=None, wrong=True)
        accepted = await _accept(request, visit, given, with_score=True)
        if visit.expired:
            return _late(request, visit)
        return see(request, _path(token) + {Became.FIRST: "/more", Became.AMENDED: "/thanks"}.get(accepted.became, ""))

    return await _visited(request, token, take, when_closed=True)


@router.api_route("/more", methods=["GET", "HEAD"])
async def ask_more(request: Request, token: str) -> Response:
    """Three optional questions that complete the answer."""

    async def serve(visit: _Visit) -> Response:
        if visit.standing is None or not visit.standing.is_open(visit.unit.now):
            return see(request, _path(token))
        return _more(request, token, visit, visit.standing)

    return await _visited(request, token, serve)


@router.post("/more")
async def more(request: Request, token: str) -> Response:
    """Words and wishes: they complete an answer, are added to one that no longer changes, or wait for the score."""
    given = form(await posted(request))

    async def take(visit: _Visit) -> Response:
        accepted = await _accept(request, visit, given, with_score=False)
        if visit.expired:
            return _late(request, visit)
        return see(request, _path(token) + ("" if accepted.standing is None else "/thanks"))

    return await _visited(request, token, take, when_closed=True)


@router.api_route("/thanks", methods=["GET", "HEAD"])
async def thanks(request: Request, token: str) -> Response:
    """The answer repeated, what happens next, and until when it can be changed."""

    async def serve(visit: _Visit) -> Response:
        if visit.standing is None:
            return see(request, _path(token))
        return _thanks(request, token, visit, visit.standing)

    return await _visited(request, token, serve)


@router.api_route("/stop", methods=["GET", "HEAD"])
async def ask_stop(request: Request, token: str) -> Response:
    """Asks whether to stop; only the button does it. Also after the survey has closed."""

    async def serve(visit: _Visit) -> Response:
        return show(request, "stop", visit.reader.words, values={"path": _path(token)})

    return await _visited(request, token, serve, when_closed=True)


@router.post("/stop")
async def stop(request: Request, token: str) -> Response:
    """No more questions to this person, by any channel, at once."""

    async def take(visit: _Visit) -> Response:
        survey, words = visit.survey, visit.reader.words
        await remember_consents(visit.unit, [of_page(customer_id=survey.customer_id, address_ref=survey.address_ref, at=visit.unit.now)])
        return said(request, words, words.stopped, meaning=words.stopped_means)

    return await _visited(request, token, take, when_closed=True)


# ---- one visit --------------------------------------------------------------------------------------------------------------------


async def _visited(request: Request, token: str, serve: Callable[[_Visit], Awaitable[Response]], *, when_closed: bool = False) -> Response:
    """One look-up by the token's hash, whatever the token. A closed survey is as soon done with as an unknown one, unless `when_closed`."""
    deps = deps_of(request)
    async with deps.database.transaction() as unit:
        survey = await surveys.survey_by_token_hash(unit.tx, token_hash(token))
        if survey is None:
            return not_found(request)
        if survey.has_expired(unit.now) and not when_closed:
            return closed(request, words_for(request, survey.language))
        kept = await store.kept(unit.tx, [survey.id], deps.sealer)
        standing = kept[survey.id].standing if survey.id in kept else None
        return await serve(_Visit(unit, survey, standing, await _reader(request, unit, survey)))


async def _reader(request: Request, unit: Unit, survey: Survey) -> Reader:
    deps = deps_of(request)
    customer = await people.customer(unit.tx, survey.customer_id) if survey.customer_id else None
    private = deps.sealer.unseal(customer.private) if customer and customer.private else {}
    words = words_for(request, survey.language)
    return reader(words, customer, addresses=private.get("addresses", {}), company_zone=deps.settings.company_zone)


async def _accept(request: Request, visit: _Visit, given: Form, *, with_score: bool) -> Accepted:
    said = given.said(visit.reader, visit.unit.now, with_score=with_score)
    (accepted,) = await accept_answers(visit.unit, deps_of(request), [Arrival.of(visit.survey, said)])
    return accepted


# ---- pages ------------------------------------------------------------------------------------------------------------------------


def _question(request: Request, token: str, visit: _Visit, *, chosen: int | None, wrong: bool = False) -> Response:
    answered = visit.standing.answer if visit.standing else None
    at = visit.reader.clock(answered.answered_at) if answered else None
    values = {"path": _path(token), "answered": answered, "answered_at": at, "chosen": chosen, "wrong": wrong}
    return show(request, "ask", visit.reader.words, status=422 if wrong else 200, values=values)


def _more(request: Request, token: str, visit: _Visit, standing: Standing) -> Response:
    answer, who = standing.answer, visit.reader
    asks = asks_for_call(visit.survey, answer, who, up_to=deps_of(request).settings.callback_up_to)
    values = {
        "path": _path(token),
        "answered": answer,
        "asks_for_call": asks,
        "ending": who.ending,
        "slots": slots_of(answer.wish, who.zone),
    }
    return show(request, "more", who.words, values=values)


def _thanks(request: Request, token: str, visit: _Visit, standing: Standing) -> Response:
    answer, who = standing.answer, visit.reader
    values = {
        "path": _path(token),
        "facts": facts(answer, who),
        "call_line": call_line(answer, who),
        "until": until(standing, who, now=visit.unit.now),
    }
    return show(request, "thanks", who.words, values=values)


def _answered(request: Request, token: str, visit: _Visit, standing: Standing) -> Response:
    answer, who = standing.answer, visit.reader
    values = {"path": _path(token), "answered": answer, "answered_at": who.clock(answer.answered_at), "facts": facts(answer, who)}
    return show(request, "answered", who.words, values=values)


def _late(request: Request, visit: _Visit) -> Response:
    words = visit.reader.words
    return said(request, words, words.late, meaning=words.late_means)


def _preselected(request: Request) -> int | None:
    """A link may name a score to select; the customer still presses Send."""
    return form([("score", request.query_params.get("score", ""))]).score


def _path(token: str) -> str:
    return f"/s/{token}"
