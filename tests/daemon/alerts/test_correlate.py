"""Findings that merge into alerts that grow."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.kit import NOW, NOW_WALL, SECOND
from tests.rows import alert

from modelwarden.daemon.alerts.correlate import (
    EVIDENCE_FIRST,
    EVIDENCE_LAST,
    GROWTH_INTERVAL_NS,
    Correlator,
    alert_id,
)
from modelwarden.daemon.command import Raise

EVIDENCE_MAX = EVIDENCE_FIRST + EVIDENCE_LAST


def test_new_alert_is_raised_at_once() -> None:
    """The SOC hears of it when it happens."""
    first = alert()
    assert Correlator().merge(first, NOW) == [Raise(first, is_new=True)]


def test_growth_is_told_at_the_interval() -> None:
    """Given an alert that grows, then it is told again after the interval, as one, and then not any more."""
    correlator = Correlator()
    correlator.merge(alert(), NOW)
    assert [correlator.merge(alert(), NOW + second) for second in range(3)] == [[], [], []]
    assert correlator.flush(NOW + GROWTH_INTERVAL_NS - 1) == []
    (told,) = correlator.flush(NOW + GROWTH_INTERVAL_NS)
    assert (told.alert.count, told.is_new) == (4, False)
    assert correlator.flush(NOW + 9 * GROWTH_INTERVAL_NS) == []


@given(st.lists(st.tuples(st.sampled_from(["a-1", "a-2"]), st.integers(0, 3 * SECOND)), max_size=60))
def test_each_alert_is_told_once_an_interval_at_most(growth: list[tuple[str, int]]) -> None:
    """Whatever comes, two tellings of one alert are at least the interval apart, and nothing is missing at the end."""
    correlator, at, told, counts = Correlator(), NOW, list[tuple[str, int]](), dict[str, int]()
    for identifier, pause in [*growth, *[("", SECOND)] * 10]:
        at += pause
        raised = correlator.merge(alert(identifier), at) if identifier else []
        for one in [*raised, *correlator.flush(at)]:
            told.append((one.alert.id, at))
            counts[one.alert.id] = one.alert.count
    for identifier in ("a-1", "a-2"):
        times = [at for name, at in told if name == identifier]
        assert all(later - earlier >= GROWTH_INTERVAL_NS for earlier, later in pairwise(times))
        assert counts.get(identifier, 0) == sum(name == identifier for name, _ in growth)


def test_alert_keeps_how_it_began() -> None:
    """It has the first time of all, the last time and the facts of the latest."""
    correlator = Correlator()
    correlator.merge(alert(at_ns=NOW_WALL), NOW)
    correlator.merge(alert("a-1", "more", at_ns=NOW_WALL + SECOND, subject="s"), NOW)
    (told,) = correlator.flush(NOW + GROWTH_INTERVAL_NS)
    grown = told.alert
    assert (grown.first_seen_ns, grown.last_seen_ns, grown.subject) == (NOW_WALL, NOW_WALL + SECOND, "s")
    assert [one.what for one in grown.evidence] == ["it was opened", "more"]


def test_evidence_is_bounded() -> None:
    """How it began and how it stands are kept, what lies between is in the count."""
    correlator = Correlator()
    for number in range(100):
        correlator.merge(alert("a-1", f"{number}", at_ns=NOW_WALL + number), NOW)
    (told,) = correlator.flush(NOW + GROWTH_INTERVAL_NS)
    said = [int(one.what) for one in told.alert.evidence]
    assert said == [*range(EVIDENCE_FIRST), *range(100 - EVIDENCE_LAST, 100)]
    assert told.alert.count == 100


def test_repetition_stands_once_and_pushes_nothing_out() -> None:
    """Given a timeline that is full, then what was said before is said with its latest time, and nothing leaves."""
    correlator = Correlator()
    for number in range(EVIDENCE_MAX):
        correlator.merge(alert("a-1", f"{number}", at_ns=NOW_WALL + number), NOW)
    for again in range(5):
        correlator.merge(alert("a-1", f"{EVIDENCE_MAX - 1}", at_ns=NOW_WALL + EVIDENCE_MAX + again), NOW)
    (told,) = correlator.flush(NOW + GROWTH_INTERVAL_NS)
    assert [one.what for one in told.alert.evidence] == [f"{number}" for number in range(EVIDENCE_MAX)]
    assert told.alert.evidence[-1].at_ns == NOW_WALL + EVIDENCE_MAX + 4


def test_alert_that_grew_longest_ago_leaves() -> None:
    """A full table lets go of it, counts it, and tells nothing of it any more."""
    correlator = Correlator(limit=2)
    for identifier in ("a-1", "a-2", "a-1", "a-2", "a-1", "a-3"):
        correlator.merge(alert(identifier), NOW)
    assert correlator.evicted == 1
    assert [one.alert.id for one in correlator.flush(NOW + GROWTH_INTERVAL_NS)] == ["a-1"]
    assert correlator.merge(alert("a-2"), NOW)[0].is_new


def test_restored_alert_goes_on_growing() -> None:
    """Given an alert of an earlier run, then the same finding is no new one."""
    correlator = Correlator()
    correlator.restore([alert(count=7)])
    assert correlator.merge(alert(at_ns=NOW_WALL + SECOND), NOW) == []
    (told,) = correlator.flush(NOW + GROWTH_INTERVAL_NS)
    assert (told.alert.count, told.is_new, told.alert.first_seen_ns) == (8, False, NOW_WALL)


def test_restored_alerts_are_bounded() -> None:
    """The latest are taken."""
    correlator = Correlator(limit=2)
    correlator.restore([alert(f"a-{number}") for number in range(5)])
    assert [bool(correlator.merge(alert(f"a-{number}"), NOW)) for number in (4, 3)] == [False, False]
    assert correlator.merge(alert("a-0"), NOW)[0].is_new


def test_identifier_is_of_all_that_it_is_about() -> None:
    """The same finding has the same identifier, any other another one, and no two parts run together."""
    about = ("host", "w-1", "rule", "subject")
    assert alert_id(*about) == alert_id(*about)
    changed = [(*about[:index], "other", *about[index + 1 :]) for index in range(4)]
    assert (
        len({alert_id(*about), *(alert_id(*one) for one in changed), alert_id("hostw-", "1", "rule", "subject")}) == 6
    )
    assert alert_id("h", "w", "r", "/m/\udcff.gguf").startswith("a-")
