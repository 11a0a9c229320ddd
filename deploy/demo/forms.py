"""A visitor without scripts: reads a page's forms and links and sends them back as a browser would."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


class NoSuchForm(LookupError):
    def __init__(self, wanted: str, url: str) -> None:
        super().__init__(f"The page {url} has no form with {wanted}")


@dataclass(slots=True)
class Form:
    """`fields` holds what a browser would send untouched: hidden fields, texts, what is checked or selected."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Page:
    client: httpx.AsyncClient
    url: str
    text: str
    forms: list[Form]
    links: list[str]

    def form(self, *names: str, action: str = "") -> Form:
        """The first form that has all these fields and whose address ends so. Raises NoSuchForm."""
        for each in self.forms:
            if each.names.issuperset(names) and each.action.endswith(action):
                return each
        raise NoSuchForm(", ".join(names) or action, self.url)

    async def send(self, form: Form, **given: str) -> "Page":
        """Press the form's button."""
        url, values = urljoin(self.url, form.action), form.fields | given
        origin = {"Origin": str(httpx.URL(url).copy_with(raw_path=b"")).rstrip("/")}
        if form.method == "get":
            return await visit(self.client, url, **values)
        return _page(self.client, await self.client.post(url, data=values, headers=origin))


async def visit(client: httpx.AsyncClient, url: str, **query: str) -> Page:
    """Follows redirects; an error status rises."""
    return _page(client, await client.get(url, params=query or None))


def _page(client: httpx.AsyncClient, answer: httpx.Response) -> Page:
    answer.raise_for_status()
    reader = _Reader(str(answer.url))
    reader.feed(answer.text)
    return Page(client, str(answer.url), answer.text, reader.forms, reader.links)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            self.forms.append(Form(given.get("action") or self.url, given.get("method", "get").lower()))
        elif tag in ("input", "textarea", "select", "button") and self.forms and given.get("name"):
            self._field(given, tag)

    def _field(self, given: dict[str, str], tag: str) -> None:
        form, kind = self.forms[-1], given.get("type", "")
        form.names.add(given["name"])
        chosen = "checked" in given if kind in ("radio", "checkbox") else tag == "input" and kind not in ("submit", "button")
        if chosen:
            form.fields[given["name"]] = given.get("value", "on")
