"""What every schema is built on."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable part of a message. Unknown fields are ignored; a field that is missing and one that is null mean the same."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def encode(self) -> bytes:
        """JSON as it travels: UTF-8, field names of the contract, nothing written for what is absent."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)


class Message(Value):
    """A whole message. `TYPE` is its CloudEvents type, `VERSION` the number at the end of it."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1

    @classmethod
    def short_name(cls) -> str:
        """The type without our prefix, such as `interaction-completed.v1`: the name of its schema file and its folder of examples."""
        return cls.TYPE.removeprefix("aftercall.")
