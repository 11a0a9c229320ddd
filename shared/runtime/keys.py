"""API keys of machines: `ak_<id>_<secret>`, kept as a hash, scoped, restricted, replaced while both old and new live."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.runtime.audit import Actor, CommandLine, audit
from shared.runtime.database import Database, as_json, row, run
from shared.runtime.rights import SCOPES, Principal, rights


@dataclass(frozen=True, slots=True)
class NewKey:
    """An API key to be. `replaces` names an older one that stays live for `grace` more: two are live while its clients change over."""

    name: str
    scopes: Iterable[str]
    platform: str | None = None
    account: str | None = None
    expires: datetime | None = None
    replaces: str | None = None
    grace: timedelta = timedelta(days=1)


_INSERT_KEY = """
insert into api_key (id, hash, name, scopes, platform, account, expires)
values (:id, :hash, :name, cast(:scopes as jsonb), :platform, :account, :expires)"""


_LIVE_KEY = "select * from api_key where id = :id and not revoked and (expires is null or expires > now())"


async def create_key(database: Database, new: NewKey, *, by: Actor | None = None) -> str:
    """The key, shown this once: only the hash of its secret is kept. Audited as made from the command line where nobody else is named."""
    scopes, key_id, secret = sorted(rights("scope", new.scopes, SCOPES)), secrets.token_hex(6), secrets.token_urlsafe(32)
    kept = {"id": key_id, "hash": _hash(secret), "name": new.name, "scopes": as_json(scopes)}
    limits = {"platform": new.platform, "account": new.account, "expires": new.expires}
    async with database.transaction() as unit:
        await run(unit.tx, _INSERT_KEY, **kept, **limits)
        if new.replaces:
            await run(
                unit.tx, "update api_key set expires = least(expires, :end) where id = :id", id=new.replaces, end=unit.now + new.grace
            )
        detail = {"scopes": scopes, **limits, "replaces": new.replaces}
        await audit(unit.tx, by or CommandLine(), "api-key.created", subject=key_id, detail={k: v for k, v in detail.items() if v})
    return f"ak_{key_id}_{secret}"


async def revoke_key(database: Database, key_id: str, *, by: Actor | None = None) -> bool:
    """False where there is no such key. Audited, once."""
    async with database.transaction() as unit:
        if await run(unit.tx, "update api_key set revoked = true where id = :id and not revoked", id=key_id):
            await audit(unit.tx, by or CommandLine(), "api-key.revoked", subject=key_id)
        return await row(unit.tx, "select 1 from api_key where id = :id", id=key_id) is not None


def _hash(secret: str) -> bytes:
    """SHA-256 is enough: the secret is 256 random bits, not a person's password."""
    return hashlib.sha256(secret.encode()).digest()


class Budget:
    """So many calls a second for each key, and twice as many in a burst; what is over is refused, not queued."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str, *, at: float) -> bool:
        """`at` in seconds of a steady clock."""
        left, before = self._left.get(key_id, (2 * self._rate, at))
        left = min(2 * self._rate, left + (at - before) * self._rate)
        allowed = left >= 1
        self._left[key_id] = (left - allowed, at)
        return allowed


class KeyRing:
    """Looks keys up. A key once checked is trusted for `trusted_s`, so a revoked one lives that much longer."""

    def __init__(self, database: Database, *, trusted_s: float) -> None:
        self._database = database
        self._trusted_s = trusted_s
        self._keys: dict[bytes, tuple[float, Principal]] = {}

    async def principal(self, key: str) -> Principal | None:
        """The principal of a live API key; trusted for `key_cache_s` once checked, so a revoked key lives that much longer."""
        digest = _hash(key)
        until, known = self._keys.get(digest, (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        found = await self._look_up(key)
        if found is not None:
            self._remember(digest, found)
        return found

    async def _look_up(self, key: str) -> Principal | None:
        prefix, _, rest = key.partition("_")
        key_id, _, chosen = rest.partition("_")
        if prefix != "ak" or not key_id.isalnum() or not key_id.isascii() or not chosen:
            return None
        async with self._database.transaction() as unit:
            kept = await row(unit.tx, _LIVE_KEY, id=key_id)
        if kept is None or not hmac.compare_digest(bytes(kept["hash"]), _hash(chosen)):
            return None
        return Principal("key", key_id, kept["name"], scopes=frozenset(kept["scopes"]), platform=kept["platform"], account=kept["account"])

    def _remember(self, digest: bytes, principal: Principal) -> None:
        if len(self._keys) >= 1024:
            self._keys.clear()
        self._keys[digest] = time.monotonic() + self._trusted_s, principal
