"""What the core makes of sums: each is ordered once, and who has read the model is judged again when it comes."""

from dataclasses import replace

import pytest
from tests.conversation import Conversation
from tests.kit import MODEL, NOW, NOW_WALL, PID, SECOND, executed, file, is_model, of, opened, tick

from modelwarden.daemon.command import Announce, HashFile
from modelwarden.daemon.event import FileHashed, FileIdentity
from modelwarden.daemon.model import hashes
from modelwarden.daemon.model.files import ModelFile
from modelwarden.daemon.model.hashes import ASK_AGAIN_NS, PENDING_MAX_NS, Hashes
from modelwarden.daemon.model.world import Outcome
from modelwarden.probes.sampled.tick import Tick

SHA, OTHER_SHA = "ab" * 32, "cd" * 32
OTHER = "/m/b.gguf"


class Talk:
    """A core that has seen models in use, and the part of it that knows sums."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.world = self.conversation.world
        self.hashes = Hashes(self.world)

    def use(self, path: str = MODEL, after_ns: int = 0, pid: int = PID) -> list[HashFile]:
        """A process opens a model, `after_ns` behind the first; what is ordered."""
        self.conversation.use(path, pid, NOW + after_ns)
        return self.hashes.wanted(self.model(path), (pid,))

    def model(self, path: str = MODEL) -> ModelFile:
        """The entry of a file."""
        return self.conversation.model(path)

    def hear(
        self, sha256: str | None = SHA, which: FileIdentity | None = None, reason: str | None = None, at: int = NOW
    ) -> Outcome:
        """The answer comes."""
        outcome: Outcome | None = self.hashes.handlers()[FileHashed](
            FileHashed(at, which or file(), sha256, reason or (None if sha256 else "it is gone"))
        )
        assert outcome is not None
        return outcome


def test_a_sum_is_ordered_once() -> None:
    """Given a model in use, then its sum is ordered, through those who hold it, and not again while that is awaited."""
    talk = Talk()
    assert talk.use() == [HashFile(file(), MODEL, (PID,))]
    assert talk.use(after_ns=SECOND) == []
    assert (talk.model().sha256, talk.model().hash_pending) == (None, True)
    assert talk.hashes.is_pending(talk.model())


def test_a_sum_is_known_for_ever() -> None:
    """Given the answer, then the entry has it, and no use asks again."""
    talk = Talk()
    talk.use()
    talk.hear()
    assert (talk.model().sha256, talk.model().hash_pending) == (SHA, False)
    assert talk.use(after_ns=PENDING_MAX_NS) == []
    assert talk.hashes.sha256_of(talk.model()) == SHA


def test_every_workload_that_read_it_is_judged_again() -> None:
    """Given two workloads with the model and one with another, then the two are judged, and nothing was opened."""
    talk = Talk()
    for pid, path in ((11, MODEL), (12, MODEL), (13, OTHER)):
        talk.conversation.tell(executed(pid, f"/usr/bin/llama-{pid}"), opened(path, pid), is_model(path))
    talk.hashes.wanted(talk.model(), (11,))
    talk.world.changed_models.clear()
    used, commands = talk.hear()
    assert sorted(one.process.pid for one in used) == [11, 12]
    assert {(one.count, one.first, one.model.sha256) for one in used} == {(0, False, SHA)}
    assert commands == []
    assert list(talk.world.changed_models) == [talk.model().key]


def test_want_of_a_sum_is_judged_too() -> None:
    """Given that the sum cannot be had, then it is not awaited, who reads the model is judged, and the reason told."""
    talk = Talk()
    talk.use()
    used, commands = talk.hear(None)
    assert len(used) == 1
    assert (talk.model().sha256, talk.model().hash_pending) == (None, False)
    assert commands == [Announce("model_not_hashed", (("path", MODEL), ("reason", "it is gone")))]


def test_a_failure_is_tried_again_later() -> None:
    """Given a file that could not be read, then a use asks again after ten minutes, not before."""
    talk = Talk()
    talk.use()
    talk.hear(None)
    assert talk.use(after_ns=ASK_AGAIN_NS - 1) == []
    assert not talk.model().hash_pending
    assert len(talk.use(after_ns=ASK_AGAIN_NS)) == 1


def test_nobody_waits_for_ever() -> None:
    """Given no answer within an hour, then who reads the model is judged without; a later one counts all the same."""
    talk = Talk()
    talk.use()
    ticked = talk.hashes.handlers()[Tick]
    assert ticked(tick(NOW + PENDING_MAX_NS - 1)) is None
    assert talk.model().hash_pending
    used, commands = ticked(tick(NOW + PENDING_MAX_NS)) or ([], [])
    assert [(one.model is talk.model(), one.count) for one in used] == [(True, 0)]
    assert (talk.model().hash_pending, commands) == (False, [])
    assert ticked(tick(NOW + 2 * PENDING_MAX_NS)) is None
    assert len(talk.hear()[0]) == 1
    assert talk.model().sha256 == SHA


def test_a_lost_answer_is_asked_for_again() -> None:
    """Given an answer that nobody waits for any more, then the next use orders it again."""
    talk = Talk()
    talk.use()
    talk.hashes.handlers()[Tick](tick(NOW + PENDING_MAX_NS))
    assert len(talk.use(after_ns=PENDING_MAX_NS)) == 1


def test_another_state_is_another_file() -> None:
    """Given a model that is written again, then its sum is forgotten, and one of the old state is not taken for it."""
    talk = Talk()
    talk.use()
    talk.hear()
    later = file(mtime_ns=2, ctime_ns=2)
    answers = talk.conversation.tell(opened(identity=later), is_model(which=later))
    assert (talk.model().sha256, talk.model().hash_pending) == (None, True)
    assert of(HashFile, answers) == [HashFile(later, MODEL, (PID,))]
    assert talk.hear(OTHER_SHA) == ([], [])
    assert (talk.model().sha256, talk.model().hash_pending) == (None, True)


def test_an_entry_that_came_back_learns_at_once() -> None:
    """Given an entry that is made anew for a state whose sum is known, or awaited, then it is not ordered again."""
    talk = Talk()
    talk.use()
    again = ModelFile(file(), MODEL, [MODEL], NOW_WALL, NOW_WALL)
    assert talk.hashes.wanted(again, (PID,)) == []
    assert again.hash_pending
    talk.hear()
    assert talk.hashes.wanted(again, (PID,)) == []
    assert (again.sha256, again.hash_pending) == (SHA, False)


def test_an_answer_for_nobody() -> None:
    """Given a file that has no entry any more, then the sum is kept for when it comes back."""
    talk = Talk()
    assert talk.hear(which=file(OTHER)) == ([], [])
    assert talk.use(OTHER) == []
    assert talk.model(OTHER).sha256 == SHA


@pytest.mark.parametrize("sha256", [SHA, None])
def test_tables_are_bounded(monkeypatch: pytest.MonkeyPatch, sha256: str | None) -> None:
    """What leaves a full table is counted; of the known ones, that is the one used longest ago."""
    monkeypatch.setattr(hashes, "KNOWN_MAX", 2)
    monkeypatch.setattr(hashes, "FAILED_MAX", 2)
    talk = Talk()
    files = [replace(file(), inode=number) for number in range(3)]
    for which in files[:2]:
        talk.hear(sha256, which)
    talk.hashes.wanted(ModelFile(files[0], MODEL, [MODEL], NOW_WALL, NOW_WALL), ())
    talk.hear(sha256, files[2])
    assert talk.hashes.evicted == 1
    if sha256:
        assert list(talk.hashes.known) == [files[0], files[2]]


def test_no_more_is_asked_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given as many open questions as there may be, then a further model is not awaited, and that is counted."""
    monkeypatch.setattr(hashes, "ASKED_MAX", 1)
    talk = Talk()
    talk.use()
    assert talk.use(OTHER) == []
    assert not talk.model(OTHER).hash_pending
    assert talk.hashes.evicted == 1
    talk.hear()
    assert len(talk.use(OTHER)) == 1
