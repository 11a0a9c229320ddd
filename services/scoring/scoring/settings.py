"""Scoring's own settings: `SCORING_X` in the environment."""

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from scoring.decide.first import VERSIONS, first_document
from scoring.decide.policy import parse
from scoring.errors import NotANetwork, PolicyInvalid
from scoring.listen.misses import Proxies
from shared.runtime.settings import ServiceSettings, Words, secret
from shared.runtime.webhooks import WebhookSecretInvalid, webhook_key

DEVELOPMENT_WEBHOOK_SECRET = "whsec_ZGV2ZWxvcG1lbnQtb25seS1kZXZlbG9wbWVudC1vbmx5"  # noqa: S105  # refused in production, like every default
GatewayName = Literal["inbox", "webhook"]


class Settings(ServiceSettings):
    """What scoring needs beside what every service needs."""

    SERVICE: ClassVar[str] = "scoring"

    public_port: int = Field(8002, ge=0, le=65535, description="port of the survey page, the other pages and the API")
    internal_port: int = Field(9002, ge=0, le=65535, description="port of metrics, health and dead letters")
    public_url: str = Field("http://127.0.0.1:8002", description="address in the links customers get, without a slash at the end")

    brand: str = Field("Example Health", min_length=1, description="the company's name in invitations and on the survey page")

    gateways: dict[str, GatewayName] = Field(
        default={"sms": "inbox", "email": "inbox", "chat": "inbox"},
        description="what sends each channel: inbox (development) or webhook, as JSON",
    )
    webhook_url: str = Field("", description="address of the webhook gateway")
    webhook_secret: str = secret(
        DEVELOPMENT_WEBHOOK_SECRET, description="Standard Webhooks secret of the webhook gateway: whsec_ and base64"
    )
    webhook_keeps_keys: bool = Field(
        default=False,
        description="the webhook gateway honours Idempotency-Key, so that what may have left may be sent again under the same key",
    )
    gateway_timeout_s: float = Field(10.0, gt=0, description="longest wait for a gateway's answer, seconds")

    send_batch: int = Field(20, gt=0, description="surveys claimed for sending at once")
    send_lease_s: float = Field(
        60.0, gt=0, description="how long a claimed survey is its sender's, seconds; longer than a gateway may take"
    )
    send_waits_s: list[float] = Field(
        default_factory=lambda: [60.0, 300.0, 900.0, 3600.0, 7200.0],
        description="waits after a failed sending, first to last, seconds, as JSON",
    )

    contact_url: str = Field("", description="where customers reach the company; empty: the survey page names no such place")
    survey_misses: int = Field(30, ge=1, description="links to no survey that one address may open at once, in each process; then 429")
    survey_miss_every_s: float = Field(10.0, gt=0, description="one more is forgiven after so long, seconds")
    trusted_proxies: Words = Field(
        default_factory=list, description="networks of our own proxies, whose X-Forwarded-For is believed; empty: nobody's"
    )
    amend_s: float = Field(900.0, gt=0, description="how long an answer may be changed or completed, seconds")
    callback_up_to: int = Field(6, ge=-1, le=10, description="highest score after which the page asks whether to call; -1: never")
    sms_secret: str = secret(
        "development-only-secret-of-sms-replies",
        description="auth token that signs SMS replies and receipts; two with a comma while it changes",
    )
    sms_url: str = Field(
        "", description="public address before /v1/replies/sms as the SMS provider was told it; empty: AFTERCALL_PUBLIC_URL"
    )

    judge_batch: int = Field(100, gt=0, description="deferred decisions and recoveries judged at once")
    first_policies: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="changes to the first policies of a new deployment, by kind, as JSON; later changes are policy versions",
    )

    @model_validator(mode="after")
    def _gateways_can_send(self) -> "Settings":
        if self.production and "inbox" in self.gateways.values():
            raise ValueError("SCORING_GATEWAYS sends to the development inbox: name a gateway that reaches customers")
        if "webhook" in self.gateways.values() and not self.webhook_url:
            raise ValueError("SCORING_WEBHOOK_URL is missing: SCORING_GATEWAYS names the webhook gateway")
        if "webhook" in self.gateways.values():
            _check_secret(self.webhook_secret)
        for kind, changes in self.first_policies.items():
            if kind not in VERSIONS:
                raise ValueError(f"SCORING_FIRST_POLICIES names a kind that is not there: choose among {', '.join(VERSIONS)}")
            _check_first(kind, changes)
        _check_proxies(self.trusted_proxies)
        if self.send_lease_s <= self.gateway_timeout_s:
            raise ValueError("SCORING_SEND_LEASE_S must be longer than SCORING_GATEWAY_TIMEOUT_S")
        return self


def _check_proxies(networks: list[str]) -> None:
    try:
        Proxies(networks)
    except NotANetwork as error:
        raise ValueError(f"SCORING_TRUSTED_PROXIES: {error}") from None


def _check_first(kind: str, changes: dict[str, Any]) -> None:
    try:
        parse(first_document(kind, changes))
    except PolicyInvalid as error:
        raise ValueError(f"SCORING_FIRST_POLICIES cannot run, {kind}: {error}") from None


def _check_secret(written: str) -> None:
    try:
        webhook_key(written)
    except WebhookSecretInvalid as error:
        raise ValueError(f"SCORING_WEBHOOK_SECRET: {error}") from None
