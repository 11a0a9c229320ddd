"""Why was this customer asked, or not; policies; pausing; the development inbox: over HTTP."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from scoring.decide.first import first_document
from shared.runtime.access import Teams, undeclared_routes
from shared.runtime.keys import NewKey, create_key
from tests.support.asking import completed, customer, phone
from tests.support.scoring_http import Served, served


@pytest.fixture
async def service(scoring_database: str) -> AsyncIterator[Served]:
    async with served(scoring_database) as made:
        yield made


async def key(service: Served, platform: str | None = None) -> dict[str, str]:
    made = await create_key(service.database, NewKey("a platform", ["platform"], platform=platform))
    return {"authorization": f"Bearer {made}"}


def test_every_route_says_who_may_use_it(service: Served) -> None:
    assert undeclared_routes(service.service.public) == []
    assert undeclared_routes(service.service.internal) == []


async def test_a_decision_is_told_with_every_revision_and_every_rule_by_name(service: Served) -> None:
    contact = completed(customer())
    await service.scoring.deliver(contact)
    await service.scoring.deliver(contact.model_copy(update={"revision": 2, "standing": "reopened"}))

    answer = await service.http.get("/v1/decisions", params={"interaction": str(contact.interaction_id)}, headers=service.cookie("admin"))

    (decision,) = answer.json()["decisions"]
    newest, first = decision["revisions"]
    assert (decision["kind"], decision["ref"]) == ("tnps", contact.ref)
    assert (newest["revision"], newest["outcome"], newest["reason"]) == (2, "suppressed", "standing")
    assert (first["revision"], first["outcome"], first["reason"]) == (1, "invited", "eligible")
    assert newest["verdicts"][0] == {"rule": "customer", "verdict": "pass"}
    assert newest["verdicts"][1] == {"rule": "standing", "verdict": "fail", "detail": "reopened"}
    assert len(newest["verdicts"]) == 19
    assert newest["facts"]["segment"] == "family"


async def test_a_platform_asks_by_its_own_reference_and_sees_only_its_own(service: Served) -> None:
    contact = completed(customer())
    await service.scoring.deliver(contact)
    asked = {"platform": "acme", "ref": contact.ref}

    assert (await service.http.get("/v1/decisions", params=asked, headers=await key(service))).status_code == 200
    assert (await service.http.get("/v1/decisions", params=asked, headers=await key(service, platform="acme"))).status_code == 200
    assert (await service.http.get("/v1/decisions", params=asked, headers=await key(service, platform="other"))).status_code == 404


@pytest.mark.parametrize(("roles", "teams", "status"), [
    (["supervisor"], Teams({"birch"}), 200),
    (["supervisor"], Teams({"oak"}), 404),
    (["admin"], Teams(), 200),
    (["guide"], Teams({"birch"}), 403),
    (["analyst"], Teams({"birch"}), 403),
])  # fmt: skip
async def test_supervisors_see_their_own_teams(service: Served, roles: list[str], teams: Teams, status: int) -> None:
    contact = completed(customer())
    await service.scoring.deliver(contact)

    answer = await service.http.get(
        "/v1/decisions", params={"interaction": str(contact.interaction_id)}, headers=service.cookie(*roles, teams=teams)
    )

    assert answer.status_code == status


async def test_a_question_without_a_contact_says_what_to_name(service: Served) -> None:
    answer = await service.http.get("/v1/decisions", params={"platform": "acme"}, headers=service.cookie("admin"))

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"path": "ref", "reason": "missing"}]
    assert (await service.http.get("/v1/decisions", params={"interaction": "x"}, headers=service.cookie("admin"))).status_code == 422
    assert (await service.http.get("/v1/decisions", headers=service.cookie("admin"))).status_code == 422
    assert (await service.http.get("/v1/decisions")).status_code == 401


async def test_a_policy_is_drafted_checked_activated_and_never_changed(service: Served) -> None:
    admin = service.cookie("admin")
    await service.scoring.deliver(completed(customer()))
    document = first_document("tnps", {"sampling": {"rate": 0.0}, "hours": {"daily": "00:00-24:00"}})

    drafted = await service.http.post("/v1/policies", json={"kind": "tnps", "note": "nobody", "document": document}, headers=admin)
    version = drafted.json()["version"]
    activated = await service.http.post(f"/v1/policies/{version}/activate", json={}, headers=admin)
    again = await service.http.post(f"/v1/policies/{version}/activate", json={}, headers=admin)
    other = customer(customer_id=UUID(int=9), points=(phone("other"),))
    await service.scoring.deliver(completed(other, point_ref="other"))

    assert (drafted.status_code, drafted.json()["draft"]) == (201, True)
    assert (activated.status_code, activated.json()["draft"]) == (200, False)
    assert (again.status_code, again.json()["code"]) == (409, "active_already")
    (last,) = await service.scoring.rows("select policy_version, reason from decision order by id desc limit 1")
    assert (last["policy_version"], last["reason"]) == (version, "sampling")
    listed = (await service.http.get("/v1/policies", headers=service.cookie("supervisor"))).json()["policies"]
    assert [each["version"] for each in listed] == [version, 2, 1]
    whole = (await service.http.get(f"/v1/policies/{version}", headers=admin)).json()
    assert whole["document"] == document
    audited = await service.scoring.rows("select what from audit order by id")
    assert [each["what"] for each in audited] == ["policy.drafted", "policy.activated"]


async def test_drafting_and_activating_a_policy_is_audited(service: Served) -> None:
    admin, body = service.cookie("admin"), {"kind": "tnps", "note": "first", "document": first_document("tnps", {})}
    version = (await service.http.post("/v1/policies", json=body, headers=admin)).json()["version"]
    assert (await service.http.post(f"/v1/policies/{version}/activate", json={}, headers=admin)).status_code == 200

    audited = await service.scoring.rows("select by_kind, by_ref, what, subject from audit order by id")
    assert [tuple(each.values()) for each in audited] == [
        ("person", "p-ana", "policy.drafted", str(version)),
        ("person", "p-ana", "policy.activated", str(version)),
    ]


async def test_a_policy_activated_before_anything_was_decided_leaves_the_other_kind_its_own(service: Served) -> None:
    admin, body = service.cookie("admin"), {"kind": "tnps", "note": "first", "document": first_document("tnps", {})}
    version = (await service.http.post("/v1/policies", json=body, headers=admin)).json()["version"]
    await service.http.post(f"/v1/policies/{version}/activate", json={}, headers=admin)

    in_force = await service.scoring.rows("select version, kind from policy where active_from <= now()")
    assert {tuple(each.values()) for each in in_force} == {(version, "tnps"), (1, "tnps"), (2, "recovery")}


async def test_a_misspelled_moment_puts_no_policy_in_force(service: Served) -> None:
    admin, body = service.cookie("admin"), {"kind": "tnps", "note": "first", "document": first_document("tnps", {})}
    version = (await service.http.post("/v1/policies", json=body, headers=admin)).json()["version"]

    refused = await service.http.post(f"/v1/policies/{version}/activate", json={"from": "2027-01-01T00:00:00Z"}, headers=admin)

    assert (refused.status_code, refused.json()["errors"]) == (422, [{"path": "from", "reason": "extra_forbidden"}])
    assert (await service.http.get(f"/v1/policies/{version}", headers=admin)).json()["draft"]


async def test_a_new_deployment_shows_the_policies_it_starts_with(service: Served) -> None:
    listed = (await service.http.get("/v1/policies", headers=service.cookie("supervisor"))).json()["policies"]

    assert [(each["version"], each["kind"], each["draft"]) for each in listed] == [(2, "recovery", False), (1, "tnps", False)]


async def test_a_policy_that_cannot_run_is_told_every_fault_by_path(service: Served) -> None:
    admin, document = service.cookie("admin"), first_document("tnps", {"length_s": -1, "sampling": {"rate": 2}})

    checked = await service.http.post("/v1/policies/validate", json={"document": document}, headers=admin)
    drafted = await service.http.post("/v1/policies", json={"kind": "tnps", "note": "x", "document": document}, headers=admin)

    assert checked.json()["valid"] is False
    assert [each["path"] for each in checked.json()["errors"]] == ["length_s", "sampling.rate"]
    assert drafted.status_code == 422
    assert [each["path"] for each in drafted.json()["errors"]] == ["document.length_s", "document.sampling.rate"]


async def test_policies_are_the_admins_to_write(service: Served) -> None:
    body = {"kind": "tnps", "note": "x", "document": first_document("tnps", {})}

    assert (await service.http.post("/v1/policies", json=body, headers=service.cookie("supervisor"))).status_code == 403
    assert (await service.http.post("/v1/policies", json={**body, "kind": "mood"}, headers=service.cookie("admin"))).status_code == 422
    assert (await service.http.post("/v1/policies/99/activate", json={}, headers=service.cookie("admin"))).status_code == 404
    assert (await service.http.get("/v1/policies/99", headers=service.cookie("admin"))).status_code == 404


async def test_sending_is_paused_and_resumed_by_an_admin(service: Served) -> None:
    admin = service.cookie("admin")
    await service.scoring.deliver(completed(customer()))

    first = await service.http.post("/v1/sending/pause", json={"scope": "channel", "value": "sms"}, headers=admin)
    second = await service.http.post("/v1/sending/pause", json={"scope": "channel", "value": "sms"}, headers=admin)
    assert await service.scoring.send() == 0
    resumed = await service.http.post("/v1/sending/resume", json={"scope": "channel", "value": "sms"}, headers=admin)

    assert [first.json()["changed"], second.json()["changed"], resumed.json()["changed"]] == [True, False, True]
    assert first.json()["paused"][0]["paused_by"] == "p-ana"
    assert resumed.json()["paused"] == []
    assert await service.scoring.send() == 1
    assert [each["what"] for each in await service.scoring.rows("select what from audit order by id")] == [
        "sending.paused",
        "sending.resumed",
    ]


@pytest.mark.parametrize("body", [{"scope": "all", "value": "sms"}, {"scope": "channel"}, {"scope": "team", "value": "x"}])
async def test_a_pause_names_what_it_stops(service: Served, body: dict[str, Any]) -> None:
    assert (await service.http.post("/v1/sending/pause", json=body, headers=service.cookie("admin"))).status_code == 422
    assert (await service.http.post("/v1/sending/pause", json={}, headers=service.cookie("supervisor"))).status_code == 403


async def test_the_inbox_shows_what_was_sent_with_a_link_to_press(service: Served) -> None:
    await service.scoring.deliver(completed(customer()))
    assert await service.scoring.send() == 1

    (message,) = (await service.http.get("/v1/inbox", headers=service.cookie("supervisor"))).json()["messages"]
    page = await service.http.get("/inbox", headers={**service.cookie("admin"), "accept": "text/html"})

    assert message["channel"] == "sms"
    assert message["to"] == "+15550000000"
    found = re.search(r"http://scoring\.example\.com/s/[\w-]{24}", message["body"])
    assert found is not None
    assert f'<a href="{found[0]}">' in page.text
    assert (await service.http.get("/v1/inbox", headers=service.cookie("guide"))).status_code == 403


async def test_an_empty_inbox_says_so(service: Served) -> None:
    page = await service.http.get("/inbox", headers={**service.cookie("admin"), "accept": "text/html"})

    assert "Nothing has been sent yet" in page.text
