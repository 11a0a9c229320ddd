"""The types that message fields are made of."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from shared.schemas.message import Value


def in_wire_form(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, always ending in Z; finer fractions are cut off."""
    ours = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return ours.isoformat(timespec="milliseconds")[:23] + "Z"


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Rfc3339:
    """Reads an aware moment: from JSON only as text (a bare number has no unit), in Python also what pydantic takes for one.

    Bounded, because a moment at the edge of the calendar cannot be converted to every zone.
    """

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(
            json_schema=core_schema.datetime_schema(strict=True, tz_constraint="aware", ge=EARLIEST, le=LATEST),
            python_schema=core_schema.datetime_schema(tz_constraint="aware", ge=EARLIEST, le=LATEST),
            serialization=core_schema.plain_serializer_function_ser_schema(
                in_wire_form, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


Id = UUID
Day = date
When = Annotated[datetime, Rfc3339]
"""Aware, in the offset it was written with; it is written in UTC, to the millisecond, with a Z."""

Code = Annotated[str, StringConstraints(to_lower=True, min_length=1)]
"""A member of an open set, lower-case. Readers map a member they do not know to `other` (`shared.codes.known`) and keep the original."""

Language = Annotated[str, StringConstraints(min_length=1)]
"""A BCP 47 tag."""

Zone = Annotated[str, StringConstraints(min_length=1)]
"""An IANA time zone name."""

LARGEST = 2**31 - 1
Count = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]
Revision = Annotated[int, Field(strict=True, ge=1, le=LARGEST)]
Score = Annotated[int, Field(strict=True, ge=0, le=10)]
"""Likelihood to recommend. A whole JSON number: neither true, 7.0 nor "9"."""

Points = Annotated[int, Field(strict=True, ge=0, le=100)]
Flag = Annotated[bool, Field(strict=True)]
Rate = Annotated[float, Field(ge=0, le=1)]
Draw = Annotated[float, Field(ge=0, lt=1)]

Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
"""An identifier or a name as an outsider writes it."""

Words = Annotated[str, StringConstraints(max_length=20_000)]
"""Free text as an outsider writes it."""

Attribute = Annotated[str, Field(coerce_numbers_to_str=True, max_length=1_000)]

YesNo = Literal["yes", "no"]
Answered = Literal["yes", "no", "unanswered"]
Verdict = Literal["pass", "fail", "unknown"]
Detail = str | int | float | bool | tuple[str | int | float, ...] | None
"""Why a rule said so: a code or numbers, never anything personal."""


class Sealed(Value):
    """An encrypted value: the id of the key, and base64 of what that key sealed."""

    k: Annotated[str, StringConstraints(min_length=1)]
    c: str


class Window(Value):
    """From `from_` until, not including, `to`."""

    from_: Annotated[When, Field(alias="from")]
    to: When


class By(Value):
    """Who did it: guide, dialer or system, and which one."""

    kind: Code
    ref: str


class PlatformRef(Value):
    """A contact in the platform's own words."""

    platform: Code
    account: str
    ref: str
