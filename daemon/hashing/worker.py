"""The child program that sums files up, without rights, names or a network, in time that nobody else wants.

The scheduler runs it only when a processor would be idle (SCHED_IDLE, sched(7)), and the disk likewise where its
scheduler knows of that (ioprio_set(2)). But SCHED_IDLE is worth nothing against another session or control group, where
groups compete, not their members: the child got as much as anybody. So it looks at how long it had to wait for the
processor, and stays away for a multiple of that, which leaves it a twentieth. Less than that is not wanted either: who
keeps all processors busy must not keep a model from being known.
"""

import ctypes
import os
import time
from _socket import CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, socket
from sys import byteorder

from modelwarden.daemon.hashing.order import CHANGED, UNREADABLE, Order, done, progress
from modelwarden.daemon.hashing.quiet_file import QuietFile
from modelwarden.daemon.hashing.sha256 import PlainSum, ResumableSum, Sum, load
from modelwarden.daemon.sandbox import (
    INTERPRETER_CALLS,
    die_with_parent,
    drop_user,
    limit,
    load_filter,
    reading_only,
)

PIECE_BYTES = 256 << 10
REPORT_S = 2.0
REPORT_BYTES = 1 << 30
"""After so long, or so much, the daemon is told where the sum stands."""
LOOK_BYTES = 16 << 20
"""After so much it is looked at whether others want the processor: some 10 ms of it."""
NOTICED_NS = 1_000_000
STAY_AWAY = 9
STAY_AWAY_MAX_S = 0.25
MEMORY_BYTES = 256 << 20
CPU_S = 24 * 3600
"""For all the files of one child: terabytes, on the slowest processor."""
DESCRIPTORS = 16

CALLS = (
    "close", "clock_nanosleep", "fadvise64", "fstat", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "sendto",
    *INTERPRETER_CALLS,
)  # fmt: skip
"""All that it may ask of the kernel."""
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}
IOPRIO_WHO_PROCESS, IOPRIO_IDLE = 1, 3 << 13


def main(control_descriptor: int, channel_descriptor: int) -> None:
    """Lock the process down, say so, then sum up one descriptor for each order until the daemon is gone."""
    control, channel = socket(fileno=control_descriptor), socket(fileno=channel_descriptor)
    try:
        library = load()
        courtesy = Courtesy()
        lock_down()
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        control.send(f"the hashing program could not be locked down: {error}".encode()[:500])
        return
    control.send(b"ready")
    while message := control.recv(1024):
        order = Order.decode(message)
        _message, rights, _flags, _address = channel.recvmsg(64, CMSG_SPACE(4))
        for level, kind, data in rights:
            if level == SOL_SOCKET and kind == SCM_RIGHTS:
                descriptor = int.from_bytes(data[:4], byteorder)
                answer = serve(descriptor, order, _sum(library, order), control, courtesy)
                # Closed before the answer: where this hangs, the delay belongs to this file.
                os.close(descriptor)
                control.send(answer)


def lock_down() -> None:
    """All that the sandbox has, behind the last of everybody who wants the processor or the disk."""
    program = reading_only(CALLS)  # starts a process, which the limits forbid
    drop_user()
    die_with_parent()
    limit(memory_bytes=MEMORY_BYTES, cpu_s=CPU_S, descriptors=DESCRIPTORS)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    # Elsewhere the kernel takes the class of the disk from SCHED_IDLE (`task_nice_ioclass` in linux/ioprio.h).
    if number := IOPRIO_SET.get(os.uname().machine):
        ctypes.CDLL(None).syscall(ctypes.c_long(number), IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE)
    load_filter(program)


class Courtesy:
    """Stays away from a processor that others want: after having waited for it, nine times as long."""

    def __init__(self) -> None:
        try:
            self._statistics = os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:  # a kernel without it has SCHED_IDLE still
            self._statistics = -1
        self._waited_ns = self._so_far_ns()

    def give_way(self) -> None:
        """Sleeps, when it is time to."""
        waited_ns = self._so_far_ns()
        since_ns, self._waited_ns = waited_ns - self._waited_ns, waited_ns
        if since_ns >= NOTICED_NS:
            time.sleep(min(STAY_AWAY * since_ns / 1e9, STAY_AWAY_MAX_S))

    def _so_far_ns(self) -> int:
        if self._statistics < 0:
            return 0
        # Time on the processor, time waiting for it, slices (Documentation/scheduler/sched-stats.rst).
        return int(os.pread(self._statistics, 128, 0).split()[1])


def serve(descriptor: int, order: Order, total: Sum, control: socket, courtesy: Courtesy) -> bytes:
    """The last answer for one file; those in the middle are sent on the way."""
    try:
        return _sum_up(descriptor, order, total, control, courtesy)
    except OSError as error:
        return UNREADABLE + f" {error.strerror or 'it could not be read'}".encode()


def _sum(library: ctypes.CDLL | None, order: Order) -> Sum:
    if library is None:
        order.offset = 0
        return PlainSum()
    return ResumableSum(library, order.offset, order.midstate)


def _sum_up(descriptor: int, order: Order, total: Sum, control: socket, courtesy: Courtesy) -> bytes:
    room = memoryview(bytearray(PIECE_BYTES))
    file = QuietFile(descriptor)
    offset = reported = looked = order.offset
    due = time.monotonic() + REPORT_S
    while offset < order.size:
        count = file.read_into(room[: order.size - offset], offset)
        if not count:
            return CHANGED
        total.update(room[:count])
        offset += count
        if offset - looked >= LOOK_BYTES:
            looked = offset
            courtesy.give_way()
        if offset - reported >= REPORT_BYTES or time.monotonic() >= due:
            if not is_still(descriptor, order):
                return CHANGED
            control.send(progress(offset, total.midstate()))
            reported, due = offset, time.monotonic() + REPORT_S
    return done(total.digest()) if is_still(descriptor, order) else CHANGED


def is_still(descriptor: int, order: Order) -> bool:
    """Whether the file is in the state that was ordered."""
    try:
        found = os.fstat(descriptor)
    except OSError:  # a FUSE mount with allow_root lets nobody ask, while the descriptor can be read
        return True
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns) == (order.size, order.mtime_ns, order.ctime_ns)
