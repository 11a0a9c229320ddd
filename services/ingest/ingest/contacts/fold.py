"""Is the contact over, and what was it? A pure function of the set of its events: neither order nor repetition matters."""

from collections.abc import Sequence
from datetime import datetime

from ingest.contacts.episode import episodes_of, numbers_of, stale_of
from ingest.contacts.frame import lacks_frame, within_frames
from ingest.contacts.judge import judged
from ingest.contacts.leg import Life, lives_of
from ingest.contacts.model import KnownEpisode, NotOver, Over, Patience, StoredEvent, Verdict, Wait
from ingest.normalise.times import as_datetime

DEFAULT_PATIENCE = Patience()


def fold(
    events: Sequence[StoredEvent], *, now: datetime, patience: Patience = DEFAULT_PATIENCE, known: KnownEpisode | None = None
) -> Verdict:
    """Every episode of one contact. `now` is the database's, as are the times of arrival that hold-off and stale limit run from."""
    episodes = episodes_of(within_frames(lives_of(events, ahead=patience.ahead, gap=patience.gap)), patience)
    numbers = numbers_of(episodes, known, patience)
    return Verdict(tuple(_verdict(lives, number, now=now, patience=patience) for lives, number in zip(episodes, numbers, strict=True)))


def _verdict(lives: Sequence[Life], number: int, *, now: datetime, patience: Patience) -> Over | NotOver:
    if (missing := _still_to_come(lives)) is not None:
        until = as_datetime(max(life.last_received_ms for life in lives)) + stale_of(lives, patience)
        if now < until:
            return _not_over(lives, number, until=until, waits_for=missing)
        return Over(judged(lives, episode=number, standing="over", stale=True))
    interaction = judged(lives, episode=number, standing="over")
    quiet = interaction.received_at + patience.hold_off_of(interaction.channel)
    if now < quiet:
        return _not_over(lives, number, until=quiet, waits_for="hold_off")
    presumed = any(life.presumed for life in lives)
    if (presumed or interaction.needs_address) and now < quiet + patience.address_wait:
        return _not_over(lives, number, until=quiet + patience.address_wait, waits_for="end" if presumed else "address")
    return Over(interaction)


def _not_over(lives: Sequence[Life], number: int, *, until: datetime, waits_for: Wait) -> NotOver:
    return NotOver(until, waits_for, judged(lives, episode=number, standing="reopened"))


def _ended(life: Life) -> tuple[int, int, str]:
    """In order of their ends: a line that rang beside the one that was handed over, or an agent asked in vain, does not follow it."""
    return (life.begin if life.end is None else life.end), life.begin, life.leg


def _lacks_record(lives: Sequence[Life]) -> bool:
    """Whether an end is only presumed where records tell of ends, and come for certain."""
    return any(life.presumed for life in lives) and any(life.facts.get("record", False) for life in lives)


def _still_to_come(lives: Sequence[Life]) -> Wait | None:
    """The end of a leg or of what it is within, or the leg that a transfer announced; where that was not named, any later one will do."""
    if lacks_frame(lives) or any(life.end is None and not life.aside for life in lives) or _lacks_record(lives):
        return "end"
    legs = {life.leg for life in lives}
    followed = {life.facts.get("previous_leg") for life in lives}
    named = {life.facts["next_leg"] for life in lives if life.awaits and "next_leg" in life.facts}
    last = max([life for life in lives if not life.aside] or lives, key=_ended)
    unnamed = last.awaits and "next_leg" not in last.facts and last.leg not in followed
    return "next_leg" if unnamed or not named <= legs else None
