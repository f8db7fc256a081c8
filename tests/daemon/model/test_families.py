"""Which runtime a process belongs to, and which process is the first of what a person calls one thing."""

import pytest
from tests.conversation import Conversation
from tests.kit import MODEL, PID, START, executed, exited, forked, is_model, opened
from tests.runtimes import Library, Server

SERVER, RUNNER = "/usr/bin/server", "/usr/lib/server/runner"


@pytest.fixture
def talk() -> Conversation:
    """A core that knows a server with its runners, and a library."""
    return Conversation(runtimes=(Library(), Server()))


def start(talk: Conversation, pid: int, path: str, *arguments: str, parent: int = 1) -> None:
    """A process begins as a child of another one."""
    talk.tell(forked(parent, child=pid), executed(pid, path, (path.rpartition("/")[2], *arguments), parent_pid=parent))


def read(talk: Conversation, pid: int, path: str = MODEL) -> None:
    """A process reads a model."""
    talk.tell(opened(path, pid), is_model(path))


def test_a_runner_and_its_server_are_one_workload(talk: Conversation) -> None:
    """Given that only the runner has read weights, then the workload is the server's, with both in it."""
    start(talk, 10, SERVER, "serve")
    start(talk, 11, RUNNER, "--port", "1", parent=10)

    read(talk, 11)

    assert (talk.workload.exe, talk.workload.runtime) == (SERVER, "server")
    assert sorted(one.pid for one in talk.workload.living.values()) == [10, 11]


def test_the_server_reads_later(talk: Conversation) -> None:
    """It is the same workload then, whoever reads first."""
    start(talk, 10, SERVER, "serve")
    start(talk, 11, RUNNER, parent=10)
    read(talk, 11)

    read(talk, 10, "/m/b.gguf")

    assert len(talk.workload.models) == 2


def test_next_runner_of_the_same_server(talk: Conversation) -> None:
    """A runner ends when it is idle; the next one belongs to the same workload."""
    start(talk, 10, SERVER, "serve")
    for pid in (11, 12):
        start(talk, pid, RUNNER, parent=10)
        read(talk, pid)
        talk.tell(exited(pid))

    assert talk.workload.running


def test_workers_of_a_script_are_one_workload(talk: Conversation) -> None:
    """Given workers that were forked, or started anew by multiprocessing, then the script is the workload."""
    python = "/usr/bin/python3.11"
    start(talk, 10, python, "train.py")
    talk.tell(forked(10, child=11))
    start(talk, 12, python, "-c", "from multiprocessing.spawn import spawn_main; spawn_main()", parent=10)

    for pid in (11, 12, 10):
        read(talk, pid)

    assert sorted(one.pid for one in talk.workload.living.values()) == [10, 11, 12]


def test_two_scripts_from_one_shell_are_two(talk: Conversation) -> None:
    """A parent that has read nothing and runs another program joins nothing."""
    start(talk, 10, "/bin/bash")
    for pid, script in ((11, "a.py"), (12, "b.py")):
        start(talk, pid, "/usr/bin/python3.11", script, parent=10)
        read(talk, pid)

    assert len(talk.world.workloads.all()) == 2


def test_another_runtime_below_a_workload_is_a_thing_of_its_own(talk: Conversation) -> None:
    """An editor that has read a small model of its own, and a server that somebody started in its terminal."""
    talk = Conversation(runtimes=(Server(), Server("editor", "editor", ())))
    start(talk, 10, "/usr/bin/editor", "serve")
    read(talk, 10)
    start(talk, 11, SERVER, "serve", parent=10)

    read(talk, 11, "/m/b.gguf")

    assert sorted(one.runtime or "" for one in talk.world.workloads.all()) == ["editor", "server"]


def test_an_unknown_program_is_called_by_its_executable(talk: Conversation) -> None:
    """Unknown is an answer."""
    start(talk, 10, "/opt/thing")

    read(talk, 10)

    assert (talk.workload.exe, talk.workload.runtime) == ("/opt/thing", None)


def test_a_name_alone_is_no_runtime(talk: Conversation) -> None:
    """A program that only calls itself so is an unknown one."""
    start(talk, 10, SERVER, "sleep")

    read(talk, 10)

    assert talk.workload.runtime is None


def test_says_why(talk: Conversation) -> None:
    """The runtime's evidence is among the reasons."""
    start(talk, 10, SERVER, "serve")

    read(talk, 10)

    assert "runtime: server of server" in talk.workload.why


def test_another_program_is_asked_about_anew(talk: Conversation) -> None:
    """What was known of a process ends with its program."""
    start(talk, PID, "/bin/sh")
    families, process = talk.world.families, talk.process(PID, START)
    assert families.of(process) is None

    talk.tell(executed(PID, SERVER, ("server", "serve")))

    family = families.of(process)
    assert family is not None
    assert family.runtime == "server"
