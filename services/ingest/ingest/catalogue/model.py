"""The catalogue: which team works a queue, which moment a contact was, and what people call them. Versioned data, one active version."""

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.schemas import Code

Pattern = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MomentRule(Part):
    """Every condition that is there must hold. The first rule that fits names the moment."""

    moment: Code
    queue: Pattern | None = None
    team: Code | None = None
    channel: Code | None = None
    direction: Code | None = None
    reason: Code | None = None
    traits: dict[Code, str] = Field(default_factory=dict, max_length=20)

    @property
    def conditions(self) -> frozenset[tuple[str, str]]:
        """What must hold; a rule with some of another's conditions and no others fits wherever that one does."""
        asked = {(name, getattr(self, name)) for name in ("queue", "team", "channel", "direction", "reason") if getattr(self, name)}
        return frozenset(asked | {(f"traits.{name}", value) for name, value in self.traits.items()})

    @model_validator(mode="after")
    def says_when(self) -> Self:
        if not self.conditions:
            raise ValueError("give at least one condition, or name the moment in `moment_else`")
        return self


class Catalogue(Part):
    """`agents` and `queues` map a platform's own ids to team codes. `names` are for people: of teams, queues and moments."""

    agents: dict[Pattern, Code] = Field(default_factory=dict, max_length=20_000)
    queues: dict[Pattern, Code] = Field(default_factory=dict, max_length=20_000)
    teams: dict[Code, Name]
    queue_names: dict[Pattern, Name] = Field(default_factory=dict, max_length=20_000)
    moments: tuple[MomentRule, ...] = Field(default=(), max_length=500)
    moment_names: dict[Code, Name] = Field(default_factory=dict)
    moment_else: Code | None = None


class Attribution(Part):
    """What the catalogue says of one contact or one leg."""

    team: str | None
    queue: str | None
    moment: str | None


@dataclass(frozen=True, slots=True)
class Active:
    """The version in force; 0 is the one of the settings."""

    version: int
    catalogue: Catalogue
