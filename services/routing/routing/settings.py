"""Settings of routing: `ROUTING_X`, or `AFTERCALL_X` for what all services share. Durations are seconds."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from shared.runtime.settings import ServiceSettings, secret

DEVELOPMENT_WEBHOOK_SECRET = "whsec_ZGV2ZWxvcG1lbnQtb25seS1hbGVydHMtb2YtY2FzZXM="  # noqa: S105  # refused in production, like every default
_CASES = Path(__file__).parent / "cases"


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
    alert_webhook_url: str = Field("", description="where alerts are sent; empty: they are only shown in the console")
    alert_webhook_secret: str = secret(DEVELOPMENT_WEBHOOK_SECRET, description="Standard Webhooks secret of alerts: whsec_ and base64")
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

    @model_validator(mode="after")
    def _leases_outlast_calls(self) -> "Settings":
        if self.alert_lease_s <= self.alert_timeout_s:
            raise ValueError("ROUTING_ALERT_LEASE_S must be longer than ROUTING_ALERT_TIMEOUT_S")
        return self
