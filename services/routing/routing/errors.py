"""What routing refuses, each with its own sentence and a stable code."""

from datetime import datetime

from shared.runtime.errors import AftercallError


class Refused(AftercallError):
    """A move that a case does not allow; nothing was changed."""

    code = "refused"


class NotInTable(Refused):
    code = "not_possible_in_state"

    def __init__(self, move: str, state: str, allowed: list[str]) -> None:
        self.move, self.state = move, state
        super().__init__(f"A case that is {state} cannot be given the move {move}: it must be {' or '.join(allowed) or 'in another state'}")


class Claimed(Refused):
    """Somebody else has it, since `at`."""

    code = "claimed"

    def __init__(self, name: str, *, at: datetime | None) -> None:
        self.by, self.at = name, at
        super().__init__(f"{name} has claimed this case: ask for it to be given back, or have a supervisor assign it")


class NobodyHasIt(Refused):
    code = "not_owned"

    def __init__(self) -> None:
        super().__init__("Nobody has claimed this case, so there is nothing to give back")


class NotYours(Refused):
    code = "not_yours"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has this case: only {name} or a supervisor can give it back")


class AnotherIsOpen(Refused):
    code = "another_case_open"

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"Case {number} of the same customer is open: work on that one")


class NotForCalls(Refused):
    code = "not_for_calls"

    def __init__(self, route: str, basis: str) -> None:
        super().__init__(f"No call may be made for this case: its route is {route}, because of {basis}")


class OutsideHours(Refused):
    """The number stays hidden until calling is allowed and wished."""

    code = "outside_hours"

    def __init__(self) -> None:
        super().__init__("This customer cannot be called at this hour: the number is shown once the calling hours open")


class NotYet(Refused):
    """The customer named a time."""

    code = "not_yet"

    def __init__(self, at: datetime) -> None:
        self.at = at
        super().__init__(f"This customer is to be called later: from {at.isoformat(timespec='minutes')} on")


class NextCallMissing(Refused):
    code = "next_at_missing"

    def __init__(self) -> None:
        super().__init__("A call that is wanted later needs `next_at`, the time to call again: after this call, before the case expires")


class Changed(AftercallError):
    """The case has another revision than the one seen: somebody was faster. Nothing was changed."""

    code = "changed"

    def __init__(self, *, by: str, by_ref: str, at: datetime, revision: int, change: str) -> None:
        self.by, self.by_ref, self.at, self.revision, self.change = by, by_ref, at, revision, change
        super().__init__(f"{by} changed this case before you ({change}): look at it again")


class NoSuchCase(AftercallError):
    """There is none, or it is another team's: the same answer for both."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such case")


class NotInRota(Refused):
    code = "unknown_owner"

    def __init__(self, team: str) -> None:
        super().__init__(f"Nobody with that reference works in {team}: choose a person of the rota")


class VersionUnknown(AftercallError):
    code = "version_unknown"

    def __init__(self, kind: str, version: int) -> None:
        super().__init__(f"There is no {kind} version {version}")


class DoesNotFit(AftercallError):
    """A file that is no policy or no rota: each problem with the path of the field."""

    def __init__(self, file: str, problems: list[tuple[str, str]]) -> None:
        told = "; ".join(f"{path}: {why}" if path else why for path, why in problems)
        super().__init__(f"{file} was not put in force. {told}")
