"""How long the core thinks about an event: 200,000 of a made-up busy workstation, replayed; pure, no kernel.

The mean is of processor time, which other work on the machine hardly touches; the percentiles are of the clock.
"""

import gc
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from statistics import mean, median, quantiles

from kit.machine import introduce
from kit.table import show

from modelwarden.daemon.command import Command, FindProcess, InspectFile, NameUser
from modelwarden.daemon.discover import make_core
from modelwarden.daemon.event import FileIdentity, FileInspected, Inspection, PolicyLoaded, Started, UserNamed
from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.policy import ModelApproval, ModelsPolicy, Policy
from modelwarden.probes.candidate import Candidate
from modelwarden.probes.event import Event
from modelwarden.probes.kernel.exec import ProcessExecuted
from modelwarden.probes.kernel.exit import ProcessExited
from modelwarden.probes.kernel.file_open import FileOpened
from modelwarden.probes.kernel.fork import ProcessForked
from modelwarden.probes.sampled.opens import OpensCounted
from modelwarden.probes.sampled.procfs import Resynced
from modelwarden.probes.sampled.tick import Tick

EVENTS = 200_000
ROUNDS = 5
TARGET_US = 25
SECOND = 1_000_000_000
EVENTS_A_SECOND = 1_000
USERS = (1000, 1001, 1002)
MODELS, OTHERS = 300, 2_000
"""Files that are models; files that are only called like some (`.bin`, `.dat`, `.data`)."""
PROGRAMS = ("/usr/bin/python3.11", "/usr/bin/bash", "/usr/bin/git", "/usr/bin/cc1", "/usr/local/bin/llama-server")


class Machine:
    """Makes up what happens, and answers what the core asks, a little later, as the shell would."""

    def __init__(self) -> None:
        self._random = random.Random(20260101)  # noqa: S311 - the same history each time
        self._at = 1_000 * SECOND
        self._next_pid = 1_000
        self._living: list[tuple[int, int]] = [(1, 0)]
        self._answers: list[Event] = []

    def beginning(self) -> list[Event]:
        """The host, a policy that has an opinion, the first look at the system."""
        approved = tuple(ModelApproval(name=f"approved-{number}*") for number in range(20))
        policy = Policy(models=ModelsPolicy(approved=approved))
        return [Started(self._at, "host", "boot", 0), PolicyLoaded(self._at, policy, "0" * 64), Resynced(self._at, 1)]

    def second(self) -> Iterator[Event]:
        """What a second holds: the life of processes, opens of candidates, answers, the tick."""
        for _ in range(EVENTS_A_SECOND - 1):
            self._at += SECOND // EVENTS_A_SECOND
            if self._answers and self._random.random() < 0.5:
                yield self._answers.pop(0)
            else:
                yield self._event()
        yield Tick(self._at, 0)

    def hear(self, commands: list[Command]) -> None:
        """Takes orders; the answers come with the next events."""
        for command in commands:
            match command:
                case InspectFile():
                    number = command.file.inode
                    is_model = number <= MODELS
                    named = "approved-" if number % 3 else "stray-"
                    identity = Identity("gguf", f"{named}{number % 40}", "llama", 8_030_000_000, "Q4_K_M")
                    outcome = Inspection.MODEL if is_model else Inspection.NOT_A_MODEL
                    self._answers.append(
                        FileInspected(self._at, command.file, outcome, identity if is_model else None, None)
                    )
                case NameUser():
                    self._answers.append(UserNamed(self._at, command.uid, f"user{command.uid}"))
                case FindProcess():
                    pass  # it is gone
                case _:
                    pass

    def _event(self) -> Event:
        choice = self._random.random()
        if choice < 0.22:
            return self._fork()
        if choice < 0.42 and len(self._living) > 100:
            return self._exit()
        if choice < 0.60:
            return self._exec()
        return self._count() if choice < 0.65 else self._open()

    def _task(self, pid: int, start_ns: int) -> dict[str, int]:
        uid = USERS[pid % len(USERS)]
        who = {"pid": pid, "tid": pid, "start_ns": start_ns, "uid": uid, "login_uid": uid, "cgroup": 1}
        return {"at": self._at, **who, "mount_ns": 4026531841, "pid_ns": 4026531836}

    def _fork(self) -> Event:
        self._next_pid += 1
        child = (self._next_pid, self._at)
        parent = self._task(*self._random.choice(self._living))
        self._living.append(child)
        return ProcessForked(**parent, child_start_ns=child[1], child_pid=child[0], reserved=0)

    def _exit(self) -> Event:
        process = self._living.pop(self._random.randrange(1, len(self._living)))
        return ProcessExited(**self._task(*process), exit_code=0, reserved=0)

    def _exec(self) -> Event:
        path = self._random.choice(PROGRAMS)
        return ProcessExecuted(
            **self._task(*self._random.choice(self._living)),
            parent_pid=1,
            parent_start_ns=0,
            device=0xFE01,
            inode=7,
            ctime_ns=1,
            path_cut=0,
            arguments_cut=0,
            reserved=0,
            path=path,
            arguments=(path, "-u", f"/srv/job-{self._random.randrange(200)}.py", "--model", "/srv/models/a.gguf"),
        )

    def _file(self) -> tuple[str, Candidate, FileIdentity]:
        if self._random.random() < 0.4:
            number = self._random.randint(1, MODELS)
            return f"/srv/models/{number}.gguf", Candidate.STRONG_SUFFIX, FileIdentity(0xFE01, number, 1 << 30, 1, 1)
        number = MODELS + self._random.randint(1, OTHERS)
        return f"/home/u/.cache/{number}.bin", Candidate.WEAK_SUFFIX, FileIdentity(0xFE01, number, 1 << 16, 1, 1)

    def _open(self) -> Event:
        path, reasons, file = self._file()
        return FileOpened(
            **self._task(*self._random.choice(self._living)),
            device=file.device,
            inode=file.inode,
            size=file.size,
            mtime_ns=file.mtime_ns,
            ctime_ns=file.ctime_ns,
            open_flags=0,
            reasons=int(reasons),
            path_cut=0,
            created=0,
            path=path,
        )

    def _count(self) -> Event:
        _, _, file = self._file()
        pid, start_ns = self._random.choice(self._living)
        return OpensCounted(self._at, pid, start_ns, file.device, file.inode, file.ctime_ns, 0, 17)


