"""What every page of the survey is framed by: language, company, and an answer also where the database is away."""

import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, cast

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute

from scoring.listen.door.handle import Listening
from scoring.listen.misses import Misses, Proxies
from scoring.listen.view import form
from scoring.listen.words.choice import LANGUAGES, accepted, choose, others
from scoring.listen.words.model import Words
from shared.runtime.database import Database, worlds_fault
from shared.runtime.web import page

RETRY_AFTER_S = 10
CLOSED = 410


class Asking(Listening, Protocol):
    """What the pages need of `app.state.deps`."""

    @property
    def database(self) -> Database: ...

    @property
    def misses(self) -> Misses: ...

    @property
    def proxies(self) -> Proxies: ...


class KeptOnFault(APIRoute):
    """Where the world fails (no database), a page of ours: a posted form comes back filled, so that nothing the customer said is lost."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        serve = super().get_route_handler()

        async def kept(request: Request) -> Response:
            try:
                return await serve(request)
            except Exception as error:
                if not worlds_fault(error):
                    raise
                return await away(request)

        return kept


def deps_of(request: Request) -> Asking:
    return cast("Asking", request.app.state.deps)


def words_for(request: Request, invited_in: str | None = None) -> Words:
    """The language asked for by the page's own link, else the invitation's, else the browser's."""
    return choose(request.query_params.get("lang"), invited_in, *accepted(request.headers.get("accept-language")))


def show(request: Request, template: str, words: Words, *, status: int = 200, values: Mapping[str, object] | None = None) -> HTMLResponse:
    """The page of that name; `values` are its own."""
    settings = deps_of(request).settings
    frame: dict[str, object] = {
        "words": words,
        "brand": settings.brand,
        "languages": others(words),
        "contact_url": settings.contact_url,
        "chosen_language": language_asked(request),
        "again": None,
        "primary": status == CLOSED,
    }
    answer = page(request.app.state.templates, f"survey/{template}.html", status=status, **{**frame, **(values or {})})
    if status == 503:
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def said(request: Request, words: Words, heading: str, *, meaning: str, status: int = 200) -> Response:
    """A page of one sentence and what it means."""
    return show(request, "closed", words, status=status, values={"heading": heading, "meaning": meaning})


def closed(request: Request, words: Words) -> Response:
    return said(request, words, words.closed, meaning=words.closed_means, status=CLOSED)


def not_found(request: Request) -> Response:
    """No survey has this token: 404, and 429 for an address that asked for too many of those."""
    words, deps = words_for(request), deps_of(request)
    peer = request.client.host if request.client else None
    wait = deps.misses.miss(deps.proxies.caller(peer, request.headers.getlist("x-forwarded-for")), at=time.monotonic())
    deps.metrics.survey_misses.labels("too_many" if wait else "not_found").inc()
    if not wait:
        return said(request, words, words.not_found, meaning=words.not_found_means, status=404)
    seconds = str(math.ceil(wait))
    answer = said(request, words, words.too_many, meaning=words.too_many_means.format(seconds=seconds), status=429)
    answer.headers["Retry-After"] = seconds
    return answer


async def away(request: Request) -> Response:
    """503. An answer comes back as a form with one button; anything else can be opened again."""
    words = words_for(request)
    if request.method != "POST" or request.url.path.endswith("/stop"):
        values = {"heading": words.away, "meaning": words.away_means, "again": request.url.path + language_asked(request)}
        return show(request, "closed", words, status=503, values=values)
    fields = await posted(request)
    return show(request, "kept", words, status=503, values={"fields": fields, "score": form(fields).score})


async def posted(request: Request) -> list[tuple[str, str]]:
    """The form's fields in order; an uploaded file is its name."""
    return [(name, str(value)) for name, value in (await request.form()).multi_items()]


def see(request: Request, path: str) -> Response:
    """303, so that reloading a page never posts a form again."""
    return RedirectResponse(f"{path}{language_asked(request)}", 303)


def language_asked(request: Request) -> str:
    asked = request.query_params.get("lang", "")
    return f"?lang={asked}" if asked in LANGUAGES else ""
