"""What scoring counts. No ids in labels; what outsiders may write as they like is bounded here."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.codes import known

ANSWERED_BY = frozenset({"page", "sms", "ivr", "chat", "email", "platform"})
CONTACTS_BY = frozenset({"phone", "chat", "web", "email"})


class ScoringMetrics:
    """Decisions, invitations, and whether sending is held back."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decisions = Counter("aftercall_decisions_total", "Decisions whether to ask", ["kind", "outcome", "reason"], registry=registry)
        self.invitations = Counter(
            "aftercall_invitations_total", "Attempts to send an invitation, by what came of them", ["channel", "result"], registry=registry
        )
        self.answers = Counter(
            "aftercall_answers_total",
            "Answers, by the channel they came by and what became of them",
            ["channel", "became"],
            registry=registry,
        )
        self.scores = Counter(
            "aftercall_scores_total", "Answers counted at first, by the contact's channel", ["kind", "channel", "band"], registry=registry
        )
        self.survey_misses = Counter(
            "aftercall_survey_misses_total",
            "Requests for surveys that are not there, by what they were told",
            ["answer"],
            registry=registry,
        )
        self.paused = Gauge("aftercall_sending_paused", "Pauses of sending in force", ["scope"], registry=registry)
        self.due_age = Gauge("aftercall_sending_due_age_seconds", "How long the longest waiting due survey has waited", registry=registry)

    def answered(self, channel: str, became: str) -> None:
        self.answers.labels(known(channel, ANSWERED_BY), became).inc()

    def scored(self, kind: str, *, channel: str, band: str) -> None:
        self.scores.labels(kind, known(channel, CONTACTS_BY), band).inc()
