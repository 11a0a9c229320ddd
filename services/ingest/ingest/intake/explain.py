"""What a payload means, said in one flat object per event."""

from collections.abc import Mapping

from ingest.normalise.model import Event, Ignored, Reading


def explained(reading: Reading, *, file: str) -> Mapping[str, str | None]:
    """`meaning` is the step of the contact, or `ignored` or `refused` with the reason; nothing personal is said."""
    about = {"file": file, "envelope": reading.envelope, "platform": reading.platform}
    if isinstance(reading, Event):
        at = reading.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if reading.at else None
        where = {"account": reading.account, "contact": reading.root, "leg": reading.leg, "channel": reading.channel, "at": at}
        return {**about, "meaning": reading.kind.value, "reason": reading.facts.get("clock"), **where}
    nowhere = dict.fromkeys(("account", "contact", "leg", "channel", "at"))
    if isinstance(reading, Ignored):
        return {**about, "meaning": "ignored", "reason": reading.reason, **nowhere}
    return {**about, "meaning": "refused", "reason": f"{reading.code} at {reading.path}" if reading.path else reading.code, **nowhere}
