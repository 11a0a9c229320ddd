"""What a deployment decides about scoring."""

from typing import ClassVar

from pydantic import Field
from shared.runtime.settings import ServiceSettings, secret


class Settings(ServiceSettings):
    """Environment `SCORING_X`, or `AFTERCALL_X` for all services; every duration in seconds."""

    SERVICE: ClassVar[str] = "scoring"

    brand: str = Field("Larkfield", min_length=1, description="the company's name as its customers know it")
    contact_url: str = Field("", description="where customers reach the company; empty: the survey page names no such place")
    amend_s: float = Field(900.0, gt=0, description="how long an answer may be changed or completed, seconds")
    callback_up_to: int = Field(6, ge=-1, le=10, description="highest score after which the page asks whether to call; -1: never")
    sms_secret: str = secret("development-only-secret-of-sms-replies", description="auth token that signs SMS replies; two with a comma while it changes")
    sms_url: str = Field("", description="address of /v1/replies/sms as the SMS provider was told it; empty: made from AFTERCALL_PUBLIC_URL")

    @property
    def sms_replies_url(self) -> str:
        return self.sms_url or f"{self.public_url}/v1/replies/sms"
