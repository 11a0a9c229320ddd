"""Every route of every service says who may use it, and machines and people cannot use each other's."""

import importlib
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Principal, declared, undeclared_routes
from shared.runtime.memory import MemoryBroker
from shared.runtime.rights import ROLES, SCOPES
from shared.runtime.settings import load

SERVICES = ("ingest", "scoring", "routing")
EVERYWHERE = ("/sign-in", "/sign-out", "/static/", "/openapi.json", "/asyncapi.json", "/metrics", "/livez", "/readyz")
OPEN = {
    "ingest": ("/v1/webhooks/{platform}",),
    "scoring": ("/s/{token}", "/v1/replies/sms", "/v1/receipts/{gateway}"),
    "routing": (),
}
"""What a service leaves open to all: these paths and what stands below them, which a token or a signature guards."""


def _built(service: str) -> Any:
    settings = importlib.import_module(f"{service}.settings").Settings
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"
    return importlib.import_module(f"{service}.app").build(load(settings, database_url=nowhere), broker=MemoryBroker())


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_names_its_permission_or_says_that_it_is_open(service: str) -> None:
    built = _built(service)
    assert undeclared_routes(built.public) == []
    assert undeclared_routes(built.internal) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_is_open_to_all_but_what_is_listed(service: str) -> None:
    for app in _apps(service):
        opened = [path for _, path, permission in declared(app) if permission is None]
        assert [path for path in opened if not path.startswith(EVERYWHERE + OPEN[service])] == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_permission_names_only_roles_and_scopes_there_are(service: str) -> None:
    for app in _apps(service):
        for _, path, permission in declared(app):
            assert permission is None or permission.roles | permission.scopes, path
            assert permission is None or (permission.roles <= ROLES and permission.scopes <= SCOPES), path


@pytest.mark.parametrize("service", SERVICES)
async def test_nobody_gets_through_a_route_that_is_not_open(service: str) -> None:
    for app in _apps(service):
        for method, path, permission in declared(app):
            if permission:
                assert (await _ask(app, method, path, role=None)) == 401, (method, path)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_role_is_refused_wherever_it_is_not_named(service: str, role: str) -> None:
    for app in _apps(service):
        for method, path, permission in declared(app):
            if permission and role not in permission.roles:
                assert (await _ask(app, method, path, role=role)) == 403, (method, path, role)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_parameter_that_a_reading_route_does_not_know_is_named_and_those_it_knows_are_listed(service: str) -> None:
    for app in _apps(service):
        paths = app.openapi()["paths"]
        for method, path, permission in declared(app):
            if permission and permission.roles and method == "GET" and path.startswith("/v1/"):
                answer = await _answer(app, method, path, role=min(permission.roles), query="?chanel=phone")
                known = sorted(each["name"] for each in paths[path]["get"].get("parameters", ()) if each["in"] == "query")
                assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter"), path
                assert answer.json()["errors"] == [{"path": "chanel", "reason": "unknown_parameter"}], path
                assert answer.json()["detail"].endswith(f"This takes {', '.join(known) or 'no parameters'}"), path


def _apps(service: str) -> tuple[FastAPI, FastAPI]:
    built = _built(service)
    return built.public, built.internal


async def _ask(app: FastAPI, method: str, path: str, *, role: str | None) -> int:
    return (await _answer(app, method, path, role=role)).status_code


async def _answer(app: FastAPI, method: str, path: str, *, role: str | None, query: str = "") -> httpx.Response:
    access: Access = app.state.access
    person = Principal("person", "p-1", "Nobody", frozenset({role} if role else ()), ALL_TEAMS)
    cookies = {COOKIE: access.session(person)} if role else {}
    filled = "/".join("7" if part.startswith("{") else part for part in path.split("/"))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://a", cookies=cookies
    ) as client:
        return await client.request(method, filled + query)
