"""Errors of scoring that write their own sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.runtime.errors import AftercallError


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a document, without its value."""

    path: str
    reason: str


class PolicyInvalid(AftercallError):
    """A policy document that cannot run."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.path}: {fault.reason}" for fault in faults))


class PolicyIsActive(AftercallError):
    """An active policy is never edited or activated again: make a draft from it."""

    def __init__(self, version: int) -> None:
        super().__init__(f"Policy {version} is active already; policies are never changed in place: post its document as a new draft")


class PolicyMissing(AftercallError):
    """A row names a policy version that is not there."""

    def __init__(self, version: int) -> None:
        super().__init__(f"There is no policy {version}")


class SurveyGone(AftercallError):
    """A sender's survey vanished between claim and record."""

    def __init__(self, survey_id: UUID) -> None:
        super().__init__(f"Survey {survey_id} is not there any more")


class NotANetwork(AftercallError):
    """One of the trusted proxies."""

    def __init__(self, place: int) -> None:
        super().__init__(f"number {place} is no network: write addresses such as 10.0.0.0/8 or 2001:db8::1")
