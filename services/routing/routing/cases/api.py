"""The routes of cases, and how their refusals are answered."""

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from routing.cases.queue.api import router as reading
from routing.cases.work.api import router as working
from routing.errors import Changed, NoSuchCase, Refused, VersionUnknown
from shared.runtime.problems import Problem, answer
from shared.schemas.fields import in_wire_form

routers: tuple[APIRouter, ...] = (reading, working)


def problem(error: Exception) -> Problem:
    """409 with who and when for what somebody else changed, 409 with a code for what the table refuses, 404 for what is not there."""
    match error:
        case Changed():
            who = {"by": error.by, "by_ref": error.by_ref, "at": in_wire_form(error.at), "revision": error.revision, "change": error.change}
            return Problem(409, error.code, str(error), **who)
        case Refused():
            return Problem(409, error.code, str(error))
        case NoSuchCase() | VersionUnknown():
            return Problem(404, "not_found", str(error))
    raise error


async def refuse(request: Request, error: Exception) -> Response:
    return answer(request, problem(error))


def install(app: FastAPI) -> None:
    """Make these errors answers of the application."""
    for kind in (Changed, Refused, NoSuchCase, VersionUnknown):
        app.add_exception_handler(kind, refuse)
