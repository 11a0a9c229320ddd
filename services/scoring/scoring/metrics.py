"""What scoring counts. No ids in labels."""

from prometheus_client import CollectorRegistry, Counter, Gauge


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
        self.paused = Gauge("aftercall_sending_paused", "Pauses of sending in force", ["scope"], registry=registry)
        self.due_age = Gauge("aftercall_sending_due_age_seconds", "How long the longest waiting due survey has waited", registry=registry)
