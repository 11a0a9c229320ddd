"""Who may do what: deny by default, keys, sessions, login links, and the walk over every route."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import jwt
import pytest
from fastapi import APIRouter, Depends, FastAPI

from shared.runtime.access import ALL_TEAMS, COOKIE, Permission, Principal, Teams, allow, declared, open_to_all, undeclared_routes
from shared.runtime.database import rows
from shared.runtime.keys import Budget, NewKey, create_key, revoke_key
from shared.runtime.rights import UnknownRights
from shared.runtime.sign_in import own_path
from tests.support.edges import READ, SEND, Edged, edged

PAGE = {"accept": "text/html"}
PERSON = Principal("person", "p-1", "Maria Lopez", frozenset({"supervisor"}), Teams({"elm"}))


@pytest.fixture
async def toy(database_url: str) -> AsyncIterator[Edged]:
    async with edged(database_url, key_cache_s=0) as made:
        yield made


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def test_every_role_and_scope_at_every_route_gets_what_the_route_declares(toy: Edged) -> None:
    paths = {
        "/v1/cases/{number}": "/v1/cases/7",
        "/v1/cases": "/v1/cases",
        "/v1/events": "/v1/events",
        "/console/cases/{number}": "/console/cases/7",
    }
    seen = set()
    keys = {scope: await create_key(toy.database, NewKey("toy", [scope])) for scope in ("platform", "crm", "dialer")}
    for method, template, permission in declared(toy.public):
        if permission is None:
            continue
        for right in ("guide", "supervisor", "analyst", "admin", *keys):
            who = _bearer(keys[right]) if right in keys else toy.cookie(right)
            reply = await toy.client.request(method, paths[template], headers=who)
            expected = 200 if right in permission.roles | permission.scopes else 403
            assert reply.status_code == expected, (method, template, right)
            seen.add((method, template))
    assert len(seen) == 4


def test_no_route_is_without_a_declaration() -> None:
    app, inner, outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), APIRouter(), APIRouter(prefix="/v1")

    @inner.get("/said", dependencies=[Depends(allow(READ))])
    async def said() -> None: ...

    @inner.get("/forgotten")
    async def forgotten() -> None: ...

    @inner.post("/twice", dependencies=[Depends(allow(READ)), Depends(allow(SEND))])
    async def twice() -> None: ...

    @inner.post("/both", dependencies=[Depends(open_to_all), Depends(allow(SEND))])
    async def both() -> None: ...

    outer.include_router(inner, prefix="/deep")
    app.include_router(outer)
    app.mount("/mounted", FastAPI())
    assert undeclared_routes(app) == ["GET /v1/deep/forgotten", "POST /v1/deep/twice", "POST /v1/deep/both", "* /mounted"]


async def test_our_own_routes_all_declare_themselves(toy: Edged) -> None:
    assert undeclared_routes(toy.public) == []
    assert undeclared_routes(toy.internal) == []


@pytest.mark.parametrize(
    ("query", "paths"), [("colour=red&colour=blue", ["colour"]), ("a=1&=2&ana%20lopez=3&B-2=", ["…", "B-2", "a", "…"]), ("", []), ("&", [])]
)
async def test_parameters_that_a_reading_route_does_not_know_are_named_without_a_value(toy: Edged, query: str, paths: list[str]) -> None:
    answer = await toy.client.get(f"/v1/cases/7?{query}", headers=toy.cookie("guide"))

    assert [each["path"] for each in answer.json().get("errors", ())] == paths
    assert answer.status_code == (422 if paths else 200)
    assert "red" not in answer.text


async def test_a_page_takes_any_parameter_and_who_may_not_ask_learns_of_none(toy: Edged) -> None:
    page = await toy.client.get("/console/cases/7?utm=mail", headers=toy.cookie("guide") | PAGE)
    nobody = await toy.client.get("/v1/cases/7?colour=red", headers={})

    assert (page.status_code, nobody.status_code) == (200, 401)


async def test_who_is_nobody_gets_401_at_the_api_and_is_sent_to_sign_in_from_a_page(toy: Edged) -> None:
    reply = await toy.client.get("/v1/cases/7")
    assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
    page = await toy.client.get("/console/cases/7?view=mine", headers=PAGE)
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/console/cases/7%3Fview%3Dmine")


async def test_a_page_without_the_right_looks_as_if_it_did_not_exist(toy: Edged) -> None:
    hidden = await toy.client.get("/console/cases/7", headers={**PAGE, **toy.cookie("analyst")})
    missing = await toy.client.get("/console/nothing", headers={**PAGE, **toy.cookie("analyst")})
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert _without_id(hidden.text) == _without_id(missing.text)


def _without_id(page: str) -> str:
    return page.partition("Request ")[0]


async def test_a_person_sees_the_own_teams(toy: Edged) -> None:
    own = await toy.client.get("/v1/cases/7", headers=toy.cookie("guide", teams=Teams({"elm"})))
    other = await toy.client.get("/v1/cases/7", headers=toy.cookie("guide", teams=Teams({"oak"})))
    assert (own.json()["elm"], other.json()["elm"]) == (True, False)


def test_all_teams_are_every_team_and_a_case_without_one_is_theirs() -> None:
    everywhere = Principal("person", "a", "A", frozenset({"admin"}), ALL_TEAMS)
    assert everywhere.has_team("elm")
    assert everywhere.has_team(None)
    assert not PERSON.has_team(None)
    assert "elm" in ALL_TEAMS


async def test_a_key_is_kept_only_as_a_hash(toy: Edged) -> None:
    key = await create_key(toy.database, NewKey("toy", ["platform"]))
    async with toy.database.transaction() as unit:
        kept = (await rows(unit.tx, "select * from api_key"))[0]
    _, key_id, secret = key.split("_", 2)
    assert kept["id"] == key_id
    assert bytes(kept["hash"]) == sha256(secret.encode()).digest()
    assert not any(secret in str(value) for value in kept.values())


async def test_two_keys_live_side_by_side_until_the_older_ends(toy: Edged) -> None:
    old = await create_key(toy.database, NewKey("toy", ["platform"]))
    new = await create_key(toy.database, NewKey("toy", ["platform"], replaces=old.split("_")[1], grace=timedelta(hours=1)))
    assert [await _status(toy, key) for key in (old, new)] == [200, 200]
    async with toy.database.transaction() as unit:
        await rows(unit.tx, "update api_key set expires = expires - interval '2 hours' returning id")
    assert [await _status(toy, key) for key in (old, new)] == [401, 200]


async def test_making_and_revoking_a_key_is_audited_without_its_secret(toy: Edged) -> None:
    old = (await create_key(toy.database, NewKey("Ana's bridge", ["platform", "crm"], platform="acme"))).split("_")[1]
    new = (await create_key(toy.database, NewKey("toy", ["platform"], replaces=old), by=PERSON)).split("_")[1]
    for _ in range(2):
        assert await revoke_key(toy.database, new, by=PERSON)
    await revoke_key(toy.database, "nothere")

    async with toy.database.transaction() as unit:
        found = await rows(unit.tx, "select by_kind, by_ref, what, subject, detail from audit order by id")
    audited: list[tuple[object, ...]] = [tuple(each.values()) for each in found]
    assert audited == [
        ("command", "command line", "api-key.created", old, {"scopes": ["crm", "platform"], "platform": "acme"}),
        ("person", PERSON.ref, "api-key.created", new, {"scopes": ["platform"], "replaces": old}),
        ("person", PERSON.ref, "api-key.revoked", new, {}),
    ]


async def test_a_revoked_or_expired_key_is_nobody(toy: Edged) -> None:
    revoked = await create_key(toy.database, NewKey("toy", ["platform"]))
    assert await revoke_key(toy.database, revoked.split("_")[1])
    assert not await revoke_key(toy.database, "nothere")
    expired = await create_key(toy.database, NewKey("toy", ["platform"], expires=datetime(2020, 1, 1, tzinfo=UTC)))
    assert [await _status(toy, key) for key in (revoked, expired)] == [401, 401]


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1],
        lambda key: key + "x",
        lambda key: key.replace("ak_", "bk_"),
        lambda _: "ak__",
        lambda _: "",
        lambda _: "ak_é_x",
    ],
)
async def test_a_changed_key_is_nobody(toy: Edged, change: object) -> None:
    key = await create_key(toy.database, NewKey("toy", ["platform"]))
    changed = change(key)  # type: ignore[operator]
    reply = await toy.client.post("/v1/events", headers={b"authorization": f"Bearer {changed}".encode()})
    assert reply.status_code == 401


async def test_a_key_may_be_restricted_to_an_account(toy: Edged) -> None:
    key = await create_key(toy.database, NewKey("toy", ["platform"], platform="amazon", account="2"))
    reply = await toy.client.post("/v1/events", headers=_bearer(key))
    assert (reply.status_code, reply.json()["own"]) == (200, False)


async def test_a_checked_key_is_trusted_for_a_while_without_asking_again(database_url: str) -> None:
    async with edged(database_url, key_cache_s=60) as toy:
        key = await create_key(toy.database, NewKey("toy", ["platform"]))
        assert await _status(toy, key) == 200
        await revoke_key(toy.database, key.split("_")[1])
        assert await _status(toy, key) == 200


async def test_a_key_over_its_rate_is_told_to_wait(database_url: str) -> None:
    async with edged(database_url, key_rate=0.5) as toy:
        key = await create_key(toy.database, NewKey("toy", ["platform"]))
        assert [await _status(toy, key) for _ in range(2)] == [200, 429]


def test_a_keys_budget_fills_again_with_time() -> None:
    budget = Budget(10)
    taken = [budget.take("a", at=5.0) for _ in range(21)]
    assert (sum(taken), budget.take("b", at=5.0)) == (20, True)
    assert [budget.take("a", at=5.2) for _ in range(3)] == [True, True, False]


async def _status(toy: Edged, key: str) -> int:
    return (await toy.client.post("/v1/events", headers=_bearer(key))).status_code


@pytest.mark.parametrize("scopes", [[], ["root"], ["platform", "root"]])
async def test_a_key_without_a_known_scope_is_not_made(toy: Edged, scopes: list[str]) -> None:
    with pytest.raises(UnknownRights):
        await create_key(toy.database, NewKey("toy", scopes))


async def test_a_login_link_becomes_a_session_and_goes_on_to_the_page_asked_for(toy: Edged) -> None:
    link = toy.access.login_link(PERSON, base="http://toy.example.com")
    reply = await toy.client.get(f"{link}&next=/console/cases/7")
    cookie = reply.headers["set-cookie"]
    assert (reply.status_code, reply.headers["location"]) == (303, "/console/cases/7")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=43200"))
    page = await toy.client.get("/console/cases/7")
    assert "Maria Lopez" in page.text


async def test_in_production_the_cookie_is_secure(database_url: str) -> None:
    keys, own = "a:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "https://toy.example.com"
    async with edged(database_url, production=True, seal_keys=keys, public_url=own, pepper="p" * 40, cookie_secret="c" * 40) as toy:
        reply = await toy.client.get(toy.access.login_link(PERSON))
        assert "Secure" in reply.headers["set-cookie"]
        assert "strict-transport-security" in reply.headers


async def test_an_old_link_says_how_to_print_another_and_signs_nobody_in(database_url: str) -> None:
    async with edged(database_url, login_link_s=0.0001) as toy:
        reply = await toy.client.get(toy.access.login_link(PERSON), headers=PAGE)
    assert (reply.status_code, reply.headers.get("set-cookie")) == (401, None)
    assert "python -m toy login-link" in reply.text


async def test_a_session_is_no_login_link_and_a_login_link_no_session(toy: Edged) -> None:
    assert (await toy.client.get(f"/sign-in?link={toy.access.session(PERSON)}")).status_code == 401
    link = toy.access.login_link(PERSON).partition("link=")[2]
    assert (await toy.client.get("/v1/cases/7", headers={"cookie": f"{COOKIE}={link}"})).status_code == 401


async def test_signing_out_forgets_the_session(toy: Edged) -> None:
    reply = await toy.client.post("/sign-out", headers=toy.cookie("guide"))
    assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")
    assert f'{COOKIE}=""' in reply.headers["set-cookie"]


async def test_the_sign_in_page_names_who_is_signed_in_and_escapes_it(toy: Edged) -> None:
    signed_in = await toy.client.get("/sign-in", headers=toy.cookie("guide", name="<script>alert(1)</script>"))
    assert "<script>alert" not in signed_in.text
    assert "&lt;script&gt;" in signed_in.text
    assert "Open the link printed in the terminal" in (await toy.client.get("/sign-in")).text


def _forged(claims: dict[str, object], *, algorithm: str, key: str) -> str:
    if algorithm == "none":
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none", "typ": "JWT"}, claims)
        ]
        return ".".join([*parts, ""])
    return jwt.encode(claims, key, algorithm=algorithm)


CLAIMS = {"sub": "p-1", "name": "M", "roles": ["guide"], "teams": ["*"], "aud": "aftercall-session", "exp": 4_000_000_000}


@pytest.mark.parametrize(
    ("claims", "algorithm", "key"),
    [
        (CLAIMS, "none", ""),
        (CLAIMS, "HS256", "another secret of enough characters!"),
        (CLAIMS, "HS384", "development-only-secret-of-the-cookie-long-enough"),
        ({**CLAIMS, "aud": "another"}, "HS256", "development-only-secret-of-the-cookie"),
        ({**CLAIMS, "exp": 1}, "HS256", "development-only-secret-of-the-cookie"),
        ({name: value for name, value in CLAIMS.items() if name != "exp"}, "HS256", "development-only-secret-of-the-cookie"),
        ({name: value for name, value in CLAIMS.items() if name != "roles"}, "HS256", "development-only-secret-of-the-cookie"),
    ],
)
async def test_a_forged_or_old_session_is_nobody(toy: Edged, claims: dict[str, object], algorithm: str, key: str) -> None:
    reply = await toy.client.get("/v1/cases/7", headers={"cookie": f"{COOKIE}={_forged(claims, algorithm=algorithm, key=key)}"})
    assert reply.status_code == 401


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        ("/console?view=mine", "/console?view=mine"),
        ("//evil.example.com", "/"),
        ("https://evil.example.com/", "/"),
        ("/\\evil.example.com", "/"),
        ("/\t/evil.example.com", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_after_signing_in_one_stays_on_our_own_pages(asked: str | None, goes_to: str) -> None:
    assert own_path(asked) == goes_to


def test_a_permission_without_roles_or_scopes_lets_nobody_through() -> None:
    assert not PERSON.may(Permission("nothing"))
