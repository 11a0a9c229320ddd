"""Scoring as `app.build` makes it, asked over HTTP, with its handlers and timers called by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from scoring.app import build
from scoring.settings import Settings
from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Principal, Teams
from shared.runtime.database import Database
from shared.runtime.memory import MemoryBroker
from shared.runtime.process import Service
from tests.support.asking import EVERYBODY, KEYS, PEPPER, Scoring

HOST = "http://scoring.example.com"


@dataclass
class Served:
    """`scoring` drives what the runtime would; `http` talks to the public port."""

    service: Service
    scoring: Scoring
    http: httpx.AsyncClient

    def cookie(self, *roles: str, teams: Teams = ALL_TEAMS) -> dict[str, str]:
        """The headers of a signed-in person on our own pages."""
        access: Access = self.service.public.state.access
        person = Principal("person", "p-ana", "Ana", frozenset(roles), teams)
        return {"cookie": f"{COOKIE}={access.session(person)}", "origin": HOST}

    @property
    def database(self) -> Database:
        return self.service.database


@asynccontextmanager
async def served(url: str, **given: Any) -> AsyncIterator[Served]:
    """`given` are settings."""
    first = {"tnps": dict(EVERYBODY), "recovery": {"hours": EVERYBODY["hours"]}}
    settings = Settings(database_url=url, public_url=HOST, first_policies=first, seal_keys=KEYS, pepper=PEPPER, **given)
    service = build(settings, broker=MemoryBroker())
    transport = httpx.ASGITransport(service.public, raise_app_exceptions=False)
    scoring = Scoring(url)
    scoring.deps = service.deps
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        yield Served(service, scoring, client)
    await scoring.close()
    for close in (*service.closing, service.database.close):
        await close()
