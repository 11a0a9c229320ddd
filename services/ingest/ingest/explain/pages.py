"""`/explain`: paste what a platform sends, and see what it means and what would come of it. Nothing is stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from ingest.explain.handle import NOTHING, Explained, Future, explained
from ingest.normalise.explain import captured
from ingest.normalise.model import Event, Ignored, Raw, Reading
from ingest.normalise.times import as_datetime
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.web import page

EXPLAIN = Permission("events.explain", roles=frozenset({"admin"}))
AT_ONCE = 20
MEANINGS = {
    "started": "A leg begins",
    "queued": "The customer waits in a queue",
    "connected": "Somebody, or something, answers",
    "transferred": "A leg ends, and another follows",
    "ended": "A leg ends",
    "reopened": "The customer is back",
}
WAITS = {
    "end": "waits for its end",
    "next_leg": "waits for the leg it was passed on to",
    "hold_off": "is over, unless another leg comes by then",
    "address": "waits for somebody to say whom it was with",
    "unprocessable": "makes no sense together, and is set aside until another event comes",
}
STORED = {
    "new": "It would be stored.",
    "known": "It is stored already, word for word: nothing would change.",
    "conflict": "Another body is stored under its id: that one stays, and this one would be a dead letter.",
}
TOLD = ("outcome", "channel", "direction", "queue", "team", "moment", "agent", "transfers", "wait_s", "talk_s", "purpose", "standing")

router = APIRouter(include_in_schema=False)
Admin = Annotated[Principal, Depends(allow(EXPLAIN))]


class Pasted(BaseModel):
    """`headers`: one `name: value` a line, as Kafka or HTTP carried them."""

    payload: str = Field("", max_length=900_000)
    headers: str = Field("", max_length=20_000)


@dataclass(frozen=True, slots=True)
class Line:
    """One look at the contact, in words; `facts` of what is told then."""

    at: str
    words: str
    told: list[list[tuple[str, str]]]


@router.get("/explain")
async def ask(request: Request, who: Admin) -> Response:
    return _page(request, who, Pasted())


@router.post("/explain")
async def explain(request: Request, who: Admin, pasted: Annotated[Pasted, Form()]) -> Response:
    """The answer under what was pasted."""
    deps = request.app.state.deps
    raws = list(islice(_raws(pasted, deps.door.raw), AT_ONCE + 1))
    found, future = await explained(raws[:AT_ONCE], database=deps.database, door=deps.door, closing=deps.closing)
    return _page(request, who, pasted, found=found, future=future, left_out=len(raws) > AT_ONCE)


def _raws(pasted: Pasted, settings: Raw) -> Iterator[Raw]:
    """As `ingest explain` reads a file; what the pasted headers say goes before what a capture holds."""
    said = headers_of(pasted.headers)
    for raw in captured(pasted.payload.strip().encode(errors="surrogatepass")):
        yield replace(settings, body=raw.body, headers={**raw.headers, **said})


def headers_of(lines: str) -> dict[str, str]:
    """Lines without a colon say nothing; of one name the first stays."""
    headers: dict[str, str] = {}
    for name, colon, value in (line.partition(":") for line in lines.splitlines()):
        if colon and name.strip():
            headers.setdefault(name.strip().lower(), value.strip())
    return headers


def _page(
    request: Request,
    who: Principal,
    pasted: Pasted,
    *,
    found: list[Explained] | None = None,
    future: Future = NOTHING,
    left_out: bool = False,
) -> Response:
    zone = ZoneInfo(request.app.state.deps.settings.company_zone)
    values: dict[str, Any] = {
        "first": AT_ONCE if left_out else None,
        "shown": [{"used": each.used, "readings": [_shown(*one, zone=zone) for one in each.readings]} for each in found or []],
        "contacts": [
            (root, [_line(each.at, each.waits_for, each.revisions, zone=zone) for each in looks]) for root, looks in future.contacts.items()
        ],
    }
    return page(request.app.state.templates, "explain.html", pasted=pasted, asked=found is not None, name=who.name, **values)


def _shown(reading: Reading, stored: str | None, *, zone: ZoneInfo) -> dict[str, Any]:
    """What the template needs of one reading; of the customer only what kinds of handles there are."""
    frame = {"envelope": reading.envelope, "platform": reading.platform, "stored": STORED[stored] if stored else None}
    if not isinstance(reading, Event):
        ignored = isinstance(reading, Ignored)
        reason = reading.reason if isinstance(reading, Ignored) else " ".join(filter(None, (reading.path, reading.code)))
        return {**frame, "title": "Not ours: ignored" if ignored else "At fault: a dead letter", "reason": reason, "facts": []}
    at = _clock(reading.at, zone) if reading.at else "no usable time"
    facts = {"contact": reading.root, "account": reading.account, "leg": reading.leg, "at": at, **reading.facts}
    facts["customer"] = ", ".join(sorted(reading.handles)) or "nothing"
    said = [_in_words(name, value, zone) for name, value in facts.items() if name not in ("clock", "version")]
    return {**frame, "title": MEANINGS[reading.kind.value], "reason": reading.facts.get("clock"), "facts": said}


def _line(at: datetime, waits_for: str | None, revisions: Any, *, zone: ZoneInfo) -> Line:
    told = [_told(each, zone) for each in revisions]
    words = "told of" if told else WAITS.get(waits_for or "", "nothing new to tell")
    return Line(_clock(at, zone), words, told)


def _told(message: Mapping[str, Any], zone: ZoneInfo) -> list[tuple[str, str]]:
    who = message.get("customer")
    nobody = f"nobody: {message.get('no_customer') or 'none'}"
    return [
        ("interaction", f"{message['interaction_id']}, revision {message['revision']}"),
        ("customer", f"Customer {who['number']}, {'known' if who['known'] else 'provisional'}" if who else nobody),
        *(_in_words(name, message[name], zone) for name in TOLD if message.get(name) is not None),
    ]


def _in_words(name: str, value: object, zone: ZoneInfo) -> tuple[str, str]:
    """What it is called, and what it is: a time by the company's clock, a length with its unit, yes or no, or as it is."""
    match value:
        case bool():
            said = "yes" if value else "no"
        case int() if name.endswith("_ms"):
            name, said = name.removesuffix("_ms"), _clock(as_datetime(value), zone)
        case int() if name.endswith("_s"):
            name, said = name.removesuffix("_s"), f"{value} s"
        case Mapping():
            said = ", ".join(f"{key}: {each}" for key, each in value.items())
        case _:
            said = str(value)
    return name.replace("_", " "), said


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %d %b %Y %H:%M:%S")
