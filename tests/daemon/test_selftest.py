"""A round of the self-test, with a real child and a kernel side that answers as the test says."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from modelwarden.daemon.event import ProbesProven
from modelwarden.daemon.selftest import SelfTest
from modelwarden.probes import registry
from modelwarden.probes.event import Event
from modelwarden.probes.kernel_side import ProbeState
from modelwarden.probes.probe import HookKind, Probe
from modelwarden.probes.registry import LAYOUTS, PROBES

NAMES = ("exec", "exit", "file_open", "fork")
KINDS_END = max(registry.PROBE_OF_KIND) + 1


@dataclass
class Counters:
    """A counter map that stands still unless the test moves it."""

    values: list[int]

    def read(self) -> list[int]:
        """As `PerCpuCounters`."""
        return list(self.values)


@dataclass
class FakeKernel:
    """A kernel side whose probes see what the test lets them see."""

    sees: Callable[[str, int], bool]
    """Whether the probe sees its fact in that round, counted from 1."""
    states: Sequence[ProbeState] = tuple(ProbeState(name, HookKind.RAW_TRACEPOINT) for name in NAMES)
    lost: Counters = field(default_factory=lambda: Counters([0] * KINDS_END * 2))
    refusals: Counters = field(default_factory=lambda: Counters([0]))
    exposed: list[int] = field(default_factory=list)
    proofs: set[type[Event]] = field(default_factory=set)
    """As `Reader`, whose part this plays too."""
    meanwhile: Callable[["FakeKernel"], None] = lambda _: None
    exposing: Callable[[], object] = lambda: None

    def misses(self) -> dict[str, int]:
        """Nothing recurs."""
        return {}

    def expose(self, pid: int, start_ns: int) -> None:
        """A child begins."""
        assert start_ns > 0
        self.exposing()
        self.exposed.append(pid)

    def drain(self) -> bool:
        """The records of the last child arrive."""
        self.meanwhile(self)
        for probe in PROBES:
            if self.exposed and self.sees(probe.name, len(self.exposed)):
                self.proofs |= set(probe.records)
        return False


def round_of(kernel: FakeKernel, *places: Path, drain: Callable[[], bool] | None = None) -> ProbesProven:
    """The result of a round."""
    parts = cast("Any", kernel)
    test = SelfTest(parts, parts, drain or kernel.drain, [str(place) for place in places])
    return asyncio.run(test.run())


def test_all_that_see_are_proven(tmp_path: Path) -> None:
    """Given probes whose records arrive, then all are proven by one child, and nothing is left behind."""
    kernel = FakeKernel(lambda _name, _round: True)
    found = round_of(kernel, tmp_path)

    assert (found.proven, found.blind, found.untried) == (NAMES, (), ())
    assert len(kernel.exposed) == 1
    assert list(tmp_path.iterdir()) == []


def test_one_that_misses_twice_is_blind(tmp_path: Path) -> None:
    """Given a probe that sees nothing, then it is blind after a second try, and the others are not."""
    kernel = FakeKernel(lambda name, _round: name != "file_open")
    found = round_of(kernel, tmp_path)

    assert (found.proven, found.blind, found.untried) == (("exec", "exit", "fork"), ("file_open",), ())
    assert len(kernel.exposed) == 2


def test_a_second_chance_counts(tmp_path: Path) -> None:
    """Given a record that arrives only the second time, then its probe is proven."""
    found = round_of(FakeKernel(lambda name, number: name != "exec" or number == 2), tmp_path)

    assert (found.proven, found.blind, found.untried) == (NAMES, (), ())


def test_a_loss_says_nothing(tmp_path: Path) -> None:
    """Given that records of a probe were lost meanwhile, then it is not tried; one that lost none is blind."""
    [kind] = [layout.kind for layout in LAYOUTS if registry.PROBE_OF_KIND[layout.kind] == "exec"]

    def lose(kernel: FakeKernel) -> None:
        kernel.lost.values[kind] += 3

    found = round_of(FakeKernel(lambda name, _: name not in {"exec", "exit"}, meanwhile=lose), tmp_path)

    assert (found.proven, found.blind) == (("file_open", "fork"), ("exit",))
    assert found.untried == (("exec", "3 of its records were lost meanwhile"),)


def test_marks_without_room_say_nothing(tmp_path: Path) -> None:
    """Given a table of marks that is full, then a child's child cannot be told from others: nobody is blind."""

    def refuse(kernel: FakeKernel) -> None:
        kernel.refusals.values[0] += 1

    found = round_of(FakeKernel(lambda name, _: name != "exec", meanwhile=refuse), tmp_path)

    assert (found.proven, found.blind) == (("exit", "file_open", "fork"), ())
    assert [name for name, _ in found.untried] == ["exec"]


