"""The sandbox: in a child that is really locked down, what it took away is really gone."""

import json
import os
import socket
import subprocess
import sys

import pytest
from tests.rights import AS_NOBODY

from modelwarden.daemon.sandbox import NOBODY, limit, reading_only

ATTEMPTS = """
import json, os, socket, sys, ctypes, mmap, signal
from modelwarden.daemon import sandbox
answer = socket.socket(fileno=int(sys.argv[1]))
passed = os.open("/etc/hostname", os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
program = sandbox.reading_only()
sandbox.drop_user()
sandbox.die_with_parent()
sandbox.limit(memory_bytes=256 << 20, cpu_s=5, descriptors=16)
sandbox.load_filter(program)

def attempt(action):
    try:
        result = action()
    except BaseException as error:
        return type(error).__name__
    return f"errno {ctypes.get_errno()}" if result == -1 else "done"

facts = {
    "open": attempt(lambda: os.open("/etc/passwd", os.O_RDONLY)),
    "create": attempt(lambda: os.open("/tmp/x", os.O_CREAT | os.O_WRONLY)),
    "stat": attempt(lambda: os.stat("/etc/passwd")),
    "list": attempt(lambda: os.listdir("/")),
    "link": attempt(lambda: os.readlink("/proc/self/exe")),
    "socket": attempt(lambda: socket.socket()),
    "pair": attempt(lambda: socket.socketpair()),
    "fork": attempt(lambda: os.fork()),
    "exec": attempt(lambda: os.execv("/bin/true", ["true"])),
    "kill": attempt(lambda: os.kill(os.getppid(), 0)),
    "write": attempt(lambda: os.write(passed, b"x")),
    "unlink": attempt(lambda: os.unlink("/tmp/x")),
    "ptrace": attempt(lambda: libc.ptrace(0, 0, 0, 0)),
    "mount": attempt(lambda: libc.mount(b"a", b"/mnt", b"tmpfs", 0, None)),
    "setuid": attempt(lambda: os.setuid(0)),
    "executable memory": attempt(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)),
    "limits": attempt(lambda: sandbox.limit(memory_bytes=1 << 40, cpu_s=5, descriptors=16)),
    "read": attempt(lambda: os.pread(passed, 4, 0)),
    "measure": attempt(lambda: os.fstat(passed)),
    "memory": attempt(lambda: bytearray(20 << 20)),
    "much memory": attempt(lambda: bytearray(400 << 20)),
}
answer.send(json.dumps(facts).encode())
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, str]:
    """What came of each attempt in a locked child."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        descriptor = theirs.fileno()
        subprocess.run([sys.executable, "-c", ATTEMPTS, str(descriptor)], pass_fds=[descriptor], check=True, timeout=20)
        found: dict[str, str] = json.loads(ours.recv(1 << 16))
    return found


@pytest.mark.parametrize(
    "attempt",
    [
        "open", "create", "stat", "list", "link", "socket", "pair", "fork", "exec", "kill", "write", "unlink",
        "setuid", "executable memory", "limits",
    ],
)  # fmt: skip
def test_refuses(facts: dict[str, str], attempt: str) -> None:
    """What a worker does not need is refused by the kernel, not by us."""
    assert facts[attempt] in {"PermissionError", "BlockingIOError"}


@pytest.mark.parametrize("attempt", ["ptrace", "mount"])
def test_refuses_raw_calls(facts: dict[str, str], attempt: str) -> None:
    """Calls that Python does not wrap are refused too."""
    assert facts[attempt] == "errno 1"


@pytest.mark.parametrize("attempt", ["read", "measure", "memory"])
def test_allows(facts: dict[str, str], attempt: str) -> None:
    """A descriptor that was passed can be read and measured."""
    assert facts[attempt] == "done"


def test_bounds_memory(facts: dict[str, str]) -> None:
    """Memory beyond the limit is an exception, not a swapping machine."""
    assert facts["much memory"] == "MemoryError"


def test_filter_is_a_program() -> None:
    """The filter is made of whole instructions, and libseccomp does not stay in this process."""
    program = reading_only()
    assert len(program) > 100
    assert len(program) % 8 == 0
    assert "pyseccomp" not in sys.modules


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to have rights that can be dropped")
def test_root_becomes_somebody_else() -> None:
    """User, groups and capabilities of root are gone, and the child ends with its parent."""
    code = (
        "from modelwarden.daemon.sandbox import *; drop_user(); die_with_parent();"
        "import json, sys; status = open('/proc/self/status').read().split(chr(10));"
        "print(json.dumps(dict(line.split(':', 1) for line in status if ':' in line)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=20)
    status = {key: value.split() for key, value in json.loads(done.stdout).items()}
    assert "0" not in status["Uid"] + status["Gid"]
    assert status["Groups"] == []
    assert {int(status[key][0], 16) for key in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == ["1"]


def test_nobody_has_nothing_to_drop() -> None:
    """Without root the user stays as it is."""
    code = "import os; from modelwarden.daemon.sandbox import drop_user; drop_user(); print(*os.getresuid())"
    done = subprocess.run(
        [*AS_NOBODY, sys.executable, "-c", code], check=True, capture_output=True, timeout=20, cwd="/"
    )
    assert done.stdout.split() == [str(NOBODY if AS_NOBODY else os.geteuid()).encode()] * 3


def test_limits_never_rise() -> None:
    """A limit that the administrator set lower stays lower."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9));"
        "from modelwarden.daemon.sandbox import limit; limit(memory_bytes=1 << 30, cpu_s=5, descriptors=16);"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=20)
    assert done.stdout == b"(9, 9)\n"
    assert limit.__doc__
    assert NOBODY == 65534
