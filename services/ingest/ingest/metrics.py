"""What ingest counts. No ids and nothing personal in labels."""

from collections import Counter as Counted
from collections.abc import Collection, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.schemas import InteractionCompleted

MOST_REASONS = 200


class Metrics:
    """One per service, over its own registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "aftercall_ingest_events_total", "Events stored, by what they mean", ["platform", "meaning"], registry=registry
        )
        self.repeated = Counter("aftercall_ingest_events_repeated_total", "Events that were known already", registry=registry)
        self.conflicts = Counter("aftercall_ingest_event_conflicts_total", "Events under a known id with another body", registry=registry)
        self.ignored = Counter(
            "aftercall_ingest_events_ignored_total", "Events that say nothing of a contact", ["platform", "reason"], registry=registry
        )
        self.refused = Counter("aftercall_ingest_events_refused_total", "Events that cannot be read", ["reason"], registry=registry)
        self.distrust = Counter(
            "aftercall_ingest_webhooks_refused_total",
            "Webhooks not believed, or over their source's rate",
            ["platform", "reason"],
            registry=registry,
        )
        self.closings = Counter(
            "aftercall_ingest_contacts_judged_total", "Contacts looked at when due, by what came of it", ["verdict"], registry=registry
        )
        self.interactions = Counter(
            "aftercall_ingest_interactions_total", "Revisions published", ["channel", "outcome", "standing"], registry=registry
        )
        self.people = Counter("aftercall_ingest_people_total", "Whom interactions were of", ["answer"], registry=registry)
        self.watermark = Gauge("aftercall_ingest_watermark_lag_seconds", "Clock less what every partition was read to", registry=registry)
        self.erasures_unreported = Gauge(
            "aftercall_ingest_erasures_unreported",
            "Requests to forget somebody that a service should have reported done by now",
            ["service"],
            registry=registry,
        )
        self.profiles_of_erased = Counter(
            "aftercall_ingest_profiles_of_erased_total", "Profiles not taken because their member was erased", registry=registry
        )
        self._reasons: set[str] = set()

    def stored(self, meanings: Iterable[tuple[str, str]], *, repeated: int, conflicts: int) -> None:
        for (platform, meaning), times in Counted(meanings).items():
            self.events.labels(platform, meaning).inc(times)
        self.repeated.inc(repeated)
        self.conflicts.inc(conflicts)

    def judged(self, verdicts: Iterable[str]) -> None:
        for verdict, times in Counted(verdicts).items():
            self.closings.labels(verdict).inc(times)

    def told(self, messages: Collection[InteractionCompleted]) -> None:
        for (channel, outcome, standing), times in Counted((each.channel, each.outcome, each.standing) for each in messages).items():
            self.interactions.labels(channel, outcome, standing).inc(times)
        for answer, times in Counted(each.no_customer or "customer" for each in messages).items():
            self.people.labels(answer).inc(times)

    def left_out(self, ignored: Iterable[tuple[str, str]], refused: Iterable[str]) -> None:
        for platform, reason in ignored:
            self.ignored.labels(platform, self._bounded(reason)).inc()
        for reason in refused:
            self.refused.labels(self._bounded(reason)).inc()

    def distrusted(self, platform: str, reason: str) -> None:
        self.distrust.labels(platform, reason).inc()

    def _bounded(self, reason: str) -> str:
        """Reasons are codes of ours; should one ever carry what a platform wrote, the series still stay few."""
        if reason not in self._reasons and len(self._reasons) >= MOST_REASONS:
            return "other"
        self._reasons.add(reason)
        return reason
