"""The made-up customers of the demo. Numbers are of the range that North America keeps for fiction (555-0100 to 555-0199)."""

from dataclasses import dataclass

GIVEN = ["Ada", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Luis", "Mina", "Noor"]
FAMILY = ["Abbott", "Bergmann", "Castillo", "Delgado", "Ekman", "Fischer", "Grant", "Hansen", "Ito", "Jensen", "Keller"]
AREAS = {
    "America/New_York": ["212", "215", "305", "404", "617", "704", "718", "813"],
    "America/Chicago": ["214", "312", "314", "504", "612", "615", "713"],
    "America/Denver": ["303", "505", "801"],
    "America/Los_Angeles": ["206", "213", "415", "503", "619", "702"],
}
LINES = [(area, zone) for zone, areas in AREAS.items() for area in areas]
SEGMENTS = ["family", "single", "senior", "student"]


@dataclass(frozen=True, slots=True)
class Person:
    member_id: str
    name: str
    phone: str
    email: str
    zone: str
    segment: str


def person(number: int) -> Person:
    """The same person for the same number, and as many as 2,400 of them with a phone of their own."""
    given, family = GIVEN[number % len(GIVEN)], FAMILY[number // len(GIVEN) % len(FAMILY)]
    area, zone = LINES[number // 100 % len(LINES)]
    return Person(
        member_id=f"M-{number:06d}",
        name=f"{given} {family}",
        phone=f"+1{area}555{100 + number % 100:04d}",
        email=f"{given}.{family}.{number}@example.org".lower(),
        zone=zone,
        segment=SEGMENTS[number % len(SEGMENTS)],
    )
