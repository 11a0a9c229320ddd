"""What the member directory, and the other services, say of people: profiles and consents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from ingest.people import store
from ingest.people.canonical import address, handles_of, member
from ingest.people.handle import Account, Desk, consented, settle
from ingest.people.model import Address, Nobody
from ingest.people.profile import from_directory
from shared.addresses import Unusable
from shared.runtime.database import Unit, as_json
from shared.runtime.errors import Unprocessable
from shared.runtime.handling import Batch
from shared.schemas import ConsentChanged, Customer, ProfileGiven
from shared.zones import is_zone

ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A profile that cannot be taken, or a part of one that cannot be used."""

    path: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one profile: the customer, without the parts that were `left`; or why it was refused."""

    customer: Customer | None
    refused: Refusal | None = None
    left: tuple[Refusal, ...] = ()


async def take(unit: Unit, desk: Desk, given: Sequence[ProfileGiven]) -> list[Taken]:
    """The one way in for profiles, by whatever door: each is taken or refused on its own. A member who was erased is refused (`erased`)
    until their handles are forgotten too."""
    accounts: list[Account] = []
    answers: list[Taken] = []
    for profile in given:
        try:
            account, left = account_of(profile, desk)
        except Unprocessable as fault:
            answers.append(Taken(None, Refusal(fault.path, fault.code)))
            continue
        accounts.append(account)
        answers.append(Taken(None, None, tuple(left)))
    settled = iter(await settle(unit, desk, accounts) if accounts else ())
    return [answer if answer.refused else _settled(answer, next(settled)) for answer in answers]


def profile_of(line: bytes) -> ProfileGiven | Refusal:
    """One line of JSON lines."""
    try:
        return ProfileGiven.model_validate_json(line)
    except ValidationError as error:
        return refusal_of(error)


def refusal_of(error: ValidationError) -> Refusal:
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return Refusal(".".join(map(str, fault["loc"])) or None, fault["type"])


async def take_lines(unit: Unit, desk: Desk, lines: Sequence[bytes]) -> list[Taken]:
    """The same for JSON lines."""
    read = [profile_of(line) for line in lines]
    taken = iter(await take(unit, desk, [each for each in read if isinstance(each, ProfileGiven)]))
    return [Taken(None, each) if isinstance(each, Refusal) else next(taken) for each in read]


def _settled(answer: Taken, who: Customer | Nobody) -> Taken:
    return replace(answer, customer=who) if isinstance(who, Customer) else Taken(None, Refusal("member_id", ERASED))


def account_of(given: ProfileGiven, desk: Desk) -> tuple[Account, list[Refusal]]:
    """What a profile says, in canonical form, and the addresses that are none. Raises Unprocessable for what cannot be taken at all."""
    as_json(given)  # a NUL cannot be stored
    if not given.member_id.strip():
        raise Unprocessable("missing", "member_id")
    if given.zone and not is_zone(given.zone):
        raise Unprocessable("unknown_zone", "zone")
    written = [address(each.kind, each.value, desk.naming) for each in given.addresses or ()]
    addresses = [each for each in written if isinstance(each, Address)]
    handles = (member(given.member_id, desk.naming), *handles_of(addresses))
    account = Account(handles, from_directory(given, addresses), directory=True, consents=given.consents or ())
    return account, [Refusal(f"addresses.{n}.value", each.reason) for n, each in enumerate(written) if isinstance(each, Unusable)]


async def profiles_given(batch: Batch[ProfileGiven], desk: Desk) -> int:
    """`customers.profiles`: the member directory speaks. Returns how many were of the erased: no dead letters, which would keep them."""
    taken = await take(batch.unit, desk, [delivery.message for delivery in batch.items])
    for delivery, answer in zip(batch.items, taken, strict=True):
        if answer.refused and answer.refused.reason != ERASED:
            batch.refuse(delivery, answer.refused.reason, answer.refused.path)
    return sum(answer.refused is not None and answer.refused.reason == ERASED for answer in taken)


async def consents_changed(batch: Batch[ConsentChanged], desk: Desk) -> None:
    """`consents.changed`, also our own: whoever it concerns gets a new version, unless it was known. Of the erased nothing is kept."""
    named = {each.message.consent.customer_id for each in batch.items if each.message.consent.customer_id}
    known_ids = await store.heirs(batch.unit.tx, named)
    forgotten = await store.erased(batch.unit.tx, named - known_ids.keys())
    taken = []
    for delivery in batch.items:
        consent = delivery.message.consent
        if consent.customer_id is None:
            taken.append(consent)
        elif consent.customer_id in known_ids:
            taken.append(consent.model_copy(update={"customer_id": known_ids[consent.customer_id]}))
        elif consent.customer_id not in forgotten:
            batch.refuse(delivery, "unknown_customer", "consent.customer_id")
    await consented(batch.unit, desk, taken)
