"""The rules in words: what each is called, what it saw, and when it passes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scoring.decide.policy import Allowed, Terms

Saw = Callable[[Any], str]
Passes = Callable[[Terms], str]


@dataclass(frozen=True, slots=True)
class RuleWords:
    """`saw` takes the verdict's detail."""

    title: str
    saw: Saw
    passes: Passes


def span(seconds: float) -> str:
    """A duration as people say it: 45 s, 6 min 12 s, 3 h 5 min, 12 days."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 2 * 86_400:
        return _two(whole // 3_600, "h", whole % 3_600 // 60, "min")
    return f"{whole // 86_400} days"


def plain(code: object) -> str:
    """A code as words: self_served becomes Self served."""
    return str(code).replace("_", " ").capitalize()


def _two(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first} {unit} {second} {smaller}" if second else f"{first} {unit}"


def _chosen(words: Mapping[Any, str]) -> Saw:
    return lambda detail: words.get(detail, plain(detail))


def _one_of(part: Callable[[Terms], Allowed]) -> Passes:
    return lambda terms: ", ".join(plain(code).lower() for code in sorted(part(terms).allowed))


def _always(words: str) -> Passes:
    return lambda _: words


def _days_ago(days: float | None) -> str:
    if days is None:
        return "Never asked"
    return "Asked today" if days < 1 else f"Asked {days:.0f} day{'s' if round(days) != 1 else ''} ago"


def _counts(counts: tuple[int, int, int, int]) -> str:
    day, month, there_day, there_month = counts
    return f"{day} in 24 h, {month} in 30 days; to this address {there_day} and {there_month}"


def _moment(detail: int | str) -> str:
    if isinstance(detail, int):
        return "Now" if detail == 0 else f"In {span(detail)}"
    return {"no_zone_yet": "Nobody knows where the customer lives yet"}.get(detail, "No polite moment in time")


_CUSTOMERS = {
    None: "Known",
    "none": "Nobody",
    "ambiguous": "Several people share the address",
    "erased": "Removed at the customer's wish",
    "not_known_yet": "Not told of yet",
}
_CHANNELS = {"sms": "By SMS", "email": "By e-mail", "chat": "By chat"}
_BASES = {"granted": "Given", "implied": "Implied by this contact", "no_basis": "Nothing says so"}
_REFUSED = {None: "No", "customer": "Yes, this person", "address": "Yes, whoever has this address"}
_NONE = {None: "None"}


def _flags(flags: tuple[str, ...] | None) -> str:
    return ", ".join(plain(flag) for flag in flags) if flags else "None"


def _ages(terms: Terms) -> str:
    return f"under {span(terms.age.decide_s)}, at sending {span(terms.age.send_s)}"


def _limits(terms: Terms) -> str:
    limits = terms.caps
    return f"fewer than {limits.day} and {limits.month}, to an address {limits.address_day} and {limits.address_month}"


def _rate(terms: Terms) -> str:
    return f"the draw is under {terms.sampling.rate:.2f}, or the cell's own rate"


WORDS: Mapping[str, RuleWords] = {
    "customer": RuleWords(
        "Customer",
        _chosen(_CUSTOMERS),
        _always("somebody we know"),
    ),
    "standing": RuleWords("Standing", _chosen({"over": "Over"}), _always("not reopened")),
    "purpose": RuleWords("Purpose", _chosen({"own_call": "Our own callback"}), _one_of(lambda terms: terms.purpose)),
    "outcome": RuleWords("Outcome", plain, _one_of(lambda terms: terms.outcome)),
    "channel": RuleWords("Channel", plain, _one_of(lambda terms: terms.channel)),
    "direction": RuleWords("Direction", plain, _one_of(lambda terms: terms.direction)),
    "length": RuleWords("Length", span, lambda terms: f"{span(terms.length_s)} or more"),
    "age": RuleWords(
        "Age of the contact",
        lambda seconds: f"{span(max(0, seconds))} over",
        _ages,
    ),
    "flags": RuleWords("Flags", _flags, _always("none that stops")),
    "reachable": RuleWords("Reachable", _chosen(_CHANNELS), _always("an address we can write to")),
    "consent": RuleWords(
        "Consent",
        _chosen(_BASES),
        _always("given or implied"),
    ),
    "opt_out": RuleWords(
        "Opted out",
        _chosen(_REFUSED),
        _always("not opted out"),
    ),
    "quarantine_any": RuleWords("Quarantine, any survey", _days_ago, lambda terms: f"{terms.quarantine.any_days:g} days or more"),
    "quarantine_kind": RuleWords("Quarantine, this kind", _days_ago, lambda terms: f"{terms.quarantine.kind_days:g} days or more"),
    "caps": RuleWords(
        "Caps",
        _counts,
        lambda terms: (
            f"fewer than {terms.caps.day} and {terms.caps.month}, to an address {terms.caps.address_day} and {terms.caps.address_month}"
        ),
    ),
    "open_callback": RuleWords("Open callback", _chosen(_NONE), _always("none open")),
    "blackout": RuleWords("Blackout calendar", _chosen(_NONE), _always("a moment outside in time")),
    "hours": RuleWords("Lawful hours", _moment, _always("a polite moment in every zone in time")),
    "sampling": RuleWords("Sampling", lambda _: "The draw", _rate),
}
