"""Phone numbers and mailboxes in one form each, or the reason why not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import (
    COUNTRY_CODES_FOR_NON_GEO_REGIONS,
    SUPPORTED_REGIONS,
    PhoneNumberFormat,
    PhoneNumberType,
    example_number_for_non_geo_entity,
    example_number_for_type,
    format_number,
    number_type,
)
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from shared.addresses import USES, Address, Unusable, classify, email, masked, phone, zones_of_number
from shared.zones import is_zone

BOTH = ("voice", "sms")


@pytest.mark.parametrize(
    ("written", "country", "e164", "can"),
    [
        ("+12025550143", None, "+12025550143", BOTH),
        ("(202) 555-0143", "US", "+12025550143", BOTH),
        (" 1 202.555.0143 ", "US", "+12025550143", BOTH),
        ("tel:+1-202-555-0143", None, "+12025550143", BOTH),
        ("٢٠٢٥٥٥٠١٤٣", "US", "+12025550143", BOTH),
        ("202-555-0143 x12", "US", "+12025550143", ("voice",)),
        ("+1 202 555 0143;ext=5", None, "+12025550143", ("voice",)),
        ("07400 123456", "GB", "+447400123456", BOTH),
        ("011 44 7400 123456", "US", "+447400123456", BOTH),
        ("+4930901820", "US", "+4930901820", ("voice",)),
        ("030 901820", "DE", "+4930901820", ("voice",)),
    ],
)
def test_a_number_in_any_form_becomes_e164_with_what_it_can_be_used_for(
    written: str, country: str | None, e164: str, can: tuple[str, ...]
) -> None:
    assert phone(written, country) == Address("phone", e164, can)


@pytest.mark.parametrize(
    ("written", "country", "reason"),
    [
        ("911", "US", "short_code"),
        ("24273", "US", "short_code"),
        ("+19002345678", None, "premium_rate"),
        ("+18005550199", None, "toll_free"),
        ("1" * 40, "US", "too_long"),
        ("9" * 5_000, "US", "too_long"),
        ("202 555 0143", None, "unknown_country"),
        ("+1202555014", None, "too_short"),
        ("+1120255501435", None, "too_long"),
        ("555-0143", "US", "area_code_missing"),
        ("+11234567890", None, "not_in_use"),
        ("anonymous", "US", "not_a_number"),
        ("+266696687", None, "too_short"),
        ("", "US", "not_a_number"),
        ("sip:guide@example.org", "US", "not_a_number"),
    ],
)
def test_what_is_no_persons_number_has_a_reason(written: str, country: str | None, reason: str) -> None:
    assert phone(written, country) == Unusable(reason)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (" Zoe.Example@Example.ORG ", "zoe.example@example.org"),
        ("mailto:zoe@example.org", "zoe@example.org"),
        ("zoe+news@mail.example.org", "zoe+news@mail.example.org"),
        ("zoë@example.org", "zoë@example.org"),
        ("zoe\u0308@example.org", "zoë@example.org"),
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
    ],
)
def test_a_mailbox_has_one_form(written: str, canonical: str) -> None:
    assert email(written) == Address("email", canonical, ("email",))


@pytest.mark.parametrize(
    "written",
    [
        "",
        "zoe",
        "zoe@",
        "@example.org",
        "zoe@localhost",
        "a b@example.org",
        "a@b@example.org",
        "zoe@example..org",
        "zoe@-x.org",
        "zoe@x.1",
        "a\n@example.org",
    ],
)
def test_what_is_no_mailbox_has_a_reason(written: str) -> None:
    assert email(written) == Unusable("not_a_mailbox")


def test_a_mailbox_that_no_server_takes_is_too_long() -> None:
    assert email("z@" + "a." * 200 + "org") == Unusable("too_long")


def test_an_address_is_read_as_the_kind_it_is_said_to_be() -> None:
    assert classify("phone", "(202) 555-0143", country="US") == Address("phone", "+12025550143", BOTH)
    assert classify("email", "Zoe@example.org") == Address("email", "zoe@example.org", ("email",))
    assert classify("chat", " handle-7 ") == Address("chat", "handle-7", ("chat",))
    assert classify("chat", "  ") == Unusable("empty")


@pytest.mark.parametrize(
    ("value", "shown"), [("+12025550143", "+1•••43"), ("zoe@example.org", "z•••@e•••.org"), ("12345", "•••"), ("", "•••")]
)
def test_an_address_is_shown_masked(value: str, shown: str) -> None:
    assert masked(value) == shown


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12025550143", ("America/New_York",)),
        ("+447400123456", ("Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey", "Europe/London")),
        ("+99912345", ()),
        ("no number", ()),
    ],
)
def test_a_numbers_prefix_tells_its_zones_or_nothing(number: str, zones: tuple[str, ...]) -> None:
    assert zones_of_number(number) == zones


def test_every_kind_of_number_of_every_country_reads_as_the_numbering_plan_says() -> None:
    kinds = PhoneNumberType.values()
    examples = [example for region in SUPPORTED_REGIONS for kind in kinds if (example := example_number_for_type(region, kind))]
    examples += [example for code in COUNTRY_CODES_FOR_NON_GEO_REGIONS if (example := example_number_for_non_geo_entity(code))]

    assert len(examples) > 1_000
    for number in examples:
        e164 = format_number(number, PhoneNumberFormat.E164)
        assert isinstance(phone(e164), Address) == (number_type(number) in USES)
        assert zones_of_number(e164) == tuple(zone for zone in time_zones_for_number(number) if zone != UNKNOWN_TIMEZONE)


def test_every_zone_of_a_number_is_in_the_time_zone_database() -> None:
    assert all(
        is_zone(zone) for number in ("+18005550199", "+917410410123", "+61412345678", "+79161234567") for zone in zones_of_number(number)
    )


@given(st.text(max_size=80) | st.from_regex(r"\+?[0-9 ().;x-]{0,40}", fullmatch=True), st.sampled_from([None, "US", "GB", "IN", "XX", ""]))
@example("+1" * 20, "US")
def test_whatever_is_written_gives_e164_or_a_reason_and_e164_stays_itself(written: str, country: str | None) -> None:
    found = phone(written, country)
    if isinstance(found, Address):
        assert found.value[0] == "+"
        assert found.value[1:].isdecimal()
        assert len(found.value) <= 16
        assert phone(found.value) in (found, Address("phone", found.value, BOTH))
    else:
        assert found.reason


@given(st.text(max_size=300) | st.emails())
def test_whatever_is_written_gives_a_mailbox_or_a_reason_and_a_mailbox_stays_itself(written: str) -> None:
    found = email(written)
    if isinstance(found, Address):
        assert email(found.value) == found
        assert masked(found.value) != found.value