def test_a_ring_that_never_empties_says_nothing(tmp_path: Path) -> None:
    """Given a flood behind which the records may still wait, then what did not arrive is not blind."""
    kernel = FakeKernel(lambda name, _round: name != "file_open")
    found = round_of(kernel, tmp_path, drain=lambda: not kernel.drain())

    assert (found.proven, found.blind) == (("exec", "exit", "fork"), ())
    assert found.untried == (("file_open", "the ring was full to the end"),)


def test_without_a_folder_nobody_is_blind(tmp_path: Path) -> None:
    """Given no place for the folder, then every probe has the reason."""
    kernel = FakeKernel(lambda _name, _round: False)
    found = round_of(kernel, tmp_path / "missing")

    assert (found.proven, found.blind) == ((), ())
    reason = f"no folder in {tmp_path}/missing: No such file or directory"
    assert found.untried == tuple((name, reason) for name in NAMES)
    assert len(kernel.exposed) == 1


def test_a_child_that_cannot_be_exposed_says_nothing(tmp_path: Path) -> None:
    """Given a full table of marks, then the child ends unseen, and nobody is blind."""

    def refuse() -> None:
        raise OSError(7, "Argument list too long")

    found = round_of(FakeKernel(lambda _name, _round: False, exposing=refuse), tmp_path)

    assert found.untried == tuple((name, "its process failed: Argument list too long") for name in NAMES)


def test_only_fork_is_blamed_for_what_rests_on_it(tmp_path: Path) -> None:
    """Given a fork that is not seen, then its child has no mark: what that child did proves nothing."""
    found = round_of(FakeKernel(lambda name, _round: name not in {"fork", "exec"}), tmp_path)

    assert (found.proven, found.blind) == (("exit", "file_open"), ("fork",))
    assert [name for name, _ in found.untried] == ["exec"]


def test_what_is_off_or_answers_when_asked_is_not_tested(tmp_path: Path) -> None:
    """Given a probe that is off, and one without a proof, then they are in no list."""
    states = (ProbeState("exec", None), ProbeState("running", HookKind.ITERATOR), ProbeState("fork", HookKind.FENTRY))
    found = round_of(FakeKernel(lambda _name, _round: True, states), tmp_path)

    assert (found.proven, found.blind, found.untried) == (("fork",), (), ())


def test_nothing_to_test_starts_nothing(tmp_path: Path) -> None:
    """Given no probe at all, then there is no child."""
    kernel = FakeKernel(lambda _name, _round: True, ())
    found = round_of(kernel, tmp_path)

    assert (found.proven, found.blind, found.untried, kernel.exposed) == ((), (), (), [])


def test_a_proof_that_cannot_be_found_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a probe that the child cannot import, then it has the reason, and the others are proven."""
    strange = Probe("strange", (ProbesProven,), (), prove=lambda _: None)
    monkeypatch.setattr(registry, "PROBES", (*PROBES, strange))
    kernel = FakeKernel(lambda _name, _round: True)
    kernel.states = (*kernel.states, ProbeState("strange", HookKind.FENTRY))
    found = round_of(kernel, tmp_path)

    assert (found.proven, found.blind) == (NAMES, ())
    [(name, reason)] = found.untried
    assert name == "strange"
    assert "cannot be imported" in reason


def test_stopping_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """Given a round that is cancelled, then its child is gone when the cancellation is through."""
    kernel = FakeKernel(lambda _name, _round: True)
    parts = cast("Any", kernel)

    async def begin_and_stop() -> None:
        task = asyncio.create_task(SelfTest(parts, parts, kernel.drain, [str(tmp_path)]).run())
        kernel.exposing = task.cancel
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(begin_and_stop())

    assert not Path(f"/proc/{kernel.exposed[0]}").exists()
    assert list(tmp_path.iterdir()) == []
