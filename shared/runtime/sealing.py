"""What is personal travels and rests sealed (AES-256-GCM); handles and addresses are known by their HMAC.

The first key seals, every key unseals, so keys rotate without a stop. The pepper of the HMACs is apart from them and permanent.
"""

import base64
import binascii
import hashlib
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import PydanticSerializationError, from_json, to_json

from shared.runtime.errors import AftercallError, Unprocessable
from shared.schemas import Sealed

NONCE = 12


class SealingKeyMissing(AftercallError):
    """A value was sealed with a key this process does not have."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(
            f"The sealing key {key_id!r} is not among AFTERCALL_SEAL_KEYS: add it, after the writing key, and the value can be read again"
        )


class SealingKeysInvalid(AftercallError):
    """The key list cannot be used; the sentence says which entry and why, never the key."""

    def __init__(self, entry: int, why: str) -> None:
        super().__init__(f"Entry {entry} of AFTERCALL_SEAL_KEYS {why}: write id:base64 of 32 bytes, with commas between")


class Sealer:
    """Seals, unseals and names values; safe to share between tasks."""

    def __init__(self, keys: str, pepper: str) -> None:
        self._ciphers = _ciphers(keys)
        self._writer = next(iter(self._ciphers))
        self._pepper = pepper.encode()

    def seal(self, value: Any) -> Sealed:
        """A JSON value as `Sealed`; sealing the same value twice gives different bytes."""
        return Sealed(k=self._writer, c=base64.b64encode(self._encrypt(_json(value))).decode())

    def unseal(self, sealed: Sealed) -> Any:
        """The JSON value; `SealingKeyMissing`, or `Unprocessable` where somebody changed the bytes."""
        try:
            body = base64.b64decode(sealed.c, validate=True)
        except binascii.Error:
            raise Unprocessable("sealed_invalid") from None
        return from_json(self._decrypt(sealed.k, body))

    def seal_bytes(self, plain: bytes) -> bytes:
        """Bytes for a `bytea` column: length of the key id, key id, nonce, ciphertext."""
        key_id = self._writer.encode()
        return bytes([len(key_id)]) + key_id + self._encrypt(plain)

    def unseal_bytes(self, sealed: bytes) -> bytes:
        """What `seal_bytes` was given."""
        end = 1 + sealed[0] if sealed else 0
        return self._decrypt(sealed[1:end].decode(errors="replace"), sealed[end:])

    def ref(self, kind: str, scope: str, value: str) -> str:
        """The 32 hex digits under which all services know a handle or address without knowing it; `value` is canonical."""
        parts = [_utf8(part) for part in (kind, scope, value)]
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._pepper, text, hashlib.sha256)[:16].hex()

    def _encrypt(self, plain: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._ciphers[self._writer].encrypt(nonce, plain, None)

    def _decrypt(self, key_id: str, body: bytes) -> bytes:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealingKeyMissing(key_id)
        try:
            return cipher.decrypt(body[:NONCE], body[NONCE:], None)
        except (InvalidTag, ValueError):
            raise Unprocessable("sealed_invalid") from None


def _json(value: Any) -> bytes:
    try:
        return to_json(value)
    except PydanticSerializationError as error:
        if "surrogates" in str(error):
            raise Unprocessable("lone_surrogate") from None
        raise


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unprocessable("lone_surrogate") from None


def _ciphers(keys: str) -> dict[str, AESGCM]:
    ciphers: dict[str, AESGCM] = {}
    for number, entry in enumerate(keys.split(","), start=1):
        key_id, _, encoded = entry.strip().partition(":")
        if not key_id or len(key_id.encode()) > 64 or key_id in ciphers:
            raise SealingKeysInvalid(number, "has no id, a long one, or one that is there already")
        ciphers[key_id] = AESGCM(_key(encoded, number))
    return ciphers


def _key(encoded: str, number: int) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise SealingKeysInvalid(number, "is not base64") from None
    if len(key) != 32:
        raise SealingKeysInvalid(number, f"has {len(key)} bytes")
    return key
