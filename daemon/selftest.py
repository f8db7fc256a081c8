"""One round of the self-test: a child makes each probe's fact happen, and its records have to arrive."""

import asyncio
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from modelwarden.daemon.child import start_child
from modelwarden.daemon.event import ProbesProven
from modelwarden.probes import registry
from modelwarden.probes.clock import boot_ns
from modelwarden.probes.kernel.fork import PROBE as FORK
from modelwarden.probes.kernel_side import Kernel
from modelwarden.probes.proof import MESSAGE_BYTES, READY
from modelwarden.probes.reader import Reader
from modelwarden.probes.sampled.procfs import start_of

DEADLINE_S = 10.0
END_S = 1.0
"""For a child that is told to end; then it is killed."""
DRAIN_S = 2.0
PLACES = ("/run", "/dev/shm", "/tmp")  # noqa: S108 - what is made there is private, and its name unknown before
"""Where the child may make its folder, after the service's own: in memory and closed to others first."""

_BOOT = "import sys; sys.path[:] = sys.argv[3:]; from modelwarden.probes.proof import main; "
_BOOT += "main(int(sys.argv[1]), sys.argv[2].split())"
_BY_MARK = "a proof's own children are known by the mark that the probe fork passes on, and that one sees nothing"

Missing = dict[str, str | None]
"""Probes that were not proven: why that says nothing of them, `None` where it says that they are blind."""


class SelfTest:
    """Lives on the loop's thread. `drain` takes one batch out of the ring, and says whether there may be more."""

    def __init__(
        self, kernel: Kernel, reader: Reader, drain: Callable[[], bool], places: Sequence[str] | None = None
    ) -> None:
        self._kernel = kernel
        self._reader = reader
        self._drain = drain
        own = os.environ.get("TMPDIR", "")
        self._places = places if places is not None else (*([own] if Path(own).is_absolute() else []), *PLACES)
        attached = {state.name for state in kernel.states if state.hook is not None}
        self._records = {
            probe.name: set(probe.records)
            for probe in registry.PROBES
            if probe.prove is not None and probe.name in attached
        }

    async def run(self) -> ProbesProven:
        """What was proven, what not; a probe that was missed gets a second chance."""
        missing = await self._attempt(self._records)
        if again := [name for name, reason in missing.items() if reason is None]:
            missing = {name: reason for name, reason in missing.items() if reason is not None}
            missing |= await self._attempt(again)
        if FORK.name in missing or FORK.name not in self._records:
            missing |= {name: _BY_MARK for name, why in missing.items() if why is None and name != FORK.name}
        return ProbesProven(
            boot_ns(),
            proven=tuple(name for name in self._records if name not in missing),
            blind=tuple(name for name, reason in missing.items() if reason is None),
            untried=tuple((name, reason) for name, reason in missing.items() if reason is not None),
        )

    async def _attempt(self, names: Iterable[str]) -> Missing:
        """Makes the facts of these probes, and says whose records did not arrive."""
        names = list(names)
        if not names:
            return {}
        before = self._lost()
        self._reader.proofs.clear()
        missing = await self._make(names)
        is_drained = await self._empty_ring()
        lost = self._lost() - before
        for name in names:
            if self._records[name] <= self._reader.proofs:
                del missing[name]  # what arrived has been made, whatever was said of it
            elif missing[name] is None and not is_drained:
                missing[name] = "the ring was full to the end"
            elif missing[name] is None and lost[name]:
                missing[name] = f"{lost[name]} of its records were lost meanwhile"
        return missing

    async def _make(self, names: list[str]) -> Missing:
        """What the child could not make, with the reason; `None` for what it made."""
        try:
            child = Prover(names)
        except OSError as error:
            return dict.fromkeys(names, f"its process did not start: {error.strerror or error}")
        said: Missing = {}
        trouble, is_done = None, False
        try:
            async with asyncio.timeout(DEADLINE_S):
                if await child.receive() == READY:
                    self._kernel.expose(child.pid, start_of(child.pid))
                    child.send(b"\0".join(map(os.fsencode, self._places)))
                    while message := await child.receive():
                        name, _, reason = message.decode(errors="replace").partition(" ")
                        said[name] = reason or None
                is_done = True
        except TimeoutError:
            trouble = f"it took longer than {DEADLINE_S:.0f} s"
        except OSError as error:
            trouble = f"its process failed: {error.strerror or error}"
        finally:
            fate = await child.end(is_done=is_done)
        return {name: said.get(name, trouble or fate) for name in names}

    async def _empty_ring(self) -> bool:
        """Reads what is in the ring; whether it came to the end of it."""
        end = asyncio.get_running_loop().time() + DRAIN_S
        while self._drain():
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(0)
        return True

    def _lost(self) -> Counter[str]:
        """Records that did not go out since the programs were loaded, by probe; marks without room count for all."""
        lost = Counter(self._kernel.misses())
        counts = self._kernel.lost.read()
        kinds_end = max(registry.PROBE_OF_KIND) + 1
        for index, count in enumerate(counts):
            lost[registry.PROBE_OF_KIND.get(index % kinds_end, "unknown")] += count
        refused = sum(self._kernel.refusals.read())
        return lost + Counter(dict.fromkeys(self._records, refused))


class Prover:
    """The child program (probes/proof.py), and the socket over which it speaks."""

    def __init__(self, names: list[str]) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = start_child(_BOOT, [str(theirs.fileno()), " ".join(names)], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)  # noqa: FBT003
        self._socket = ours

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def send(self, message: bytes) -> None:
        """Hands a message over; `OSError` when the child is gone."""
        self._socket.send(message)

    async def receive(self) -> bytes:
        """The next message, empty when the child is gone."""
        return await asyncio.get_running_loop().sock_recv(self._socket, MESSAGE_BYTES)

    async def end(self, *, is_done: bool) -> str:
        """Ends the child, unless it is about to, and says how it ended, for a person."""
        self._socket.close()
        for number in (None, signal.SIGTERM, signal.SIGKILL)[not is_done :]:
            if number is not None:
                self._process.send_signal(number)
            if await self._is_gone():
                break
        else:
            # It sleeps in the kernel: init reaps it after us, and the destructor must not complain.
            self._process.returncode = -signal.SIGKILL
            return "its process hangs"
        code = self._process.returncode
        return f"its process ended with status {code}" if code >= 0 else f"its process ended by signal {-code}"

    async def _is_gone(self) -> bool:
        deadline = asyncio.get_running_loop().time() + END_S
        while self._process.poll() is None:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.002)
        return True
