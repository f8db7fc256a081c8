"""What each hook of the file probes costs, beside empty programs of the same types in the same places, in turns.

The ratios hold under emulation as well, where the times mean nothing: `make test-kernels ARGS=--costs` runs this in
guests. All programs are loaded before anything is measured; what takes turns is which of them are attached.
"""

import argparse
import json
import os
import platform
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from kit.actor import Actor, make_files
from kit.daemon import require_root
from kit.machine import introduce
from kit.table import show

from modelwarden.daemon.config import Files
from modelwarden.probes import hooks, registry
from modelwarden.probes.build import Compiler, Source
from modelwarden.probes.libbpf import program_info
from modelwarden.probes.loader import ProbesUnavailableError, load
from modelwarden.probes.probe import Hook, HookKind, Probe, Program

PROBES = ("file_open", "file_map")
KINDS = (HookKind.FENTRY, HookKind.TRACEPOINT, HookKind.RAW_TRACEPOINT)
ROUNDS = 15
LEFT_OUT = "left out by the benchmark"
STATISTICS = Path("/proc/sys/kernel/bpf_stats_enabled")
Side = tuple[str, str, str]
"""A probe, the kind of a hook, and whose programs are attached there: `ours` or `empty`."""
NONE: Side = ("", "", "none")
OPERATIONS = {
    "getppid": ("syscall", 2_000_000),
    "open+close, unrelated": ("open", 100_000),
    "open+close, one model": ("open", 100_000),
    "mmap+munmap, unrelated": ("map", 100_000),
}


@dataclass(slots=True)
class Loaded:
    """The programs of one hook, ours or empty ones; attached only while something is measured."""

    programs: list[tuple[Program, int]] = field(default_factory=list)

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Attached until the block is left."""
        made = [one for program, descriptor in self.programs for one in hooks.attach(program, descriptor)]
        try:
            yield
        finally:
            for descriptor in made:
                os.close(descriptor)

    def runs(self) -> tuple[int, int]:
        """(how often they ran, nanoseconds of it) so far, while statistics are on."""
        found = [program_info(descriptor) for _, descriptor in self.programs]
        return sum(one.runs for one in found), sum(one.run_time_ns for one in found)

    def verified_instructions(self) -> int:
        """Of all; zero before 5.16."""
        return sum(program_info(descriptor).verified_instructions for _, descriptor in self.programs)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation costs with one hook; the ratios are medians of the rounds' own."""

    probe: str
    hook: str
    operation: str
    none_ns: float
    empty_to_none: float
    ours_to_none: float
    ours_to_empty: float
    runs: float
    """Of our programs, an operation."""
    empty_ns: float
    """An empty program's run, as the kernel measures it; its measuring is in it."""
    ours_ns: float
    verified_instructions: int


def load_ours(probe: Probe, hook: Hook) -> Loaded:
    """The programs of one hook, as the loader fills their tables. `LookupError` says why it is not to be had."""
    without = {other.key(one): LEFT_OUT for other in registry.PROBES for one in other.hooks if one is not hook}
    try:
        kernel = load(Files().large_bytes, without)
    except ProbesUnavailableError as error:
        raise SystemExit(str(error)) from error
    state = next(state for state in kernel.states if state.name == probe.name)
    if state.hook is None:
        kernel.close()
        reasons = (state.reason or "").split("; ")
        raise LookupError("; ".join(reason for reason in reasons if not reason.endswith(f": {LEFT_OUT}")))
    while kernel.attachments:
        os.close(kernel.attachments.pop())
    by_function = {program.function: program for program in hook.programs}
    return Loaded([(by_function[function], descriptor) for _, function, descriptor in kernel.programs])


def load_empty(ours: Loaded) -> Loaded:
    """For each program one that returns at once, of the same type, for the same place."""
    bodies = [
        f"KFUNC_PROBE({program.function}, void *first) {{ return 0; }}"
        if program.kind is HookKind.FENTRY
        else f"int {program.function}(void *ctx) {{ return 0; }}"
        for program, _ in ours.programs
    ]
    with Compiler() as compiler:
        compiler.compile(Source("\n".join(["#include <linux/types.h>", *bodies]), platform.release(), maps=()))
        return Loaded([(one, compiler.load(one.function, one.kind.value)) for one, _ in ours.programs])


def measure(actor: Actor, files: dict[str, tuple[Path, ...]], share: float) -> Iterator[tuple[str, int, float]]:
    """Each operation with how often it was done and the nanoseconds that it took."""
    for operation, (what, count) in OPERATIONS.items():
        times = int(count * share)
        yield operation, times, actor.ns_each(what, times, *files[operation])


