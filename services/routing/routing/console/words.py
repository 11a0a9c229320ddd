"""The console's words for codes, in one table; a code without a word is shown as it is written, with spaces."""

from collections.abc import Iterable

OUTCOMES = {
    "reached": "reached",
    "no_answer": "no answer",
    "busy": "busy",
    "voicemail": "left a voicemail",
    "wrong_number": "wrong number",
    "declined": "declined",
    "do_not_call": "never call again",
    "reschedule": "call again later",
    "failed": "the call failed",
}
CAUSES = {
    "explanation": "Not explained",
    "transfers": "Passed around",
    "wait": "Waited too long",
    "error": "We made an error",
    "other": "Something else",
}
STATES = {
    "open": "Open",
    "assigned": "Assigned",
    "attempting": "Attempting",
    "reached": "Reached",
    "resolved": "Resolved",
    "closed": "Closed",
    "unreachable": "Unreachable",
    "declined": "Declined",
    "expired": "Expired",
    "merged": "Merged",
    "erased": "Erased",
}
CONTACTS = {"phone": "a phone contact", "chat": "a chat", "web": "a visit to the web site", "email": "an e-mail"}
BEGUN = {"phone": "Called us", "chat": "Chatted with us", "web": "Used the web site", "email": "Wrote to us"}
CHANNELS = {"sms": "SMS", "email": "E-mail", "chat": "Chat", "ivr": "Question on the phone", "phone": "Phone", "web": "Web", "page": "Page"}
ANSWERED = {"page": "on the survey page", "sms": "by SMS", "email": "by e-mail", "chat": "in the chat", "ivr": "on the phone"}
BASIS = {
    "answered_no": "The customer asked us not to call.",
    "refused": "The customer refuses calls.",
    "not_answered": "The customer did not say that we may call.",
    "no_customer": "We do not know whose answer this is.",
    "no_number": "There is no number left that works.",
}
ENDS = {"transferred": "transferred", "customer_hung_up": "customer hung up", "agent_hung_up": "we hung up", "abandoned": "gave up waiting"}
RULES = {
    "customer": "We know who it is",
    "standing": "The contact is over",
    "purpose": "It was about service",
    "outcome": "Somebody or something served them",
    "channel": "The channel is one we ask about",
    "direction": "The direction is one we ask about",
    "length": "It was long enough",
    "age": "It was not too long ago",
    "flags": "Nothing forbids asking them",
    "reachable": "We can reach them",
    "consent": "They may be asked",
    "opt_out": "They have not said stop",
    "quarantine_any": "No question lately",
    "quarantine_kind": "No such question lately",
    "caps": "Not asked too often",
    "open_callback": "No call is owed",
    "blackout": "No day off",
    "hours": "A polite hour",
    "sampling": "Drawn",
}
VERDICTS = {"pass": "passed", "fail": "failed", "unknown": "unknown"}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ORDINALS = ("", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")


def said(words: dict[str, str], code: str | None) -> str:
    return words.get(code or "", (code or "").replace("_", " "))


def basis(code: str) -> str:
    """Why no call may be made, as a sentence. What a flag says stays with those who set it."""
    return BASIS.get(code, "A note on the customer forbids calls." if code.startswith("flag_") else "No call may be made.")


def counted(n: int, one: str, many: str | None = None) -> str:
    """ "three transfers", "1,204 answers"."""
    number = NUMBERS[n] if n < len(NUMBERS) else f"{n:,}"
    return f"{number} {one if n == 1 else many or one + 's'}"


def nth_contact(n: int) -> str:
    """ "Second contact in 7 days"; nothing for a first."""
    if n < 2:
        return ""
    return f"{ORDINALS[n] if n < len(ORDINALS) else f'{n}th'} contact in 7 days"


def listed(names: Iterable[str]) -> str:
    """ "Ash, Birch and Cedar"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def reason(code: str, *, contacts: int, transfers: int, score: int) -> str:
    """One line of a priority."""
    told = {
        "unresolved": "Not solved",
        "wished_call": "Asked for a call",
        "repeat_contact": nth_contact(contacts) or "Repeated contact",
        "transfers": counted(transfers, "transfer").capitalize(),
    }
    return told.get(code) or (f"Scored {score}" if code.startswith("score_") else said({}, code).capitalize())
