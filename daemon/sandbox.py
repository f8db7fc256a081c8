"""Takes from a child process what it does not need, for good.

The order matters: changing the user clears the parent-death signal (`commit_creds` in the kernel's
`kernel/cred.c`), so the user goes first; the system calls that the steps need go last.
"""

import ctypes
import os
import resource
from collections.abc import Iterable

USER = "modelwarden"
NOBODY = 65534
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SIGKILL = 9
INSTRUCTION_BYTES = 8
PROT_EXEC = 4
AT_EMPTY_PATH = 0x1000

INTERPRETER_CALLS = (
    # memory, time and signals of the interpreter
    "brk", "clock_gettime", "futex", "getpid", "getrandom", "gettid", "madvise", "mremap", "munmap",
    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "exit", "exit_group",
)  # fmt: skip
"""What Python asks of the kernel whatever it runs."""
SYSTEM_CALLS = (
    # read passed descriptors, answer
    "close", "fstat", "lseek", "pread64", "read", "recvfrom", "recvmsg", "sendmsg", "sendto",
    *INTERPRETER_CALLS,
)  # fmt: skip
"""All that a worker may ask of the kernel: no name is ever resolved, nothing is created, sent out or started."""


def limit(*, memory_bytes: int, cpu_s: int, descriptors: int) -> None:
    """Bound what the process may use; it can write no file, start no process and leave no core."""
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_NOFILE, descriptors),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


def drop_user() -> None:
    """Become the service's own user, else nobody. Without root there is nothing to drop."""
    if os.geteuid() != 0:
        return
    user, group = _account()
    os.setgroups(())
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def die_with_parent() -> None:
    """End when the daemon does; gain no rights; let no process of the same user look inside."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_PDEATHSIG, SIGKILL)
    _prctl(PR_SET_DUMPABLE, 0)


def reading_only(calls: Iterable[str] = SYSTEM_CALLS) -> bytes:
    """A filter program that refuses every system call but these, with EPERM.

    It is compiled in a child that ends: libseccomp and what finding it drags in would stay in memory
    (1.3 MB). Raises `OSError` where that fails; the caller must not go on without.
    """
    source, sink = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _compile(sink, calls)
            status = 0
        finally:
            os._exit(status)
    os.close(sink)
    with os.fdopen(source, "rb") as stream:
        program = stream.read()
    if os.waitpid(child, 0)[1] != 0 or not program or len(program) % INSTRUCTION_BYTES:
        raise OSError("libseccomp made no filter; install pyseccomp and libseccomp2")
    return program


def load_filter(program: bytes) -> None:
    """Put a filter program in force, for good. Needs no root, only no-new-privileges."""
    code = ctypes.create_string_buffer(program, len(program))
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(_Program(len(program) // INSTRUCTION_BYTES, code)))


class _Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    def __init__(self, length: int, code: ctypes.Array[ctypes.c_char]) -> None:
        super().__init__(length, ctypes.cast(code, ctypes.c_void_p))


def _prctl(option: int, value: int, third: object = None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(value), zero if third is None else third, zero, zero) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _compile(sink: int, calls: Iterable[str]) -> None:
    import pyseccomp  # noqa: PLC0415  (only the child that compiles may pay for it)

    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(1))
    for name in calls:
        rules.add_rule(pyseccomp.ALLOW, name)
    # The C library's fstat: a stat of the descriptor itself. A filter cannot see that the path is empty,
    # but without an open the sizes and times of other files are all there is to learn.
    rules.add_rule(pyseccomp.ALLOW, "newfstatat", pyseccomp.Arg(3, pyseccomp.EQ, AT_EMPTY_PATH))
    for name in ("mmap", "mprotect"):
        rules.add_rule(pyseccomp.ALLOW, name, pyseccomp.Arg(2, pyseccomp.MASKED_EQ, PROT_EXEC, 0))
    with os.fdopen(sink, "wb") as stream:
        rules.export_bpf(stream)


def _account() -> tuple[int, int]:
    """The user's numbers from /etc/passwd itself: name services may ask the network, and load libraries."""
    try:
        with open("/etc/passwd", "rb") as accounts:  # noqa: PTH123  (pathlib would double the child's modules)
            for line in accounts:
                fields = line.split(b":")
                if fields[0] == USER.encode() and len(fields) > 3:
                    return int(fields[2]), int(fields[3])
    except (OSError, ValueError):
        pass
    return NOBODY, NOBODY
