"""What programs show of themselves: libraries that they load, the places that they live in."""

import pytest
from tests.conversation import Conversation
from tests.kit import MODEL, PID, executed, file_found, forked, is_model, mapped, of, opened, process_found
from tests.runtimes import Boxes, Library, Server, group_found

from modelwarden.daemon.command import DescribeContainer, WatchProcess
from modelwarden.daemon.documents import workload_document
from modelwarden.daemon.event import ContainerDescribed
from modelwarden.daemon.identify.containers.engine import Container, Description
from modelwarden.daemon.model.programs import LIBRARIES_MAX
from modelwarden.probes.candidate import Candidate
from modelwarden.probes.event import Event

LIBRARY = "/usr/lib/libtorch_cpu.so"
BOX = Container("box", "0123456789abcdef")


@pytest.fixture
def talk() -> Conversation:
    """A core that knows a server, a library and an engine."""
    return Conversation(runtimes=(Library(), Server()), engines=(Boxes(),))


def loads(path: str = LIBRARY, pid: int = PID) -> Event:
    """A process opens a library."""
    return opened(path, pid, reasons=int(Candidate.LIBRARY))


def test_a_library_alone_is_no_workload(talk: Conversation) -> None:
    """Any script may import one."""
    talk.tell(executed(), loads())

    assert talk.world.workloads.all() == []
    assert talk.process().libraries == {"libtorch_cpu.so"}


@pytest.mark.parametrize("order", [1, -1])
def test_a_library_tells_the_runtime(talk: Conversation, order: int) -> None:
    """Whether it is loaded before the weights or behind them."""
    talk.tell(executed())
    reads = (opened(), is_model())
    for event in (loads(), *reads)[::order] if order > 0 else (*reads, loads()):
        talk.tell(event)

    assert talk.workload.runtime == "torch"
    assert "runtime: libtorch_cpu.so loaded" in talk.workload.why


def test_a_runtime_that_loads_its_library_is_a_workload(talk: Conversation) -> None:
    """Two signs together need no weights: a server that waits for its first question."""
    talk.tell(executed(path="/usr/bin/server", arguments=("server", "serve")))

    commands = talk.tell(loads("/opt/libserver.so.1"))

    assert talk.workload.runtime == "server"
    assert [one.watched for one in of(WatchProcess, commands)] == [True]


def test_the_whole_name_decides(talk: Conversation) -> None:
    """The kernel compares eight characters; what only begins alike is nothing."""
    talk.tell(executed(), loads("/usr/lib/libtorch_other.so"))

    assert talk.process().libraries == frozenset()


@pytest.mark.parametrize("how", ["mapped", "found"])
def test_other_ways_to_a_library(talk: Conversation, how: str) -> None:
    """By a descriptor of another process, or before we were there."""
    reasons = int(Candidate.LIBRARY)
    if how == "mapped":
        talk.tell(executed(), mapped(LIBRARY, reasons=reasons))
    else:
        talk.tell(process_found(), file_found(LIBRARY, mapped=True, reasons=reasons))

    assert talk.process().libraries == {"libtorch_cpu.so"}


def test_children_have_the_libraries_of_their_parent_until_they_become_another_program(talk: Conversation) -> None:
    """A fork shares its parent's memory, a new program starts with none."""
    talk.tell(executed(), loads(), forked(child=PID + 1))
    assert talk.process(PID + 1).libraries == {"libtorch_cpu.so"}

    talk.tell(executed(PID + 1))
    assert talk.process(PID + 1).libraries == frozenset()


def test_libraries_are_bounded(talk: Conversation) -> None:
    """A program that opens a thousand files of such names costs no more than one that is honest."""
    talk.tell(executed(), *(loads(f"/l/libtorch_cpu.so.{number}") for number in range(1000)))

    assert len(talk.process().libraries) == LIBRARIES_MAX


# ---- places ----------------------------------------------------------------------------------------------------------


