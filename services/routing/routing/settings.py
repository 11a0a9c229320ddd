"""Settings of routing: `ROUTING_X`, or `AFTERCALL_X` for what all services share. Durations are seconds."""

import re
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from routing.alerts.receivers import fallback_s
from shared.runtime.settings import ServiceSettings, Words, secret

DEVELOPMENT_WEBHOOK_SECRET = "whsec_ZGV2ZWxvcG1lbnQtb25seS1hbGVydHMtb2YtY2FzZXM="  # noqa: S105  # refused in production, like every default
_CASES = Path(__file__).parent / "cases"
_ADDRESS = re.compile(r"[^\s@<>,;\"]+@[A-Za-z0-9.-]+")
FALLBACK_S = 120.0
"""Within this another receiver must have had its try, seconds."""


class Settings(ServiceSettings):
    SERVICE: ClassVar[str] = "routing"

    public_port: int = Field(8003, ge=0, le=65535, description="port of the console, the pages and the API")
    internal_port: int = Field(9003, ge=0, le=65535, description="port of metrics, health and dead letters")
    public_url: str = Field("http://127.0.0.1:8003", description="address under which people reach the console, without a slash at the end")
    rota_file: Path | None = Field(None, description="rota in force until a version is activated; without it no team is known")
    policy_file: Path = Field(_CASES / "policy.json", description="case policy in force until a version is activated")
    words_file: Path = Field(_CASES / "words.json", description="lists of critical words by language")
    timer_batch: int = Field(200, ge=1, description="cases a timer moves in one transaction")
    dialer_lease_s: float = Field(900.0, gt=0, description="a dialer that told no outcome for so long has its case no more, seconds")
    alert_webhook_url: str = Field("", description="webhook that alerts are sent to; empty: none")
    alert_webhook_secret: str = secret(DEVELOPMENT_WEBHOOK_SECRET, description="Standard Webhooks secret of alerts: whsec_ and base64")
    alert_email_to: Words = Field(default_factory=list, description="addresses that alerts are mailed to; empty: none")
    alert_email_from: str = Field("", description="address that alerts are mailed from")
    alert_order: Words = Field(
        default_factory=lambda: ["webhook", "email"], description="which receiver of alerts is asked first, where both are set"
    )
    alert_fallback_after: int = Field(2, ge=1, description="after so many failed tries the next receiver is asked as well")
    smtp_host: str = Field("", description="mail server; it may stand anywhere, the outbound guard does not look at it")
    smtp_port: int = Field(587, ge=1, le=65535, description="port of the mail server")
    smtp_user: str = Field("", description="name to sign in to the mail server; empty: without")
    smtp_password: str = secret("", description="password of that name")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls: refuse a server that does not offer it; tls: from the first byte; none: readable on the way"
    )
    alert_every_s: float = Field(60.0, gt=0, description="between two messages about one team and channel, seconds")
    alert_quiet_s: float = Field(600.0, gt=0, description="without anything new for so long, a group of alerts is over, seconds")
    alert_waits_s: list[float] = Field(
        default_factory=lambda: [5.0, 15.0, 60.0, 300.0, 900.0, 3600.0],
        description="waits after a message that did not arrive, first to last, seconds, as JSON; then it is given up",
    )
    alert_timeout_s: float = Field(10.0, gt=0, description="longest wait for the receiver of alerts, seconds")
    alert_lease_s: float = Field(60.0, gt=0, description="after so long a message nobody reported on is sent again, seconds")
    alert_batch: int = Field(20, ge=1, description="messages of alerts sent at once")
    live_clients: int = Field(300, ge=1, description="consoles that may be connected to one process")
    live_beat_s: float = Field(10.0, gt=0, description="heartbeat of the live console, seconds")
    live_stream_s: float = Field(900.0, gt=0, description="after so long a live stream ends and the page connects anew, seconds")
    gauges_s: float = Field(10.0, gt=0, description="how often the gauges of open cases are counted anew, seconds")

    @property
    def alert_receivers(self) -> list[str]:
        """Those that are set, in the order in which they are asked; none: alerts are only shown in the console."""
        given = {"webhook": bool(self.alert_webhook_url), "email": bool(self.alert_email_to)}
        return [each for each in self.alert_order if given[each]]

    @model_validator(mode="after")
    def _alerts_can_be_sent(self) -> "Settings":
        if problem := alert_problem(self):
            raise ValueError(problem)
        return self


def alert_problem(settings: Settings) -> str | None:
    """Why alerts could not be sent as promised, naming the variable."""
    if sorted(settings.alert_order) != ["email", "webhook"]:
        return "ROUTING_ALERT_ORDER must name webhook and email, each once"
    if settings.alert_email_to and (problem := _mail_problem(settings)):
        return problem
    receivers = len(settings.alert_receivers)
    if settings.alert_lease_s <= settings.alert_timeout_s * max(receivers, 1):
        return "ROUTING_ALERT_LEASE_S must be longer than ROUTING_ALERT_TIMEOUT_S for each receiver of alerts together"
    wait = fallback_s(settings.alert_waits_s, patience=settings.alert_fallback_after, timeout=settings.alert_timeout_s)
    if receivers > 1 and (wait is None or wait > FALLBACK_S):
        return (
            f"A dead receiver of alerts must be replaced by the other within {FALLBACK_S:.0f} s: "
            "lower ROUTING_ALERT_FALLBACK_AFTER, ROUTING_ALERT_TIMEOUT_S or the first of ROUTING_ALERT_WAITS_S"
        )
    return None


def _mail_problem(settings: Settings) -> str | None:
    if not settings.smtp_host:
        return "ROUTING_SMTP_HOST is missing: ROUTING_ALERT_EMAIL_TO names somebody"
    for name, addresses in (("FROM", [settings.alert_email_from]), ("TO", settings.alert_email_to)):
        if not all(_ADDRESS.fullmatch(each) for each in addresses):
            return f"ROUTING_ALERT_EMAIL_{name} must be plain addresses such as team@example.com"
    if settings.smtp_tls == "none" and settings.smtp_password and settings.production:
        return "ROUTING_SMTP_TLS=none sends the password readable: use starttls or tls in production"
    return None
