"""The self-test with real programs: each probe proves itself, and each is found blind when it sees nothing."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.kernel.watch import load_or_skip

from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.selftest import SelfTest
from modelwarden.probes import hooks
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.common import FileEvent, TaskEvent
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.kernel.fork import PROBE as FORK
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.probe import Probe, Program
from modelwarden.probes.reader import Reader
from modelwarden.probes.registry import PROBES
from modelwarden.probes.sampled.procfs import start_of

pytestmark = pytest.mark.bpf

PROVABLE = [probe for probe in PROBES if probe.prove is not None]


def a_round(kernel: Kernel, place: Path) -> tuple[ProbesProven, list[Event]]:
    """The result of one round with its folder at this place, and what was told of everybody meanwhile."""
    reader, told = Reader(kernel), list[Event]()
    test = SelfTest(
        kernel, reader, lambda: kernel.drain(512, lambda batch: told.extend(reader.decode(batch))), [str(place)]
    )
    return asyncio.run(test.run()), told


def functions(probe: Probe, kernel: Kernel | None = None) -> set[str]:
    """The programs without which a probe sees nothing: of the hook that it has, or of all that it can have."""
    kind = {state.name: state.hook for state in kernel.states}[probe.name] if kernel else None
    programs = [one for hook in probe.hooks if kernel is None or hook.kind is kind for one in hook.programs]
    return {one.function for one in programs if one.lacking is None}


def test_each_probe_proves_itself(either_kernel: Kernel, tmp_path: Path) -> None:
    """Whatever hook it has, every probe sees what was made for it; nothing is left behind."""
    found, _ = a_round(either_kernel, tmp_path)

    assert found.proven == tuple(probe.name for probe in PROVABLE)
    assert (found.blind, found.untried) == ((), ())
    assert list(tmp_path.iterdir()) == []


def test_what_was_made_is_told_of_nobody(
    either_kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No event is about the child, its children or its files: the core never hears of the self-test."""
    exposed: list[int] = []
    expose = Kernel.expose

    def note(kernel: Kernel, pid: int, start_ns: int) -> None:
        exposed.append(pid)
        expose(kernel, pid, start_ns)

    monkeypatch.setattr(Kernel, "expose", note)
    either_kernel.ignore(os.getpid(), start_of(os.getpid()))
    found, told = a_round(either_kernel, tmp_path)

    assert found.blind == ()
    [child] = exposed
    assert [event for event in told if isinstance(event, TaskEvent) and event.pid == child] == []
    assert [event for event in told if isinstance(event, ProcessExecuted) and event.parent_pid == child] == []
    assert [event for event in told if isinstance(event, FileEvent) and event.path.startswith(str(tmp_path))] == []


def test_without_its_mark_the_child_would_be_told_of(
    either_kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above does not pass because nothing happens: the same child, seen as anybody, has its events."""
    monkeypatch.setattr(Kernel, "expose", lambda kernel, pid, _: kernel.watch(pid, 0, watched=False))
    _, told = a_round(either_kernel, tmp_path)

    assert [event for event in told if isinstance(event, FileEvent) and event.path.startswith(str(tmp_path))] != []


@pytest.mark.parametrize("probe", PROVABLE, ids=lambda probe: probe.name)
def test_a_blind_probe_is_found(probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a probe that is loaded, and whose programs nothing runs, then it is blind, by name; the others are not."""
    dropped, attach = functions(probe), hooks.attach

    def attach_others(program: Program, descriptor: int) -> list[int]:
        return [] if program.function in dropped else attach(program, descriptor)

    monkeypatch.setattr(hooks, "attach", attach_others)
    kernel = load_or_skip({})
    try:
        found, _ = a_round(kernel, tmp_path)
        # One program may serve two probes.
        blind = {one.name for one in PROVABLE if functions(one, kernel) & dropped}
    finally:
        kernel.close()

    untried = {name for name, _ in found.untried}
    assert set(found.blind) == blind
    assert probe.name in blind
    assert ("exec" in untried) == (probe is FORK), "what a child does is known by the mark that fork passes on"
    assert {*found.proven, *untried} == {one.name for one in PROVABLE} - blind


def test_without_a_folder_nobody_is_blind(either_kernel: Kernel, tmp_path: Path) -> None:
    """Given no place for the folder, then only the end of the child proves something; the rest is not tried."""
    found, _ = a_round(either_kernel, tmp_path / "missing")

    assert (found.proven, found.blind) == (("exit",), ())
    assert [name for name, _ in found.untried] == [probe.name for probe in PROVABLE if probe.name != "exit"]
    assert {reason for _, reason in found.untried} == {f"no folder in {tmp_path}/missing: No such file or directory"}
