"""An alert as a banner: one per group, never per case; at most two, and how many more."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.alerts.model import Alert, Kind, Standing
from routing.console import clock
from routing.console.look import Look
from routing.console.words import CHANNELS, said

SHOWN = 2


@dataclass(frozen=True, slots=True)
class Banner:
    id: str
    title: str
    words: str
    show: str
    critical: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Banners:
    shown: tuple[Banner, ...]
    more: int


def banners(found: Sequence[Standing], look: Look) -> Banners:
    return Banners(tuple(banner(each, look) for each in found[:SHOWN]), more=max(0, len(found) - SHOWN))


def banner(standing: Standing, look: Look) -> Banner:
    alert = standing.alert
    return Banner(
        id=str(alert.id),
        title=title(alert, look),
        words=f"{went_out(alert, look)} {seen(alert, look)}",
        show=f"Show the {alert.count:,}" if alert.count > 1 else "Show it",
        critical=alert.kind is Kind.CRITICAL,
        open=alert.acknowledged_at is None,
    )


def title(alert: Alert, look: Look) -> str:
    where = f"{look.team(alert.team)}, {said(CHANNELS, alert.channel).lower()}"
    if alert.kind is Kind.CRITICAL:
        return f"Critical words, {where}"
    minutes = int((alert.last_at - alert.opened_at) / clock.MINUTE)
    during = f" in {clock.span(minutes)}" if alert.count > 1 and minutes else ""
    return f"{alert.count:,} unhappy answer{'s' if alert.count != 1 else ''}{during}, {where}"


def went_out(alert: Alert, look: Look) -> str:
    if alert.first_sent_at is None:
        return f"No message has arrived yet, {alert.attempts} failed." if alert.attempts else "Shown here only so far."
    first = clock.at(alert.first_sent_at, look.now, zone=look.zone)
    return f"A message went out at {first}." if alert.messages == 1 else f"{alert.messages} messages went out, the first at {first}."


def seen(alert: Alert, look: Look) -> str:
    if alert.acknowledged_at is None:
        return "Nobody has acknowledged it."
    when = clock.ago(alert.acknowledged_at, look.now, zone=look.zone)
    return f"{look.named(alert.acknowledged_by, alert.acknowledged_name)} acknowledged it {when}."