def history() -> list[Event]:
    """All events, as a first core's questions shaped them."""
    machine, core = Machine(), make_core()
    events = machine.beginning()
    for event in events:
        core.step(event)
    while len(events) < EVENTS:
        for event in machine.second():
            events.append(event)
            machine.hear(core.step(event))
    return events[:EVENTS]


def busy_us(events: list[Event]) -> float:
    """Processor time of one event in the mean, microseconds, with a core of its own."""
    core = make_core()
    begun = time.process_time()
    for event in events:
        core.step(event)
    return (time.process_time() - begun) / len(events) * 1e6


def clocked_us(events: list[Event]) -> dict[str, list[float]]:
    """The time of each event, microseconds, by kind."""
    core = make_core()
    took: dict[str, list[float]] = defaultdict(list)
    for event in events:
        begun = time.perf_counter_ns()
        core.step(event)
        took[type(event).__name__].append((time.perf_counter_ns() - begun) / 1000)
    return took


def main() -> None:
    """Prints the mean over all, then each kind."""
    introduce()
    events = history()
    gc.collect()
    gc.freeze()  # the daemon does not hold its past in memory: the collector shall not go through it
    means = [busy_us(events) for _ in range(ROUNDS)]
    took = clocked_us(events)
    rows = [_row(kind, times) for kind, times in sorted(took.items()) if len(times) > 1]
    rows.append(_row("all", [one for times in took.values() for one in times]))
    show(f"core: {len(events):,} events, µs each (the clock)", ("event", "count", "mean", "p50", "p99", "max"), rows)
    print(f"processor time: median {median(means):.1f} µs an event of {ROUNDS} runs; target below {TARGET_US}")


def _row(kind: str, times: list[float]) -> tuple[str, ...]:
    p99 = quantiles(times, n=100)[-1]
    return (kind, f"{len(times):,}", *(f"{one:.1f}" for one in (mean(times), median(times), p99, max(times))))


if __name__ == "__main__":
    main()
