"""Fields as Twilio's callbacks name them, in capitals, in small letters with underscores, flat or nested."""

from ingest.normalise.decode import Document
from ingest.normalise.fields import required_inside, text


def plain_fields(document: Document) -> Document:
    """Small letters without underscores; what is nested is beside the rest, as `messagingbinding.address`."""
    flat: Document = {}
    for name, value in document.items():
        whole = _plain(name)
        flat[whole] = value
        if isinstance(value, dict):
            flat.update({f"{whole}.{_plain(inner)}": each for inner, each in value.items()})
    return flat


def sid(fields: Document, name: str, prefix: str = "") -> str:
    """An id that identity or root stands on, by Twilio's own name of it. Raises `Unreadable` naming it so."""
    return required_inside({name: fields.get(_plain(name))}, name, prefix)


def word(fields: Document, name: str) -> str:
    return (text(fields.get(name)) or "").strip().lower()


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
