"""What becomes of the core's orders."""

import asyncio
import os
import pwd
import threading

import pytest
from structlog.testing import capture_logs
from tests.executing import Stage, play
from tests.kit import MODEL, PID, START, file
from tests.rows import alert

from modelwarden.daemon.command import (
    Announce,
    DescribeContainer,
    FindProcess,
    HashFile,
    InspectFile,
    NameUser,
    Raise,
    RememberFile,
    Resync,
    WatchProcess,
)
from modelwarden.daemon.event import FileHashed, FileInspected, Inspection, UserNamed
from modelwarden.daemon.executor import BATCH
from modelwarden.daemon.identify.containers.engine import Container
from modelwarden.probes.sampled.procfs import Resynced

INSPECT, HASH = InspectFile(file(), MODEL, (PID,)), HashFile(file(), MODEL, (PID,))


def test_kernel_is_told() -> None:
    """Marks and verdicts go to the kernel at once."""

    async def scene(stage: Stage) -> None:
        stage.executor.carry_out(WatchProcess(PID, START, watched=True))
        stage.executor.carry_out(WatchProcess(PID, START, watched=False))
        stage.executor.carry_out(RememberFile(file(), is_model=True))
        assert stage.kernel.watched == [(PID, START, True), (PID, START, False)]
        key = (file().device, file().inode, file().size, file().ctime_ns)
        assert stage.kernel.remembered == [(key, True)]

    play(scene)


def test_full_kernel_table_is_counted_and_said_once() -> None:
    """Given a table without room, then each refusal counts, one is said, and nothing fails."""

    async def scene(stage: Stage) -> None:
        stage.kernel.full = True
        with capture_logs() as logs:
            for _ in range(3):
                stage.executor.carry_out(WatchProcess(PID, START, watched=True))
        assert stage.executor.refusals == 3
        assert [(one["event"], one["reason"]) for one in logs] == [("kernel_table_full", "map marks: no room")]

    play(scene)


@pytest.mark.parametrize("command", [INSPECT, HASH])
def test_file_is_passed_on_and_a_refusal_answered(command: InspectFile | HashFile) -> None:
    """Given no room for a further file, then the core gets an answer, later and with a reason, never none."""

    async def scene(stage: Stage) -> None:
        stage.executor.carry_out(command)
        stage.executor.carry_out(command)
        assert stage.events == [], "the core is never called while it thinks"
        (answer,) = await stage.answers(1)
        assert isinstance(answer, FileInspected if command is INSPECT else FileHashed)
        assert (answer.file, getattr(answer, "sha256", None)) == (command.file, None)
        assert getattr(answer, "outcome", Inspection.UNREADABLE) is Inspection.UNREADABLE
        assert answer.reason

    play(scene)


@pytest.mark.parametrize(
    ("uid", "name"), [(os.getuid(), pwd.getpwuid(os.getuid()).pw_name), (4_294_967_290, None), (1 << 70, None)]
)
def test_user_is_named(uid: int, name: str | None) -> None:
    """A user whom the system does not know has no name, and every question an answer."""

    async def scene(stage: Stage) -> None:
        stage.executor.carry_out(NameUser(uid))
        (answer,) = await stage.answers(1)
        assert isinstance(answer, UserNamed)
        assert (answer.uid, answer.name) == (uid, name)
        assert stage.threads == {threading.get_ident()}

    play(scene)


def test_process_is_found() -> None:
    """A question about one process is answered by what /proc shows of it."""

    async def scene(stage: Stage) -> None:
        stage.executor.carry_out(FindProcess(77))
        assert [getattr(one, "pid", None) for one in await stage.answers(1)] == [77]

    play(scene)


def test_look_comes_in_bounded_batches() -> None:
    """Given many processes, then they arrive in order and in batches, on the loop's thread, the end last."""

    async def scene(stage: Stage) -> None:
        stage.running.processes = 2 * BATCH
        with capture_logs() as logs:
            stage.executor.carry_out(Resync("events were lost"))
        events = await stage.answers(2 * BATCH + 1)
        assert [getattr(one, "pid", None) for one in events] == [*range(2 * BATCH), None]
        assert isinstance(events[-1], Resynced)
        assert stage.batches == [BATCH, BATCH, 1]
        assert stage.threads == {threading.get_ident()}
        assert [(one["event"], one["log_level"]) for one in logs] == [("resync", "warning")]

    play(scene)


def test_one_look_at_a_time() -> None:
    """Given a look that is under way, then others that are asked for are one that follows it."""

    async def scene(stage: Stage) -> None:
        stage.running.go_on.clear()
        for _ in range(3):
            stage.executor.scan()
        stage.running.go_on.set()
        await stage.answers(8)
        assert stage.running.looks == 2
        stage.executor.scan()
        await stage.answers(12)
        assert stage.running.looks == 3

    play(scene)


def test_container_is_asked_about() -> None:
    """A container goes to the describer, which answers by itself."""
    question = DescribeContainer(Container("docker", "ab"), 1000)

    async def scene(stage: Stage) -> None:
        stage.executor.carry_out(question)
        assert stage.describer.taken == [question]

    play(scene)


def test_alert_is_kept_at_once_and_said_when_new() -> None:
    """Every telling is written; only the first is a line of the log."""

    async def scene(stage: Stage) -> None:
        with capture_logs() as logs:
            stage.executor.carry_out(Raise(alert("a-1", "first", "latest"), is_new=True))
            stage.executor.carry_out(Raise(alert("a-1", count=2), is_new=False))
        assert [one["count"] for one in stage.keeper.alerts] == [1, 2]
        assert stage.keeper.flushes == 2
        assert [(one["event"], one["id"], one["what"], one["severity"]) for one in logs] == [
            ("alert", "a-1", "latest", "medium")
        ]

    play(scene)


def test_announcements_are_said() -> None:
    """A constant message with its fields; a rule that fails is an error."""

    async def scene(stage: Stage) -> None:
        with capture_logs() as logs:
            stage.executor.carry_out(Announce("model_opened", (("path", MODEL), ("pid", 1))))
            for message in ("rule_failed", "probe_blind", "probe_not_tried"):
                stage.executor.carry_out(Announce(message, (("about", "x"),)))
        assert logs[0] == {"event": "model_opened", "log_level": "info", "path": MODEL, "pid": 1}
        assert [one["log_level"] for one in logs[1:]] == ["error", "error", "warning"]

    play(scene)


def test_answer_after_the_end_is_nobodys() -> None:
    """Given a look that is still under way when the loop ends, then its answer is dropped without an error."""

    async def without_end() -> Stage:
        stage = Stage()
        stage.running.go_on.clear()
        stage.executor.scan()
        return stage

    stage = asyncio.run(without_end())
    answered = threading.Event()
    stage.executor._system.submit(answered.set)  # behind the look
    stage.running.go_on.set()
    assert answered.wait(10)
    assert stage.events == []
