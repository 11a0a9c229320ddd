"""Who may do what: every route names its permission or says that it is open to all; what says nothing is closed.

People carry one signed cookie for the three services, machines an API key whose secret rests hashed.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import jwt
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts

from shared.runtime.database import Database, as_json, row, run
from shared.runtime.errors import AftercallError
from shared.runtime.problems import Problem, not_found, wants_page
from shared.runtime.settings import ServiceSettings

ROLES: Final = frozenset({"guide", "supervisor", "analyst", "admin"})
SCOPES: Final = frozenset({"platform", "crm", "dialer"})
COOKIE: Final = "aftercall_session"
ALL: Final = "*"


class Teams(frozenset[str]):
    """The teams of a person; `ALL_TEAMS` has every team."""

    def __contains__(self, team: object) -> bool:
        return frozenset.__contains__(self, ALL) or frozenset.__contains__(self, team)


ALL_TEAMS: Final = Teams({ALL})


@dataclass(frozen=True, slots=True)
class Permission:
    """What a route needs: any one of the roles, or any one of the API-key scopes."""

    name: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: a `person` with roles and teams, or a `key` with scopes and, where restricted, its platform and account."""

    kind: str
    ref: str
    name: str
    roles: frozenset[str] = frozenset()
    teams: frozenset[str] = Teams()
    scopes: frozenset[str] = frozenset()
    platform: str | None = None
    account: str | None = None

    def has_team(self, team: str | None) -> bool:
        """A case without a team belongs to those who see all teams."""
        return ALL in self.teams or (team is not None and team in self.teams)

    def may(self, permission: Permission) -> bool:
        return bool(self.roles & permission.roles or self.scopes & permission.scopes)

    def may_send_for(self, platform: str, account: str) -> bool:
        """An API key may be restricted to one platform, or one account of it."""
        return self.platform in (None, platform) and self.account in (None, account)


class UnknownRights(AftercallError):
    def __init__(self, what: str, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__(f"There is no {what} {', '.join(sorted(unknown))}: choose among {', '.join(sorted(known))}")


def rights(what: str, chosen: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The chosen roles or scopes; at least one, all known."""
    names = frozenset(chosen)
    if not names or names - known:
        raise UnknownRights(what, names - known or ["at all"], known)
    return names


class Access:
    """Signs and reads sessions and login links; looks API keys up. One per service, in `app.state.access`."""

    def __init__(self, settings: ServiceSettings, database: Database) -> None:
        self.settings = settings
        self._database = database
        self._keys: dict[bytes, tuple[float, Principal]] = {}

    def session(self, person: Principal) -> str:
        """The cookie's value: stateless, so it ends by its age, not by a list."""
        return self._signed(person, audience="session", seconds=self.settings.session_s)

    def login_link(self, person: Principal, *, base: str | None = None) -> str:
        """An address that signs in for ten minutes. Stateless: within them it works more than once."""
        return (
            f"{base or self.settings.public_url}/sign-in?link={self._signed(person, audience='login', seconds=self.settings.login_link_s)}"
        )

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
            return await self.key(key.strip()) if scheme.lower() == "bearer" else None
        return self.read(request.cookies.get(COOKIE, ""), audience="session")

    async def key(self, key: str) -> Principal | None:
        """The principal of a live API key; trusted for `key_cache_s` once checked, so a revoked key lives that much longer."""
        digest = _hash(key)
        until, known = self._keys.get(digest, (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        found = await self._look_up(key)
        if found is not None:
            self._remember(digest, found)
        return found

    async def _look_up(self, key: str) -> Principal | None:
        prefix, _, rest = key.partition("_")
        key_id, _, chosen = rest.partition("_")
        if prefix != "ak" or not key_id.isalnum() or not key_id.isascii() or not chosen:
            return None
        async with self._database.transaction() as unit:
            kept = await row(
                unit.tx, "select * from api_key where id = :id and not revoked and (expires is null or expires > now())", id=key_id
            )
        if kept is None or not hmac.compare_digest(bytes(kept["hash"]), _hash(chosen)):
            return None
        return Principal("key", key_id, kept["name"], scopes=frozenset(kept["scopes"]), platform=kept["platform"], account=kept["account"])

    def _remember(self, digest: bytes, principal: Principal) -> None:
        if len(self._keys) >= 1024:
            self._keys.clear()
        self._keys[digest] = time.monotonic() + self.settings.key_cache_s, principal

    def _signed(self, person: Principal, *, audience: str, seconds: float) -> str:
        now = int(time.time())
        claims = {"sub": person.ref, "name": person.name, "roles": sorted(person.roles), "teams": sorted(person.teams)}
        times = {"aud": f"aftercall-{audience}", "iat": now, "exp": now + int(seconds)}
        return jwt.encode(claims | times, self.settings.cookie_secret, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key to be. `replaces` names an older one that stays live for `grace` more: two are live while its clients change over."""

    name: str
    scopes: Iterable[str]
    platform: str | None = None
    account: str | None = None
    expires: datetime | None = None
    replaces: str | None = None
    grace: timedelta = timedelta(days=1)


_INSERT_KEY = """
insert into api_key (id, hash, name, scopes, platform, account, expires)
values (:id, :hash, :name, cast(:scopes as jsonb), :platform, :account, :expires)"""


async def create_key(database: Database, new: NewKey) -> str:
    """The key, shown this once: only the hash of its secret is kept."""
    scopes, key_id, secret = sorted(rights("scope", new.scopes, SCOPES)), secrets.token_hex(6), secrets.token_urlsafe(32)
    kept = {"id": key_id, "hash": _hash(secret), "name": new.name, "scopes": as_json(scopes)}
    limits = {"platform": new.platform, "account": new.account, "expires": new.expires}
    async with database.transaction() as unit:
        await run(unit.tx, _INSERT_KEY, **kept, **limits)
        if new.replaces:
            await run(
                unit.tx, "update api_key set expires = least(expires, :end) where id = :id", id=new.replaces, end=unit.now + new.grace
            )
    return f"ak_{key_id}_{secret}"


async def revoke_key(database: Database, key_id: str) -> bool:
    """False where there is no such key."""
    async with database.transaction() as unit:
        return await run(unit.tx, "update api_key set revoked = true where id = :id", id=key_id) == 1


def _hash(secret: str) -> bytes:
    """SHA-256 is enough: the secret is 256 random bits, not a person's password."""
    return hashlib.sha256(secret.encode()).digest()


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
        return principal


def allow(permission: Permission) -> Allow:
    """`Annotated[Principal, Depends(allow(CLAIM))]`: 401 or 403 for machines; people are sent to sign in, or see what does not exist."""
    return Allow(permission)


async def open_to_all() -> None:
    """`dependencies=[Depends(open_to_all)]`: this route is public, and says so."""


def _sign_in_first(request: Request) -> Problem:
    if not wants_page(request):
        return Problem(
            401, "not_signed_in", "Send an API key as `Authorization: Bearer ak_…`, or sign in", headers={"WWW-Authenticate": "Bearer"}
        )
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