def test_unit_and_session(talk: Conversation) -> None:
    """The workload says in which unit, or in which session, its first process lives."""
    talk.tell(group_found(7, "/system.slice/llama.service"), executed(cgroup=7), opened(cgroup=7), is_model())
    document = workload_document(talk.workload, talk.world)
    assert (document["unit"], document["session"]) == ("llama.service", None)

    talk = Conversation()
    place = "/user.slice/user-1000.slice/session-3.scope"
    talk.tell(group_found(8, place), executed(cgroup=8), opened(cgroup=8), is_model())
    assert workload_document(talk.workload, talk.world)["session"] == "3"


def test_two_services_of_one_program_are_two_workloads(talk: Conversation) -> None:
    """Instances of a template differ in their unit only."""
    for pid, unit in enumerate(("llama@7b.service", "llama@70b.service"), start=10):
        talk.tell(group_found(pid, f"/system.slice/{unit}"), executed(pid, cgroup=pid))
        talk.tell(opened(pid=pid, cgroup=pid), is_model())

    assert len(talk.world.workloads.all()) == 2


def test_a_container_is_one_workload(talk: Conversation) -> None:
    """Whatever programs of whatever users in it have read weights."""
    talk.tell(group_found(7, f"/box/{BOX.id}"))
    for pid in (10, 11):
        talk.tell(executed(pid, f"/bin/{pid}", cgroup=7, uid=pid), opened(pid=pid, cgroup=7, uid=pid), is_model())

    assert len(talk.workload.living) == 2
    assert workload_document(talk.workload, talk.world)["container"] == f"box:{BOX.id[:12]}"


def test_a_container_below_a_workload_is_a_thing_of_its_own(talk: Conversation) -> None:
    """The engine's command may be the ancestor of what it starts."""
    talk.tell(executed(10), opened(pid=10), is_model())
    talk.tell(group_found(7, f"/box/{BOX.id}"), forked(10, child=11), executed(11, cgroup=7, parent_pid=10))

    talk.tell(opened("/m/b.gguf", 11, cgroup=7), is_model("/m/b.gguf"))

    assert len(talk.world.workloads.all()) == 2


def test_name_and_image_are_asked_for_once(talk: Conversation) -> None:
    """And shown when they are known."""
    talk.tell(group_found(7, f"/box/{BOX.id}"), executed(cgroup=7))
    asked = talk.tell(opened(cgroup=7), is_model(), opened(MODEL, PID, cgroup=7))
    assert of(DescribeContainer, asked) == [DescribeContainer(BOX, 0)]

    talk.tell(ContainerDescribed(1, BOX, 0, Description("llama", "example/llama:1")))

    document = workload_document(talk.workload, talk.world)
    assert (document["container"], document["container_image"]) == ("box:llama", "example/llama:1")
    assert talk.workload.id in talk.world.changed_workloads


def test_a_cgroup_that_a_user_names_after_a_container_is_not_it(talk: Conversation) -> None:
    """Neither its workload nor its name: below his own manager a user calls cgroups what he likes."""
    talk.tell(group_found(7, f"/user.slice/user-1000.slice/user@1000.service/box/{BOX.id}"))
    talk.tell(executed(10, cgroup=7), opened(pid=10, cgroup=7), is_model())
    talk.tell(ContainerDescribed(1, BOX, 1000, Description("false")))

    talk.tell(group_found(8, f"/box/{BOX.id}"), executed(11, "/bin/other", cgroup=8))
    asked = talk.tell(opened("/m/b.gguf", 11, cgroup=8), is_model("/m/b.gguf"))
    talk.tell(ContainerDescribed(1, BOX, 0, Description("true")))

    assert of(DescribeContainer, asked) == [DescribeContainer(BOX, 0)]
    names = {workload_document(one, talk.world)["container"] for one in talk.world.workloads.all()}
    assert names == {"box:false", "box:true"}


def test_namespaces(talk: Conversation) -> None:
    """By the numbers that /proc/PID/ns shows."""
    talk.tell(executed(mount_ns=5, pid_ns=6), opened(mount_ns=5, pid_ns=6), is_model())

    assert workload_document(talk.workload, talk.world)["namespaces"] == {"mount": 5, "pid": 6}
