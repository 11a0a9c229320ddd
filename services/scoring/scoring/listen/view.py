"""What the survey's pages show: values only, so that a page is a template and one of these."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from scoring.ask.model import Survey
from scoring.listen.model import Answer, Said, Standing
from scoring.listen.wish import SLOTS, slots_of, windows, zone_of
from scoring.listen.words.model import Words
from shared.schemas import Customer

SCORES = range(11)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the page: how to speak to them, in which zone, and the end of the number one could call (None: there is none).

    `certain`: the zone is known to be theirs; else times name it.
    """

    words: Words
    zone: str
    certain: bool
    ending: str | None

    def clock(self, at: datetime) -> str:
        local = at.astimezone(ZoneInfo(self.zone))
        return f"{local:%H:%M}" if self.certain else f"{local:%H:%M %Z}"


def reader(words: Words, customer: Customer | None, *, addresses: Mapping[str, str], company_zone: str) -> Reader:
    """`addresses` are the customer's, unsealed, by their refs."""
    zones = customer.candidate_zones if customer else ()
    return Reader(words, zone_of(zones, company_zone), len(zones) == 1, _ending(customer, addresses))


def _ending(customer: Customer | None, addresses: Mapping[str, str]) -> str | None:
    """The last two digits of the first number that could be called."""
    numbers = [addresses.get(point.ref, "") for point in customer.points if "voice" in point.can and not point.dead] if customer else []
    digits = [re.sub(r"\D", "", number) for number in numbers]
    return next((number[-2:] for number in digits if len(number) >= 4), None)


@dataclass(frozen=True, slots=True)
class Form:
    """A posted form, read. `score` is None where it is not plainly one number from 0 to 10."""

    score: int | None
    revision: int
    comment: str | None
    resolved: str | None
    callback: str | None
    slots: tuple[str, ...]

    def said(self, reader: Reader, now: datetime, *, with_score: bool) -> Said:
        wish = windows(self.slots, reader.zone, now=now) if self.callback == "yes" else None
        return Said(
            "page",
            now,
            self.score if with_score else None,
            self.comment,
            self.resolved,
            self.callback,
            wish,
            reader.words.tag,
            self.revision,
        )


def form(fields: Sequence[tuple[str, str]]) -> Form:
    """Reads what a browser sends; what no form of ours could have sent counts as not said."""
    given: dict[str, list[str]] = {}
    for name, value in fields:
        given.setdefault(name, []).append(value)
    return Form(
        _score(given.get("score", [])),
        _revision(given.get("revision", [""])[-1]),
        given["comment"][-1] if "comment" in given else None,
        _yes_or_no(given.get("resolved", [])),
        _yes_or_no(given.get("callback", [])),
        tuple(slot for slot in SLOTS if slot in given.get("callback_wish", [])),
    )


def _score(values: Sequence[str]) -> int | None:
    plain = {value for value in values if re.fullmatch(r"10|[0-9]", value)}
    return int(plain.pop()) if len(values) == 1 and plain else None


def _revision(value: str) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 0


def _yes_or_no(values: Sequence[str]) -> str | None:
    return values[-1] if values and values[-1] in ("yes", "no") else None


def asks_for_call(survey: Survey, answer: Answer, reader: Reader, *, up_to: int) -> bool:
    """The page offers a call to those whom a case may be opened for, if there is a number."""
    return reader.ending is not None and (answer.score <= up_to or survey.kind == "recovery")


def facts(answer: Answer, reader: Reader) -> list[tuple[str, str]]:
    """The answer, repeated to who gave it."""
    words = reader.words
    said = {"yes": words.yes, "no": words.no}
    lines = [(words.your_score, str(answer.score))]
    if answer.resolved in said:
        lines.append((words.solved_short, said[answer.resolved]))
    if answer.callback in said:
        when = f", {_when(answer, reader)}" if answer.callback == "yes" and answer.wish else ""
        lines.append((words.call_short, f"{said[answer.callback]}{when}"))
    if answer.comment:
        lines.append((words.your_words, answer.comment))
    return lines


def call_line(answer: Answer, reader: Reader) -> str | None:
    """When we call and where; None without a wished call."""
    if answer.callback != "yes" or reader.ending is None:
        return None
    line = reader.words.call_on.format(when=_when(answer, reader), ending=reader.ending)
    return line[:1].upper() + line[1:]


def _when(answer: Answer, reader: Reader) -> str:
    slots = slots_of(answer.wish, reader.zone)
    return f" {reader.words.or_} ".join(reader.words.in_the[slot] for slot in slots) or reader.words.any_time


def until(standing: Standing, reader: Reader, *, now: datetime) -> str | None:
    """Until when the answer may be changed, as a clock says it; None when that is over."""
    return reader.clock(standing.answer.amendable_until) if standing.is_open(now) else None
