"""A source of webhooks as the settings describe it."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SHORTEST_PATH = 22
"""Characters of an unguessable path: 128 bits of base64."""
SHORTEST_SECRET, FEWEST_SIGNS = 16, 6
ZENDESK_TESTS = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
"""Printed in Zendesk's documentation: what its webhook builder signs tests with."""

CheckName = Literal["twilio", "standard", "zendesk", "intercom", "chatwoot", "ringcentral", "segment", "slack", "sns", "key"]
OWN_CHECKS: dict[str, CheckName] = {
    "twilio": "twilio",
    "zendesk": "zendesk",
    "intercom": "intercom",
    "chatwoot": "chatwoot",
    "ringcentral": "ringcentral",
    "segment": "segment",
    "slack": "slack",
}
"""Platform → how it signs. Those not here sign nothing themselves, and a source says which of the others it uses."""
MAY_BE_UNSIGNED = ("chatwoot", "ringcentral")
_TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{1,32}):\d{12}:[\w-]{1,256}(\.fifo)?", re.ASCII)


def _secret(written: str) -> str:
    if not written.strip():
        raise ValueError("is empty: leave it out, or fill it in")
    if written != written.strip() or not written.isascii() or not written.isprintable():
        raise ValueError("holds blanks at an end, or signs no secret has: copy it again")
    return written


def _topic(written: str) -> str:
    if not _TOPIC.fullmatch(written):
        raise ValueError("is no ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:contacts")
    return written


def _base(written: str) -> str:
    if not re.fullmatch(r"https?://[!-~]+", written) or written.endswith("/") or "/v1/webhooks" in written or set("?#") & set(written):
        raise ValueError("is the address before /v1/webhooks, such as https://hooks.example.com")
    return written


Secret = Annotated[str, AfterValidator(_secret)]
Base = Annotated[str, AfterValidator(_base)]


def _zone(written: str) -> str:
    try:
        return ZoneInfo(written).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is no IANA zone, such as America/New_York") from None


class Source(BaseModel):
    """One sender: whom to believe, and what to fill in where its payloads say nothing.

    `secrets` are the live ones, two while they change. `accounts` limits whom it may speak for; empty: any account of its platform.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="names it in its address, in metrics and in complaints")
    platform: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="whose events it sends")
    check: CheckName | None = Field(None, description="how it is believed; a platform that signs has its own")
    secrets: list[Secret] = Field(default_factory=list, max_length=2, repr=False, description="what it signs with; two while they change")
    shared_keys: dict[str, Secret] = Field(default_factory=dict, repr=False, description="Twilio's shared keys, by id")
    topics: list[Annotated[str, AfterValidator(_topic)]] = Field(default_factory=list, description="ARNs of its SNS topics")
    account: str | None = Field(None, min_length=1, max_length=256, description="account of events that name none")
    accounts: list[str] = Field(default_factory=list, description="accounts it may speak for; empty: any")
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(None, description="IANA zone of event times without one")
    channel: Literal["phone", "web", "chat", "email", "other"] | None = Field(None, description="channel of events that name none")
    public_url: Base | None = Field(None, description="address before /v1/webhooks as the platform was told it")
    path: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]+$",
        min_length=SHORTEST_PATH,
        max_length=200,
        repr=False,
        description="stands for the name in its address; nobody guesses it",
    )
    unsigned_allowed: bool = Field(default=False, description="believe what carries no signature, by its path alone")
    test_requests: bool = Field(default=False, description="believe what Zendesk's webhook builder sends as a test; development only")
    profiles: bool = Field(default=False, description="Segment's `identify` is a word of the member directory: take its profiles")
    rate: float | None = Field(None, gt=0, description="requests a second; twice as many in a burst")

    @property
    def checked_by(self) -> CheckName:
        return self.check or OWN_CHECKS[self.platform]

    @property
    def keys(self) -> list[str]:
        """Everything secret about it that can sign."""
        return [*self.secrets, *self.shared_keys.values()]

    def may_send_for(self, platform: str, account: str) -> bool:
        return platform == self.platform and (not self.accounts or account in self.accounts)


def faults(source: Source) -> list[str]:
    """What cannot work, one sentence each."""
    check = source.check or OWN_CHECKS.get(source.platform)
    if check is None:
        return ["check: say how it is believed, standard, sns or key: this platform signs nothing itself"]
    signs = check not in {"sns", "key"}
    rules = (
        (signs and not source.keys and not source.unsigned_allowed, "secrets: there is none: enter what the platform signs with"),
        (not signs and bool(source.keys), f"secrets: the check {check} uses none: leave them out"),
        (bool(source.shared_keys) and check != "twilio", "shared_keys: only Twilio has them"),
        (check == "sns" and not source.topics, "topics: there is none: enter the ARN of each SNS topic"),
        (check != "sns" and bool(source.topics), "topics: only the check sns has them"),
        (source.unsigned_allowed and check not in MAY_BE_UNSIGNED, f"unsigned_allowed: only for {' and '.join(MAY_BE_UNSIGNED)}"),
        (
            source.unsigned_allowed and not source.path,
            f"path: unsigned requests need one, {SHORTEST_PATH} characters long, that nobody guesses",
        ),
        (source.test_requests and check != "zendesk", "test_requests: only Zendesk has them"),
        (source.profiles and source.platform != "segment", "profiles: only Segment sends them"),
    )
    return [sentence for broken, sentence in rules if broken]


def weaknesses(source: Source) -> list[str]:
    """Why production must not believe it, one sentence each."""
    weak = any(len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_SIGNS for secret in source.keys)
    rules = (
        (weak, f"secrets: one is too weak: choose at least {SHORTEST_SECRET} characters by chance"),
        (source.test_requests or ZENDESK_TESTS in source.keys, "test_requests: anybody can sign them: leave them out"),
    )
    return [sentence for broken, sentence in rules if broken]
