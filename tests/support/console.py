"""People at the console: signed in, with a browser's headers, reading pages and sending their forms."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx

from routing.deps import Deps
from shared.runtime.access import COOKIE, Access, Principal, Teams
from tests.support.cases import Routing


@dataclass
class Visit:
    """One person's browser without a screen."""

    client: httpx.AsyncClient

    async def get(self, address: str) -> httpx.Response:
        return await self.client.get(address)

    async def send(self, page: httpx.Response, action: str, **filled: str) -> httpx.Response:
        """Send the form of a page that posts to `action`, its hidden fields with it, and follow where it leads."""
        form = forms(page.text)[action]
        return await self.client.post(action, data={**form, **filled}, follow_redirects=True)


@asynccontextmanager
async def signed_in(desk: Routing, *roles: str, ref: str = "ana", name: str = "Ana", teams: Teams = Teams({"birch"})) -> AsyncIterator[Visit]:
    app = desk.service.public
    access: Access = app.state.access
    person = Principal("person", ref, name, frozenset(roles), teams)
    deps: Deps = desk.deps
    app.state.deps = deps
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://console.example.com",
        cookies={COOKIE: access.session(person)},
        headers={"accept": "text/html"},
    ) as client:
        yield Visit(client)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._now: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._now = self.found.setdefault(given.get("action", ""), {})
        if tag == "input" and given.get("type") == "hidden" and self._now is not None:
            self._now[given["name"]] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._now = None


def forms(html: str) -> Mapping[str, Mapping[str, str]]:
    """The hidden fields of every form, by where it posts to."""
    parser = _Forms()
    parser.feed(html)
    return parser.found
