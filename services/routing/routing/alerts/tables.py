"""Alerts and the cases each is about."""

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, MetaData, Table, Text, Uuid, text

_MOMENTS = ("first_sent_at", "last_sent_at", "next_on", "lease_until", "acknowledged_at")


def alert_tables(metadata: MetaData) -> None:
    alert = Table(
        "alert",
        metadata,
        Column("id", Uuid, primary_key=True),
        *[Column(name, Text, nullable=False) for name in ("team", "channel", "kind", "level")],
        *[Column(name, DateTime(timezone=True), nullable=False) for name in ("opened_at", "last_at")],
        *[Column(name, Integer, nullable=False) for name in ("count", "told", "messages", "attempts")],
        *[Column(name, DateTime(timezone=True)) for name in _MOMENTS],
        *[Column(name, Text) for name in ("acknowledged_by", "acknowledged_name")],
    )
    Index("alert_next_on", alert.c.next_on, postgresql_where=text("next_on is not null"))
    Index("alert_by_group", alert.c.team, alert.c.channel, alert.c.last_at)
    Index("alert_by_opening", alert.c.opened_at, alert.c.id)
    about = Table(
        "alert_case",
        metadata,
        Column("alert_id", Uuid, ForeignKey("alert.id", ondelete="cascade"), primary_key=True),
        Column("case_id", Uuid, primary_key=True),
    )
    Index("alert_case_by_case", about.c.case_id)
