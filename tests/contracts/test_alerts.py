"""Alert rules fire when they should, and they, the dashboard and the runbooks name only what exists."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.runtime.access import declared
from shared.topics import SERVICES
from tests.support import runbook
from tests.support.built import Registered, built, everything_registered, registered, registered_in
from tests.support.promql import faults

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROMETHEUS, RUNBOOKS = DEPLOY / "prometheus", DEPLOY / "runbooks"
RULES: list[dict[str, Any]] = [
    rule
    for path in sorted((PROMETHEUS / "rules").glob("*.yml"))
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule["alert"] for rule in RULES]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "aftercall.json").read_text("utf-8"))
QUERIES = [(panel["title"], target) for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
PAGES = sorted(RUNBOOKS.glob("*.md"))


@cache
def known() -> dict[str, Registered]:
    return everything_registered()


def promtool(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Prometheus' own; skipped, loudly, where it is missing; with `CI` set that is a failure."""
    program = shutil.which("promtool")
    if program is None:
        sentence = "ALERT RULES NOT TESTED: promtool not found; install Debian's `prometheus`."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_prometheus_takes_its_configuration_and_the_rules() -> None:
    found = promtool("check", "config", PROMETHEUS / "prometheus.yml")

    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(RULES)} rules found" in found.stdout


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    found = promtool("test", "rules", PROMETHEUS / "aftercall.test.yml")

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("sabotage", [{"expr": "vector(0) > 1"}, {"expr": "vector(1)"}, {"for": "9h"}], ids=["never", "always", "late"])
def test_a_rule_that_is_wrong_is_found(tmp_path: Path, alert: str, sabotage: dict[str, str]) -> None:
    shutil.copy(PROMETHEUS / "aftercall.test.yml", tmp_path)
    (tmp_path / "rules").mkdir()
    rules = [{**rule, **(sabotage if rule["alert"] == alert else {})} for rule in RULES]
    (tmp_path / "rules" / "aftercall.yml").write_text(yaml.safe_dump({"groups": [{"name": "planted", "rules": rules}]}), "utf-8")

    assert promtool("test", "rules", tmp_path / "aftercall.test.yml").returncode == 1


@pytest.mark.parametrize("rule", RULES, ids=ALERTS)
def test_a_rule_names_metrics_and_labels_that_a_service_registers(rule: dict[str, Any]) -> None:
    assert faults(rule["expr"], known(), shown=rule["annotations"].values()) == []


@pytest.mark.parametrize(("title", "target"), QUERIES, ids=[f"{title} {target['refId']}" for title, target in QUERIES])
def test_a_panel_names_metrics_and_labels_that_a_service_registers(title: str, target: dict[str, Any]) -> None:
    assert faults(target["expr"], known(), shown=[target["legendFormat"]]) == []


def test_every_query_of_a_panel_is_one_prometheus_can_run(tmp_path: Path) -> None:
    expressions = [target["expr"] for _, target in QUERIES]

    assert _parsed(tmp_path, expressions).returncode == 0
    assert _parsed(tmp_path, [*expressions, "sum by job (aftercall_cases)"]).returncode == 1


def _parsed(folder: Path, expressions: list[str]) -> "subprocess.CompletedProcess[str]":
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(expressions)]
    (folder / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    return promtool("check", "rules", folder / "panels.yml")


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("sum(aftercall_dead_letter_total)", "no service registers aftercall_dead_letter_total"),
        ("aftercall_dead_letters", "no service registers aftercall_dead_letters"),
        ('aftercall_cases{status="open"}', "aftercall_cases has no label status"),
        ("sum by (channel) (aftercall_cases)", "nothing here has the label channel"),
        ("vector(1)", "no metric of ours in 'vector(1)'"),
    ],
)
def test_an_expression_about_nothing_is_found(expression: str, fault: str) -> None:
    assert faults(expression, known()) == [fault]


