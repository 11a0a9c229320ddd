"""Lay answers, scores and their counts."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LAID = """
create table answer (
    id uuid default uuidv7() not null, survey_id uuid not null, number integer not null, channel text not null,
    became text not null, revision integer, score smallint, comment jsonb, resolved text, callback text, callback_wish jsonb,
    language text, answered_at timestamptz not null, received_at timestamptz not null,
    primary key (id), constraint answer_in_order unique (survey_id, number)
);
comment on column answer.number is 'order of arrival within the survey';
comment on column answer.became is 'what it became: first, amended, words, partial, late, other_channel, superseded, stale';
comment on column answer.revision is 'the revision it was published as';
comment on column answer.comment is 'Sealed';
create index answer_partial on answer (survey_id, number)
    where became = 'partial';
create table feedback (
    survey_id uuid not null, kind text not null, anchor uuid not null, origin text not null,
    score smallint not null, band text not null, counted boolean not null, uncounted text, scoring_version integer not null,
    policy_version integer, revision integer not null, published integer not null, answered_by text not null,
    answered_at timestamptz not null, amendable_until timestamptz not null, comment jsonb, comment_language text,
    resolved text not null, callback text not null, callback_wish jsonb not null, cell text, rate float, day date not null,
    channel text not null, segment text not null, moment text not null, team text not null,
    primary key (survey_id),
    constraint feedback_on_the_scale check (score between 0 and 10),
    constraint feedback_uncounted_has_reason check (counted = (uncounted is null)),
    constraint feedback_band check (band in ('detractor', 'passive', 'promoter')),
    constraint feedback_published check (published >= revision)
);
comment on column feedback.uncounted is 'why it is not counted';
comment on column feedback.revision is 'of what stands; page forms name it';
comment on column feedback.published is 'the last revision published, also of answers that did not change what stands';
comment on column feedback.comment is 'Sealed';
comment on column feedback.day is 'of the answer, in the company''s zone';
create index feedback_day on feedback (kind, day);
create table tally_by_segment (
    day date not null, kind text not null, channel text not null, segment text not null, moment text not null,
    promoters integer not null, passives integer not null, detractors integer not null,
    constraint tally_by_segment_pkey primary key (day, kind, channel, segment, moment)
) with (fillfactor = 80);
create table tally_by_team (
    day date not null, kind text not null, team text not null, channel text not null,
    promoters integer not null, passives integer not null, detractors integer not null,
    constraint tally_by_team_pkey primary key (day, kind, team, channel)
) with (fillfactor = 80)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for statement in LAID.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table tally_by_team, tally_by_segment, feedback, answer")
