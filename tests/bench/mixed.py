"""Contacts of several platforms beside each other, each told in four captured payloads of its platform's.

A payload becomes a template once: its times are moved to just before now, and what is one contact's or one customer's alone
gives way to a place that is filled for each. Accounts, queues and agents stay who they are.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.normalise import read
from ingest.normalise.model import Event, Raw
from tests.bench.load import INGEST, STEPS, Made, Shape, Teller, interleaved, native, number_of, person_of
from tests.support.readings import payload


@dataclass(frozen=True, slots=True)
class Dialect:
    """`payloads` tell one contact. `own` finds in their text the ids that are its or its customer's alone, and says what stands there."""

    payloads: tuple[str, ...]
    own: Mapping[str, str]


CUSTOMER = {
    r"\+?1 ?202 ?555 ?01(?:71|42)": "%(phone)s",
    r"someone@example\.com": "%(mail)s",
    r"M-10442": "%(member)s",
    r"crm-7781": "crm-%(person)s",
}
"""Written alike by all platforms."""

DIALECTS = {
    "twilio": Dialect(
        tuple(f"invented-stream-{step}" for step in ("task-created", "reservation-accepted", "reservation-wrapup", "task-completed")),
        {r"((?:EV|WT|WR|CA)[0-9a-f]{24})[0-9a-f]{8}": r"\1%(hex)s"},
    ),
    "amazon-connect": Dialect(
        ("invented-connected-to-system", "invented-queued", "invented-completed-after-notes", "invented-record-of-a-call"),
        {r'((?:"(?:id|contactId|ContactId)":"|/contact/)[0-9a-f-]{28})[0-9a-f]{8}': r"\1%(hex)s"},
    ),
    "genesys-cloud": Dialect(
        tuple(f"invented-call-{step}" for step in ("customer-start", "second-acd-end", "second-user-end", "customer-end")),
        {r'((?:"(?:id|(?:conversation|participant|session|Correlation)Id)":"|conversation\.)[0-9a-f-]{28})[0-9a-f]{8}': r"\1%(hex)s"},
    ),
    "zendesk": Dialect(
        ("invented-created-by-mail", "invented-group-assigned", "invented-agent-assigned", "invented-solved-with-requester-looked-up"),
        {r'("id":"|ticket:|ev-)6400': r"\1%(digits)s", r'("(?:requester|submitter)_id":")8102': r"\1%(person)s"},
    ),
    "chatwoot": Dialect(
        ("invented-created-with-bot", "invented-waiting-for-a-person", "invented-assigned", "invented-resolved"),
        {
            r'("(?:conversation_)?id":)40\b': r"\1%(digits)s",
            r'("id":)9001\b': r"\1%(digits)s",
            r'("(?:contact_)?id":)71\b': r"\1%(person)s",
        },
    ),
    "intercom": Dialect(
        ("invented-user-created", "invented-admin-replied", "invented-user-replied", "invented-admin-closed"),
        {r'("id":")(?:531|136)"': r'\1%(digits)s"', r"(notif_\d{4})": r"\1%(digits)s", r"(c0ffee)71": r"\1%(person)s"},
    ),
    "ringcentral": Dialect(
        ("invented-stream-abandoned-in-queue",),
        {r"([sp]-beef02)": r"\1%(hex)s", r'("uuid":"\d{10}|"sessionId":"55)\d{8}': r"\1%(digits)s"},
    ),
    "asterisk": Dialect(("invented-queue-log-completed",), {r"(\|18100444[01]0\.)1[02]": r"\1%(digits)s"}),
}
_CLOCK = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d|(?<!\d)181\d{7}")
"""To the second: as ISO writes it, or since 1970, whatever follows it."""


def mixed_events(contacts: range) -> Iterator[Made]:
    """Four records per contact, the platforms in turn, our own event among them."""
    ended = datetime.now(UTC) - timedelta(minutes=15)
    tellers = [native(), *(_teller(platform, ended) for platform in DIALECTS)]
    return interleaved(contacts, lambda number, step: tellers[number % len(tellers)](number, step))


MIXED = Shape("mixed", INGEST.service, INGEST.topic, owes=INGEST.owes, per=INGEST.per, told=mixed_events)


def _teller(platform: str, ended: datetime) -> Teller:
    templates = templates_of(platform, ended)
    return lambda number, step: (templates[step] % _own(number)).encode()


def _own(number: int) -> dict[str, str]:
    """What is that contact's alone, of the length of what stood there."""
    person = person_of(number)
    return {
        "hex": f"{number:08x}",
        "digits": str(10_000_000 + number),
        "person": str(person),
        "member": f"M-{person}",
        "phone": number_of(person),
        "mail": f"person{person}@example.com",
    }


def templates_of(platform: str, ended: datetime) -> list[str]:
    """The four payloads with places to fill, their times moved so that the contact was over at `ended`."""
    dialect = DIALECTS[platform]
    documents = list(itertools.chain.from_iterable(_documents(f"{platform}/{name}") for name in dialect.payloads))
    assert len(documents) == len(STEPS), f"{platform} has {len(documents)} payloads and not one for each of {', '.join(STEPS)}"
    written = [json.dumps(document, separators=(",", ":")) for document in documents]
    later = timedelta(seconds=round((ended - _at(written[-1])).total_seconds()))
    return [_CLOCK.sub(lambda found: _moved(found[0], later), _with_places(text, {**CUSTOMER, **dialect.own})) for text in written]


def _documents(name: str) -> list[Any]:
    """A payload file holds one, or those of a whole contact in a list."""
    said = json.loads(payload(name))
    return said if isinstance(said, list) else [said]


def _at(text: str) -> datetime:
    (reading,) = read(Raw(text.encode()))
    assert isinstance(reading, Event)
    assert reading.at
    return reading.at


def _with_places(text: str, own: Mapping[str, str]) -> str:
    text = text.replace("%", "%%")
    for pattern, place in own.items():
        text = re.sub(pattern, place, text)
    return text


def _moved(moment: str, later: timedelta) -> str:
    if moment.isdigit():
        return str(int(moment) + int(later.total_seconds()))
    return (datetime.fromisoformat(moment) + later).isoformat()
