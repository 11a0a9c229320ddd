"""`ingest explain` says what we would make of a captured file."""

import json

from ingest.normalise.explain import explained
from ingest.normalise.model import Raw
from tests.support.readings import payload

EVENT = {"id": "1", "account": "a", "contact": "c", "leg": "l", "event": "ended", "at": "2027-05-11T14:08:00.5Z", "channel": "phone"}


def test_an_event_is_explained_field_by_field() -> None:
    assert explained("x.json", json.dumps(EVENT).encode()) == [
        {
            "file": "x.json", "envelope": "bare", "platform": "native", "meaning": "ended", "reason": None, "account": "a", "contact": "c",
            "leg": "l", "channel": "phone", "at": "2027-05-11T14:08:00.500Z",
        }
    ]  # fmt: skip


def test_what_is_ignored_or_refused_says_why() -> None:
    (ignored,) = explained("x.json", payload("amazon-connect/invented-monitor"))
    (refused,) = explained("x.json", payload("cloudevents/invented-native-missing-contact"))
    assert (ignored["meaning"], ignored["reason"]) == ("ignored", "monitor")
    assert (refused["meaning"], refused["reason"]) == ("refused", "missing: data.contact")


def test_a_platform_known_only_by_sight_is_named() -> None:
    (seen,) = explained("x.json", b'{"core-uuid":"1","variables":{"uuid":"5"}}')
    assert (seen["platform"], seen["meaning"], seen["reason"]) == ("freeswitch", "ignored", "no_adapter:freeswitch")


def test_a_doubtful_time_is_explained() -> None:
    (told,) = explained("x.json", payload("native/ended-at-placeholder"))
    assert (told["meaning"], told["reason"], told["at"]) == ("ended", "time_placeholder", None)


def test_json_lines_are_explained_one_by_one() -> None:
    lines = [json.dumps(EVENT), "", json.dumps({**EVENT, "event": "sneezed"}), '{"id": "1", "id": "2"}', '{"headers": {}, "value": null}']
    assert [one["meaning"] for one in explained("x.jsonl", "\n".join(lines).encode())] == ["ended", "ignored", "refused", "ignored"]


def test_lines_of_a_queue_log_are_explained_one_by_one() -> None:
    lines = b"1810044000|1810043990.9|claims|NONE|ENTERQUEUE||+12025550171|1\n1810044090|1810043990.9|claims|NONE|ABANDON|1|1|90\nhello\n"
    assert [(one["platform"], one["meaning"]) for one in explained("queue_log", lines)] == [
        ("asterisk", "queued"), ("asterisk", "ended"), ("unknown", "refused"),
    ]  # fmt: skip


def test_a_file_that_is_no_json_is_explained_once() -> None:
    assert [one["reason"] for one in explained("x.txt", b"Good day\nto you\n")] == ["invalid_json"]


def test_the_source_settings_apply() -> None:
    body = json.dumps({**EVENT, "account": None, "at": "2027-05-11 14:08:00"}).encode()
    (told,) = explained("x.json", body, Raw(None, account="west", zone="Europe/Berlin"))
    assert (told["account"], told["at"]) == ("west", "2027-05-11T12:08:00.000Z")
