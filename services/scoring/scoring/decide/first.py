"""The policies a new deployment starts with."""

from collections.abc import Mapping
from typing import Any

from scoring.decide.policy import RECOVERY_RULES, RULES

TNPS = "tnps"
RECOVERY = "recovery"
VERSIONS: Mapping[str, int] = {TNPS: 1, RECOVERY: 2}

_ASK = "How likely are you to recommend us, from 0 (not at all) to 10 (very)?"
_REPLY = "Reply with a number, or open {link} Reply STOP to stop."
_MAIL = f"{_ASK}\n\n{{link}}\n\nThe same page lets you stop these messages.\n\n{{brand}}"


def _texts(opening: str, *, subject: str) -> Mapping[str, Any]:
    return {
        "sms": {"en": {"body": f"{{brand}}: {opening} {_ASK} {_REPLY}"}},
        "chat": {"en": {"body": f"{{brand}}: {opening} {_ASK} {{link}}"}},
        "email": {"en": {"subject": subject, "body": f"{opening}\n\n{_MAIL}"}},
    }


_TEXTS: Mapping[str, Mapping[str, Any]] = {
    TNPS: _texts("Thank you for your recent contact.", subject="Your recent contact with {brand}"),
    RECOVERY: _texts("Some time has passed since your recent contact.", subject="How is it now? {brand}"),
}


def first_document(kind: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document of the first policy of a kind; `changes` replaces whole entries, as a deployment's settings say."""
    own: dict[str, Any] = {"rules": list(RULES)} if kind == TNPS else {"rules": list(RECOVERY_RULES), "delay_s": {}}
    return {**own, "texts": _TEXTS[kind], **changes}