@contextmanager
def statistics_on() -> Iterator[None]:
    """The kernel counts and times each run of a program, which costs too: not while anything else is measured."""
    before = STATISTICS.read_text()
    STATISTICS.write_text("1")
    try:
        yield
    finally:
        STATISTICS.write_text(before)


def costs(loaded: dict[Side, Loaded], actor: Actor, folder: Path, args: argparse.Namespace) -> list[Cost]:
    """All hooks in turns, in another order each round; then each once with the kernel's own statistics."""
    files = _make_files(folder)
    sides = {NONE: Loaded(), **loaded}
    took: dict[tuple[Side, str], list[float]] = defaultdict(list)
    for _ in range(args.rounds):
        for side in random.sample(list(sides), len(sides)):
            with sides[side].attached():
                for operation, _, nanoseconds in measure(actor, files, args.share):
                    took[side, operation].append(nanoseconds)
    each: dict[tuple[Side, str], tuple[float, float]] = {}
    with statistics_on():
        for side, one in loaded.items():
            with one.attached():
                runs, spent = one.runs()
                for operation, times, _ in measure(actor, files, args.share):
                    later_runs, later_spent = one.runs()
                    more = later_runs - runs
                    each[side, operation] = (more / times, (later_spent - spent) / more if more else 0.0)
                    runs, spent = later_runs, later_spent
    found = []
    for probe, kind in dict.fromkeys(side[:2] for side in loaded):
        empty, ours = (probe, kind, "empty"), (probe, kind, "ours")
        found += [
            Cost(
                probe=probe,
                hook=kind,
                operation=operation,
                none_ns=median(took[NONE, operation]),
                empty_to_none=_ratio(took[empty, operation], took[NONE, operation]),
                ours_to_none=_ratio(took[ours, operation], took[NONE, operation]),
                ours_to_empty=_ratio(took[ours, operation], took[empty, operation]),
                runs=each[ours, operation][0],
                ours_ns=each[ours, operation][1],
                empty_ns=each[empty, operation][1],
                verified_instructions=loaded[ours].verified_instructions(),
            )
            for operation in OPERATIONS
        ]
    return found


def _make_files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """What each operation is done to."""
    unrelated = folder / "unrelated.txt"
    unrelated.write_text("nothing")
    model = make_files(folder / "one", 1, ".gguf") / "0.gguf"
    return dict.fromkeys(OPERATIONS, (unrelated,)) | {"getppid": (), "open+close, one model": (model,)}


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    return median(one / other for one, other in zip(above, below, strict=True))


def main() -> None:
    """What can be had here; each hook that cannot is named with the reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--share", type=float, default=1.0, help="of the operations; less for a slow machine")
    parser.add_argument("--actor", type=Path, help="compiled before, where there is no C compiler")
    parser.add_argument("--json", type=Path, help="write what was measured here, show nothing")
    args = parser.parse_args()
    require_root()
    loaded: dict[Side, Loaded] = {}
    if not args.json:
        introduce()
    of_files = [probe for probe in registry.PROBES if probe.name in PROBES]
    for probe, hook in [(one, hook) for one in of_files for hook in one.hooks if hook.kind in KINDS]:
        try:
            ours = load_ours(probe, hook)
        except LookupError as error:
            print(f"left out: {probe.name}: {error}")
        else:
            loaded[probe.name, hook.kind.value, "ours"] = ours
            loaded[probe.name, hook.kind.value, "empty"] = load_empty(ours)
    with tempfile.TemporaryDirectory(prefix="modelwarden-bench-") as name:
        folder = Path(name)
        found = costs(loaded, Actor(folder, args.actor), folder, args)
    if args.json:
        args.json.write_text(json.dumps([asdict(cost) for cost in found]))
        return
    head = ("operation", "none, ns", "empty", "ours", "ours / empty", "runs", "ns a run", "of an empty one")
    for probe_name, kind in dict.fromkeys((cost.probe, cost.hook) for cost in found):
        of_hook = [cost for cost in found if (cost.probe, cost.hook) == (probe_name, kind)]
        title = f"{probe_name} by {kind}, {of_hook[0].verified_instructions:,} verified instructions: against none"
        show(f"{title}, medians of {args.rounds} rounds", head, [_cells(cost) for cost in of_hook])


def _cells(cost: Cost) -> tuple[str, ...]:
    ratios = (f"{ratio:.2f}" for ratio in (cost.empty_to_none, cost.ours_to_none, cost.ours_to_empty, cost.runs))
    # What runs less often than every second time belongs to others on this machine.
    each = (f"{nanoseconds:,.0f}" if cost.runs > 0.5 else "–" for nanoseconds in (cost.ours_ns, cost.empty_ns))
    return cost.operation, f"{cost.none_ns:,.0f}", *ratios, *each


if __name__ == "__main__":
    main()
