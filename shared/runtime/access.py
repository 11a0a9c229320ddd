"""Who may do what: every route names its permission or says that it is open to all; what says nothing is closed.

People carry one signed cookie for the three services, machines an API key whose secret rests hashed.
"""

import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import jwt
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts

from shared.runtime.database import Database
from shared.runtime.keys import Budget, KeyRing
from shared.runtime.parameters import refuse_unknown
from shared.runtime.problems import Problem, not_found, wants_page
from shared.runtime.rights import ALL, ALL_TEAMS, ROLES, Permission, Principal, Teams
from shared.runtime.settings import ServiceSettings

__all__ = [
    "ALL",
    "ALL_TEAMS",
    "COOKIE",
    "Access",
    "Permission",
    "Principal",
    "Teams",
    "allow",
    "declared",
    "open_to_all",
    "undeclared_routes",
]

COOKIE: Final = "aftercall_session"


class Access:
    """Signs and reads sessions and login links; looks API keys up. One per service, in `app.state.access`."""

    def __init__(self, settings: ServiceSettings, database: Database) -> None:
        self.settings = settings
        self._keys = KeyRing(database, trusted_s=settings.key_cache_s)
        self.budget = Budget(settings.key_rate)

    def session(self, person: Principal) -> str:
        """The cookie's value: stateless, so it ends by its age, not by a list."""
        return self._signed(person, audience="session", seconds=self.settings.session_s)

    def login_link(self, person: Principal, *, base: str | None = None) -> str:
        """An address that signs in for ten minutes. Stateless: within them it works more than once."""
        link = self._signed(person, audience="login", seconds=self.settings.login_link_s)
        return f"{base or self.settings.public_url}/sign-in?link={link}"

    def read(self, token: str, *, audience: str) -> Principal | None:
        try:
            claims = jwt.decode(
                token,
                self.settings.cookie_secret,
                algorithms=["HS256"],
                audience=f"aftercall-{audience}",
                options={"require": ["exp", "sub", "name", "roles", "teams"]},
            )
        except jwt.InvalidTokenError:
            return None
        return Principal("person", claims["sub"], claims["name"], frozenset(claims["roles"]) & ROLES, Teams(claims["teams"]))

    async def principal(self, request: Request) -> Principal | None:
        """Who sent this request; a bad key or cookie is nobody."""
        header = request.headers.get("authorization")
        if header is not None:
            scheme, _, key = header.partition(" ")
            return await self._keys.principal(key.strip()) if scheme.lower() == "bearer" else None
        return self.read(request.cookies.get(COOKIE, ""), audience="session")

    def _signed(self, person: Principal, *, audience: str, seconds: float) -> str:
        now = int(time.time())
        claims = {"sub": person.ref, "name": person.name, "roles": sorted(person.roles), "teams": sorted(person.teams)}
        times = {"aud": f"aftercall-{audience}", "iat": now, "exp": now + int(seconds)}
        return jwt.encode(claims | times, self.settings.cookie_secret, algorithm="HS256")


class Allow:
    """The dependency that lets a principal with the permission through."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Principal:
        access: Access = request.app.state.access
        principal = await access.principal(request)
        if principal is None:
            raise _sign_in_first(request)
        if not principal.may(self.permission):
            raise _no_right(request)
        if principal.kind == "key" and not access.budget.take(principal.ref, at=time.monotonic()):
            raise Problem(429, "too_many_requests", "Over the rate of this key: wait a second", headers={"Retry-After": "1"})
        refuse_unknown(request)  # not before: what there is to ask is told to those who may
        return principal


def allow(permission: Permission) -> Allow:
    """`Annotated[Principal, Depends(allow(CLAIM))]`: 401 or 403 for machines; people are sent to sign in, or see what does not exist."""
    return Allow(permission)


async def open_to_all() -> None:
    """`dependencies=[Depends(open_to_all)]`: this route is public, and says so."""


def _sign_in_first(request: Request) -> Problem:
    if not wants_page(request):
        words = "Send an API key as `Authorization: Bearer ak_…`, or sign in"
        return Problem(401, "not_signed_in", words, headers={"WWW-Authenticate": "Bearer"})
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(asked, safe='/')}" if request.method == "GET" else ""
    return Problem(303, "not_signed_in", "Sign in first", headers={"Location": f"/sign-in{back}"})


def _no_right(request: Request) -> Problem:
    if wants_page(request):
        return not_found()
    return Problem(403, "not_allowed", "Your roles or scopes do not include this")


def declared(app: FastAPI) -> Iterator[tuple[str, str, Permission | None]]:
    """Method, route template and permission (None: open to all) of every route that declares itself."""
    for methods, path, marks in _routes(app):
        for method in methods if len(marks) == 1 else ():
            yield method, path, marks[0]


def undeclared_routes(app: FastAPI) -> list[str]:
    """Routes that carry neither a permission nor `open_to_all`, or more than one of them: each is a fault."""
    return [f"{method} {path}" for methods, path, marks in _routes(app) for method in methods if len(marks) != 1]


def _routes(app: FastAPI) -> Iterator[tuple[list[str], str, list[Permission | None]]]:
    for context in iter_route_contexts(app.routes):
        marks = list(_marks(context.dependant)) if isinstance(context.original_route, APIRoute) else []
        yield sorted(context.methods or {"*"}), context.path or "", marks


def _marks(dependant: Any) -> Iterator[Permission | None]:
    for each in dependant.dependencies:
        if isinstance(each.call, Allow):
            yield each.call.permission
        elif each.call is open_to_all:
            yield None
        yield from _marks(each)
