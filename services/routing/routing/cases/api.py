"""Who may do what with cases, and how refusals are answered. A person may hold several roles; rights add up."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from starlette.responses import Response

from routing.cases.model import By
from routing.deps import Deps
from routing.errors import Changed, Claimed, NoSuchCase, Refused, VersionUnknown
from shared.runtime.access import ALL, Permission, Principal
from shared.runtime.problems import Problem, answer
from shared.schemas.fields import in_wire_form

READ: Final = Permission("cases.read", roles=frozenset({"guide", "supervisor", "admin"}))
WORK: Final = Permission("cases.work", roles=frozenset({"guide", "supervisor"}))
"""Claim, log a call, see the number: not for admins."""

MOVE: Final = Permission("cases.move", roles=frozenset({"guide", "supervisor", "admin"}))
"""Give back, resolve, reopen."""

LEAD: Final = Permission("cases.lead", roles=frozenset({"supervisor", "admin"}))
"""Assign to others, close, give back what is somebody else's."""


def deps_of(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


Given = Annotated[Deps, Depends(deps_of)]


def teams_of(person: Principal, permission: Permission) -> frozenset[str] | None:
    """The teams whose cases this permission opens; None for all of them. An admin's reach does not widen what only others may do."""
    if ALL in frozenset(person.teams) or ("admin" in person.roles and "admin" in permission.roles):
        return None
    return frozenset(person.teams)


def by_of(person: Principal) -> By:
    """How the history names a person."""
    kind = next((role for role in ("guide", "supervisor", "admin") if role in person.roles), person.kind)
    return By(kind=kind, ref=person.ref, name=person.name)


def problem(error: Changed | Refused | NoSuchCase | VersionUnknown) -> Problem:
    """409 with who and when for what somebody else changed, 409 with a code for what the table refuses, 404 for what is not there."""
    match error:
        case Changed():
            at = in_wire_form(error.at)
            return Problem(
                409, error.code, str(error), by=error.by, by_ref=error.by_ref, at=at, revision=error.revision, change=error.change
            )
        case Claimed():
            return Problem(409, error.code, str(error), by=error.by, at=in_wire_form(error.at) if error.at else None)
        case Refused():
            return Problem(409, error.code, str(error))
        case NoSuchCase() | VersionUnknown():
            return Problem(404, "not_found", str(error))


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Changed | Refused | NoSuchCase | VersionUnknown)
    return answer(request, problem(error))


def install(app: FastAPI) -> None:
    """Make these errors answers of the application."""
    for kind in (Changed, Refused, NoSuchCase, VersionUnknown):
        app.add_exception_handler(kind, refuse)
