"""What a language has to say. `{brand}`, `{score}` and their like are filled in where the words are used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One language, by its BCP 47 tag and its own name."""

    tag: str
    name: str
    direction: str

    title: str
    question: str
    question_again: str
    zero_is: str
    ten_is: str
    zero: str
    ten: str
    send: str
    about: str
    stop_link: str

    error: str
    choose: str
    choose_one: str

    saved: str
    saved_low: str
    saved_high: str
    why: str
    optional: str
    why_hint: str
    solved: str
    yes: str
    no: str
    may_call: str
    may_call_note: str
    call_me: str
    when: str
    slots: dict[str, str]
    no_call: str
    send_more: str

    thanks: str
    thanks_saved: str
    thanks_call: str
    call_on: str
    in_the: dict[str, str]
    any_time: str
    your_score: str
    your_words: str
    solved_short: str
    call_short: str
    change: str
    change_until: str
    or_: str

    answered: str
    answered_more: str
    save_change: str
    leave_it: str
    score_stays: str
    tell_more: str

    stop_question: str
    stop_means: str
    stop_button: str
    keep_asking: str
    stopped: str
    stopped_means: str

    closed: str
    closed_means: str
    not_found: str
    not_found_means: str
    too_many: str
    too_many_means: str
    late: str
    late_means: str
    reach_us: str

    not_sent: str
    kept: str
    kept_score: str
    trying: str
    trying_score: str
    kept_still: str
    send_now: str
    away: str
    away_means: str
    try_again: str

    sms_again: str
    sms_help: str
    sms_stopped: str
    sms_started: str
