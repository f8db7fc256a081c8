"""The shell around the core: one loop feeds it, in order, and publishes what it knows."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exc

import structlog

from modelwarden.daemon.census import Census
from modelwarden.daemon.config import Config
from modelwarden.daemon.describe import Describer
from modelwarden.daemon.discover import make_core, runtimes
from modelwarden.daemon.event import PolicyLoaded, Remembered, Started, Stopping
from modelwarden.daemon.executor import Children, Executor
from modelwarden.daemon.hashing.hasher import Hasher
from modelwarden.daemon.host import boot_id, host_id
from modelwarden.daemon.inspector import Inspector
from modelwarden.daemon.keeper import Keeper
from modelwarden.daemon.notify import notify
from modelwarden.daemon.picture import Workings, picture
from modelwarden.daemon.policy_file import load_policy
from modelwarden.daemon.probe_log import tell_of_probes
from modelwarden.daemon.recorder import open_recorder
from modelwarden.daemon.selftest import SelfTest
from modelwarden.daemon.snapshot import Snapshot
from modelwarden.daemon.state import State
from modelwarden.daemon.times import to_rfc3339
from modelwarden.daemon.toml_file import ConfigError
from modelwarden.probes.candidate import library_head
from modelwarden.probes.clock import boot_ns, wall_offset_ns
from modelwarden.probes.event import Event
from modelwarden.probes.inbox import Inbox
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.reader import Reader
from modelwarden.probes.sampled.groups import Groups
from modelwarden.probes.sampled.opens import OpenCounts
from modelwarden.probes.sampled.procfs import Procfs, start_of
from modelwarden.probes.sampled.running import Running
from modelwarden.probes.sampled.tick import Ticker

log = structlog.get_logger(__name__)

DRAIN_S = 0.1
"""How long a bulk record waits at most; urgent ones wake the loop at once."""
TICK_S = 1.0
SELF_TEST_S = 3600.0
RECORDS_A_TURN = 512
TURNS_A_TICK = 64
STOP_DEADLINE_S = 5.0
"""For each step of stopping; systemd waits for longer than for all of them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line decides."""

    config: Config
    policy_file: Path | None
    state_dir: Path
    record: Path | None = None
    """The journal to write."""
    redact: bool = False
    """Whether it is written without names."""


class App:
    """One daemon. Everything here runs on the loop's thread, except what is handed to a worker by name."""

    def __init__(self, settings: Settings, loading: Future[Kernel]) -> None:
        """`loading` is the kernel side on its way up. Raises `StateError`, `ConfigError`, `JournalError`, in words."""
        self._settings = settings
        self._loading = loading
        self._policy = load_policy(settings.policy_file)
        self._recorder = open_recorder(settings.record, redacted=settings.redact)
        self._state = State.open(settings.state_dir)
        self._keeper = Keeper(self._state)
        self._core = make_core()
        self._inbox = Inbox()
        self._groups = Groups()
        self._census = Census()
        self._workings = Workings()
        self._synced = asyncio.Event()
        """The first look at the running system is complete: only now the ring is read."""
        self._stopping = asyncio.Event()
        self.snapshot = Snapshot(generated_at="", host_id="")
        """The newest picture, replaced as a whole: other threads may read it at any time."""

    async def run(self, ready: Callable[[], None]) -> None:
        """Runs until `stop`. Raises `ProbesUnavailableError` when it cannot begin.

        `ready` is called once, when nothing is missed any more.
        """
        self._loop = asyncio.get_running_loop()
        try:
            self._recollect()
            self._kernel = await asyncio.wrap_future(self._loading)
        except BaseException:
            self._close_files()
            raise
        self._connect(self._kernel)
        beside = (self._inspector.run(), self._hasher.run(), self._drains(), self._ticks())
        tasks = [asyncio.create_task(one) for one in beside]
        try:
            # What was there before us first: the ring keeps what happens meanwhile.
            self._executor.scan()
            await self._synced.wait()
            self._loop.add_reader(self._kernel.ring.descriptor, self._drain)
            self._tick()
            ready()
            notify("READY=1")
            tasks.append(asyncio.create_task(self._proofs()))
            await self._until_stopped(tasks)
        finally:
            await self._stop(tasks)

    def stop(self) -> None:
        """Asks `run` to end, also when it waits for its first look; call it on the loop's thread."""
        self._stopping.set()
        self._synced.set()

    def reload(self) -> None:
        """Reads the policy again; a wrong one leaves the old one in force. Call it on the loop's thread."""
        try:
            policy, digest = load_policy(self._settings.policy_file)
        except ConfigError as error:
            log.warning("policy_refused", reason=str(error), next_step="the old one holds; modelwarden policy check")
            return
        log.info("policy_loaded", digest=digest)
        self._put([PolicyLoaded(boot_ns(), policy, digest)])

    def _recollect(self) -> None:
        """What the core must know before the first event: the host, the past, the policy."""
        if self._state.moved_aside:
            log.error("state_was_damaged", moved_to=str(self._state.moved_aside), next_step="a new one was begun")
        workloads, _ = self._state.census()
        # An earlier run that was killed could not say that its workloads had ended; what still runs is seen again.
        self._keeper.add([], [{**one, "running": False} for one in workloads if one.get("running")])
        host = host_id(self._state.meta("host_id"))
        self._state.remember_meta("host_id", host)
        at = boot_ns()
        for event in (
            Started(at, host, boot_id(), wall_offset_ns()),
            Remembered(at, tuple(self._state.keyed_models()), tuple(workloads), tuple(self._state.alerts())),
            PolicyLoaded(at, *self._policy),
        ):
            self._record(event)
            self._core.step(event)

    def _connect(self, kernel: Kernel) -> None:
        tell_of_probes(kernel.states)
        self._reader, self._counts, self._ticker = Reader(kernel), OpenCounts(kernel), Ticker()
        # Programs run already; what was loaded in between is found by the look at the system that follows.
        libraries = [name for runtime in runtimes() for name in runtime.libraries]
        kernel.name_libraries(libraries)

        def ignore(pid: int) -> None:
            kernel.ignore(pid, start_of(pid))

        self._inspector = Inspector(self._answered, boot_ns, register=ignore)
        self._hasher = Hasher(self._answered, boot_ns, self._state.hashes, register=ignore)
        self._describer = Describer(self._answered, boot_ns, register=ignore)
        self._executor = Executor(
            kernel=kernel,
            children=Children(self._inspector, self._hasher, self._describer),
            keeper=self._keeper,
            running=Running(
                kernel,
                Procfs(
                    self._settings.config.files.large_bytes,
                    frozenset({os.getpid()}),
                    libraries=frozenset(map(library_head, libraries)),
                ),
            ),
            loop=self._loop,
            put=self._put,
        )

    # ---- feeding the core --------------------------------------------------------------------------

    def _put(self, events: list[Event]) -> None:
        self._inbox.put(self._groups.named(events))
        self._work()

    def _answered(self, event: Event) -> None:
        self._put([event])

    def _take(self) -> bool:
        """Takes a bounded batch out of the ring, so that a flood cannot starve the loop; whether there is more."""
        return self._kernel.drain(RECORDS_A_TURN, lambda batch: self._put(self._reader.decode(batch)))

    def _drain(self) -> None:
        if self._synced.is_set() and self._take():
            self._loop.call_soon(self._drain)

    def _work(self) -> None:
        """Thinks about everything that waits, in order."""
        begun = time.perf_counter()
        while waiting := self._inbox.take(RECORDS_A_TURN):
            for event in waiting:
                self._think(event)
        self._workings.handled_seconds += time.perf_counter() - begun
        if self._core.world.synced:
            self._synced.set()

    def _think(self, event: Event) -> None:
        self._record(event)
        try:
            for command in self._core.step(event):
                self._executor.carry_out(command)
        except Exception as error:  # noqa: BLE001 - the one guard around the core: a mistake of ours costs one event
            self._inbox.failed(event)
            log.error("event_failed", kind=type(event).__name__, error=repr(error), trace=format_exc(limit=-3))  # noqa: TRY400
        world = self._core.world
        if rows := self._census.after(event, world):
            self._keeper.add(*rows, as_of=to_rfc3339(world.wall_ns(event.at)))

    def _record(self, event: Event) -> None:
        if self._recorder is not None:
            self._recorder.record(event)

    async def _drains(self) -> None:
        while True:
            await asyncio.sleep(DRAIN_S)
            self._drain()

    async def _proofs(self) -> None:
        """Whether the probes still see: at once, then once an hour."""
        test = SelfTest(self._kernel, self._reader, self._take)
        while True:
            self._put([await test.run()])
            await asyncio.sleep(SELF_TEST_S)

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._tick()

    def _tick(self) -> None:
        """Once a second: what was lost, what was only counted, the time; then the picture for the others."""
        if not self._synced.is_set():
            return
        drained = any(not self._take() for _ in range(TURNS_A_TICK))
        at = boot_ns()
        self._put([*self._reader.losses(at), *self._inbox.losses(at)])
        if drained:  # repetitions of an open make sense behind the open only
            self._put(list(self._counts.sample(at)))
        self._put(list(self._ticker.sample(at)))
        self._keeper.flush()
        if self._recorder is not None:
            self._recorder.flush()
        self._workings.inbox_depth = len(self._inbox)
        self._workings.inspections_dropped = self._inspector.dropped
        self._workings.rows_unwritten = self._keeper.evicted
        self._workings.kernel_refusals = self._executor.refusals
        self._workings.hashes_dropped, self._workings.hashes_forgotten = self._hasher.dropped, self._hasher.forgotten
        self.snapshot = picture(at, self._core, self._census, self._kernel.states, self._workings)
        notify("WATCHDOG=1")

    # ---- the end -----------------------------------------------------------------------------------

    async def _until_stopped(self, tasks: list[asyncio.Task[None]]) -> None:
        stopped = asyncio.create_task(self._stopping.wait())
        done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        for task in done & set(tasks):
            task.result()  # it ended by itself, so by an error: let it be seen

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        """Detach, drain, write, let go; each step has its deadline."""
        notify("STOPPING=1")
        self._loop.remove_reader(self._kernel.ring.descriptor)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kernel.detach()
        self._tick()
        self._put([Stopping(boot_ns())])
        for reader in (self._inspector, self._hasher, self._describer):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.close(), STOP_DEADLINE_S)
        self._executor.close()
        self._close_files()
        self._kernel.close()

    def _close_files(self) -> None:
        self._groups.close()
        self._keeper.close(STOP_DEADLINE_S)
        if self._recorder is not None:
            self._recorder.close(STOP_DEADLINE_S)
