"""Metrics of cases. No ids, names or words in labels."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class RoutingMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.changes = Counter("aftercall_case_changes_total", "Revisions of cases", ["change"], registry=registry)
        self.opened = Counter("aftercall_cases_opened_total", "Cases opened", ["route", "level"], registry=registry)
        self.attempts = Counter("aftercall_callback_attempts_total", "Tries to call a customer back", ["outcome"], registry=registry)
        self.breaches = Counter(
            "aftercall_case_due_missed_total", "Cases whose due time passed before the customer was reached", ["level"], registry=registry
        )
        self.answers = Counter("aftercall_case_answers_total", "Answers heard", ["kind", "band"], registry=registry)
        self.recovered = Counter("aftercall_recovery_answers_total", "Counted answers to recovery surveys", ["band"], registry=registry)
        self.alerts = Counter("aftercall_alerts_total", "Unhappy answers that somebody was to be alerted of", ["kind"], registry=registry)
        self.alert_deliveries = Counter(
            "aftercall_alert_deliveries_total", "Messages of alerts sent", ["receiver", "outcome"], registry=registry
        )
        self.cases = Gauge("aftercall_cases", "Cases by state, at the last count", ["state"], registry=registry)
        self.overdue = Gauge("aftercall_cases_overdue", "Cases past their due time, at the last count", registry=registry)
