"""The event that a platform without an adapter sends."""

from typing import Annotated

from pydantic import Field

from shared.schemas.fields import Attribute, Code, Flag, Name
from shared.schemas.message import Value

Epoch = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


class NativeCustomer(Value):
    """Whatever the platform knows of the customer."""

    member_id: Name | None = None
    contact_id: Name | None = None
    phone: Name | None = None
    email: Name | None = None
    name: Name | None = None
    language: Name | None = None
    postal_code: Name | None = None


class NativeAgent(Value):
    """The human on this leg."""

    id: Name | None = None
    name: Name | None = None


class NativeEvent(Value):
    """Something happened to a leg of a contact; sent alone or as the data of a CloudEvent of type `contact.<event>`.

    `event` is one of started, queued, connected, transferred, ended, reopened; others are ignored. `at` takes any form of time
    that a platform writes. `leg` defaults to the contact itself.
    """

    id: Name
    account: Name = "-"
    contact: Name
    leg: Name | None = None
    event: Code
    at: Name | Epoch | float
    channel: Code
    medium: Code | None = None
    direction: Code | None = None
    customer: NativeCustomer | None = None
    agent: NativeAgent | None = None
    team: Name | None = None
    queue: Name | None = None
    reason: Name | None = None
    language: Name | None = None
    self_served: Flag | None = None
    bot: Flag | None = None
    attributes: dict[str, Attribute] | None = None