def test_a_label_that_is_shown_and_summed_away_is_found() -> None:
    assert faults("sum(aftercall_cases)", known(), shown=["{{state}} {{ $labels.job }}"]) == [
        "state is shown and not grouped by",
        "job is shown and not grouped by",
    ]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    named = [DEPLOY.parent / rule["annotations"]["runbook"] for rule in RULES]

    assert sorted(named) == [page for page in PAGES if page.name != "README.md"]
    assert [page.read_text("utf-8").splitlines()[0] for page in named] == [f"# {alert}" for alert in ALERTS]
    assert all(rule["labels"]["severity"] in {"page", "ticket"} for rule in RULES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_path_metric_and_file_of_a_runbook_exists(page: Path) -> None:
    assert list(_wrong(page.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("`aftercall_dead_letter_total`", "no service registers aftercall_dead_letter_total"),
        ("`aftercall_cases` by `status`", "aftercall_cases has no label status"),
        ("python -m scoring dead-letter list", "python -m scoring dead-letter list is no command"),
        ("python -m scoring dead-letters list --since 3", "python -m scoring dead-letters list has no --since"),
        ("python -m shared.runtime.kafka make-topics", "python -m shared.runtime.kafka knows no make-topics"),
        ("curl http://localhost:8002/v1/sendings", "no route answers GET /v1/sendings on port 8002"),
        ("curl http://localhost:9002/v1/sending", "no route answers GET /v1/sending on port 9002"),
        ("curl http://localhost:8009/livez", "nobody listens on port 8009"),
        ("`POST /v1/sending`", "no route answers POST /v1/sending"),
        ("`/health`", "no route answers GET /health"),
        ("`deploy/nothing.yml`", "there is no file deploy/nothing.yml"),
        ("[look](nothing.md)", "there is no file nothing.md"),
    ],
)
def test_an_invented_thing_in_a_runbook_is_found(text: str, fault: str) -> None:
    assert list(_wrong(text)) == [fault]


def _wrong(text: str) -> Iterator[str]:
    yield from runbook.unknown_metrics(text, known())
    yield from runbook.unknown_commands(text)
    yield from runbook.unknown_requests(text, runbook.apps())
    yield from runbook.unknown_files(text, RUNBOOKS)


def test_grafana_is_given_the_dashboard_and_the_source_it_names() -> None:
    sources = yaml.safe_load((DEPLOY / "grafana" / "datasource.yml").read_text("utf-8"))["datasources"]
    [provider] = yaml.safe_load((DEPLOY / "grafana" / "dashboards.yml").read_text("utf-8"))["providers"]
    mounts = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text("utf-8"))["services"]["grafana"]["volumes"]

    assert {target["datasource"]["uid"] for _, target in QUERIES} == {source["uid"] for source in sources}
    assert f"./deploy/grafana/aftercall.json:{provider['options']['path']}/aftercall.json:ro" in mounts
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_metrics_keep_the_conventions() -> None:
    assert [fault for each in known().values() for fault in _unconventional(each)] == []


def test_a_metric_against_the_conventions_is_found() -> None:
    registry = CollectorRegistry()
    Counter("aftercall_calls", "Calls", ["customer_id"], registry=registry)
    Gauge("aftercall_wait_ms", "Wait", registry=registry)
    Gauge("aftercall_waits_total", "Waits", registry=registry)
    Histogram("aftercall_wait", "Wait", registry=registry)

    assert sorted(fault for each in registered_in(registry) for fault in _unconventional(each)) == [
        "aftercall_calls_total: the label customer_id is about one person or thing",
        "aftercall_wait: a histogram ends with its base unit",
        "aftercall_wait_ms: not a base unit",
        "aftercall_waits_total: only counters end with _total",
    ]


def _unconventional(metric: Registered) -> Iterator[str]:
    name = metric.name
    if not name.startswith("aftercall_"):
        yield f"{name}: not ours by its name"
    if name.endswith("_total") != (metric.kind == "counter"):
        yield f"{name}: only counters end with _total"
    if metric.kind == "histogram" and not name.endswith(("_seconds", "_bytes")):
        yield f"{name}: a histogram ends with its base unit"
    if name.removesuffix("_total").endswith(("_ms", "_milliseconds", "_minutes", "_hours", "_kb", "_percent")):
        yield f"{name}: not a base unit"
    for label in metric.labels:
        if label.endswith(("id", "ref")) or label in {"customer", "phone", "email", "name", "number", "owner", "path"}:
            yield f"{name}: the label {label} is about one person or thing"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_whose_every_route_was_asked_and_refused_has_fewer_than_a_thousand_series(service: str) -> None:
    made = built(service)
    edges = made.internal.state.edges
    for port, app in (("public", made.public), ("internal", made.internal)):
        for method, route, _ in declared(app):
            edges.metrics.seconds.labels(port, method, route).observe(0.01)
            for status in ("200", "401", "403", "422"):
                edges.metrics.requests.labels(port, method, route, status).inc()
    assert made.measures
    for topic in {*made.handlers, *made.applies}:
        made.measures.age.labels(topic).observe(1)
    assert registered(made)

    assert sum(not line.startswith("#") for line in generate_latest(edges.registry).decode().splitlines()) < 1000
