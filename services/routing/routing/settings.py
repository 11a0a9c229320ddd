"""Settings of routing: `ROUTING_X`, or `AFTERCALL_X` for what all services share. Durations are seconds."""

from pathlib import Path
from typing import ClassVar

from pydantic import Field

from shared.runtime.settings import ServiceSettings

_CASES = Path(__file__).parent / "cases"


class Settings(ServiceSettings):
    SERVICE: ClassVar[str] = "routing"

    public_port: int = Field(8003, description="port of the console, the pages and the API")
    internal_port: int = Field(9003, description="port of metrics, health and dead letters")
    rota_file: Path | None = Field(None, description="rota in force until a version is activated; without it no team is known")
    policy_file: Path = Field(_CASES / "policy.json", description="case policy in force until a version is activated")
    words_file: Path = Field(_CASES / "words.json", description="lists of critical words by language")
    timer_batch: int = Field(200, ge=1, description="cases a timer moves in one transaction")
    gauges_s: float = Field(10.0, gt=0, description="how often the gauges of open cases are counted anew, seconds")
