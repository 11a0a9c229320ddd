"""Sealed values: round trip, rotation, tampering; references."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.errors import Unprocessable
from shared.runtime.sealing import Sealer, SealingKeyMissing, SealingKeysInvalid
from shared.schemas import Sealed

OLD = "old:" + base64.b64encode(b"o" * 32).decode()
NEW = "new:" + base64.b64encode(b"n" * 32).decode()
PEPPER = "a pepper of at least thirty-two characters"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_what_is_sealed_comes_back(value: object) -> None:
    sealer = Sealer(NEW, PEPPER)
    assert sealer.unseal(sealer.seal(value)) == value


@given(st.binary(max_size=300))
def test_sealed_bytes_come_back(value: bytes) -> None:
    sealer = Sealer(NEW, PEPPER)
    assert sealer.unseal_bytes(sealer.seal_bytes(value)) == value


def test_sealing_twice_gives_different_bytes_and_hides_the_value() -> None:
    sealer = Sealer(NEW, PEPPER)
    first, second = sealer.seal("Ada Canary"), sealer.seal("Ada Canary")
    assert first.c != second.c
    assert b"Canary" not in base64.b64decode(first.c)


def test_after_a_rotation_the_new_key_writes_and_both_read() -> None:
    before, after = Sealer(OLD, PEPPER), Sealer(f"{NEW},{OLD}", PEPPER)
    assert after.unseal(before.seal({"n": 1})) == {"n": 1}
    assert after.unseal_bytes(before.seal_bytes(b"x")) == b"x"
    assert after.seal("x").k == "new"


def test_a_missing_key_is_named() -> None:
    sealed, sealed_bytes = Sealer(OLD, PEPPER).seal("x"), Sealer(OLD, PEPPER).seal_bytes(b"x")
    for unseal in (lambda: Sealer(NEW, PEPPER).unseal(sealed), lambda: Sealer(NEW, PEPPER).unseal_bytes(sealed_bytes)):
        with pytest.raises(SealingKeyMissing, match="'old'"):
            unseal()


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_a_changed_byte_is_refused(place: int) -> None:
    sealer = Sealer(NEW, PEPPER)
    body = bytearray(base64.b64decode(sealer.seal("x").c))
    body[place] ^= 1
    with pytest.raises(Unprocessable, match="sealed_invalid"):
        sealer.unseal(Sealed(k="new", c=base64.b64encode(body).decode()))


@pytest.mark.parametrize("body", ["", "AAAA", "not base64!"])
def test_what_nobody_sealed_is_refused(body: str) -> None:
    with pytest.raises(Unprocessable, match="sealed_invalid"):
        Sealer(NEW, PEPPER).unseal(Sealed(k="new", c=body))


@pytest.mark.parametrize("keys", ["", "new", "new:####", "new:c2hvcnQ=", f"{NEW},{NEW}", f"{NEW},"])
def test_a_key_list_that_cannot_be_used_is_refused_without_its_keys(keys: str) -> None:
    with pytest.raises(SealingKeysInvalid) as refused:
        Sealer(keys, PEPPER)
    assert "bm5u" not in str(refused.value)


def test_half_a_character_is_the_messages_fault() -> None:
    sealer = Sealer(NEW, PEPPER)
    for fault in (lambda: sealer.seal({"name": "\ud800"}), lambda: sealer.ref("email", "", "\udfff@example.com")):
        with pytest.raises(Unprocessable, match="lone_surrogate"):
            fault()


def test_a_reference_is_the_same_everywhere_and_outlives_the_keys() -> None:
    assert Sealer(NEW, PEPPER).ref("phone", "", "+12125550123") == Sealer(OLD, PEPPER).ref("phone", "", "+12125550123")


def test_references_differ_by_kind_scope_value_and_pepper() -> None:
    sealer = Sealer(NEW, PEPPER)
    refs = [sealer.ref("phone", "", "1"), sealer.ref("email", "", "1"), sealer.ref("phone", "1", ""), sealer.ref("phon", "e", "1")]
    assert len({*refs, Sealer(NEW, PEPPER + "!").ref("phone", "", "1")}) == 5
