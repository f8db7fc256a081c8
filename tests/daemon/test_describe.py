"""The describer: an answer for each container, whatever the engine's files or their owners do."""

import asyncio
import json
import os
import pwd
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.cgroups import ID, OTHER

from modelwarden.daemon.command import DescribeContainer
from modelwarden.daemon.describe import UNKNOWN, Describer, understood
from modelwarden.daemon.event import ContainerDescribed
from modelwarden.daemon.identify.containers.engine import Container, Description

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="opens the files of several users")]

SOON_S = 15
USER = pwd.getpwnam("nobody")
CHAT = Description("chat", "ollama/ollama:0.33")
DOCKER = DescribeContainer(Container("docker", ID), 0)
PODMAN = DescribeContainer(Container("podman", ID), USER.pw_uid)
RECORD = json.dumps({"Name": "/chat", "Config": {"Image": "ollama/ollama:0.33"}}).encode()
LIST = json.dumps(
    [{"id": ID, "names": ["chat"], "metadata": json.dumps({"image-name": "ollama/ollama:0.33"})}]
).encode()


class Desk:
    """A describer at work on files below a folder."""

    def __init__(self, root: Path, **options: int) -> None:
        self.answers: asyncio.Queue[ContainerDescribed] = asyncio.Queue()
        self.pids: list[int] = []
        self.stops_children = False
        self.describer = Describer(
            self.answers.put_nowait,
            time.monotonic_ns,
            register=self._note,
            root=str(root),
            **options,
        )

    def _note(self, pid: int) -> None:
        self.pids.append(pid)
        if self.stops_children:
            os.kill(pid, signal.SIGSTOP)

    async def ask(self, command: DescribeContainer) -> Description:
        """Submit, wait for the answer."""
        self.describer.submit(command)
        async with asyncio.timeout(SOON_S):
            event = await self.answers.get()
        assert event.container == command.container
        assert event.at > 0
        return event.description


def at_work(root: Path, scenario: Callable[[Desk], Awaitable[None]], **options: int) -> Desk:
    """Run a scenario; nothing of it is left behind."""

    async def run() -> Desk:
        desk = Desk(root, **options)
        try:
            await scenario(desk)
        finally:
            await desk.describer.close()
        return desk

    return asyncio.run(run())


def said(root: Path, command: DescribeContainer) -> Description:
    """The answer to one question."""
    answers: list[Description] = []

    async def scenario(desk: Desk) -> None:
        answers.append(await desk.ask(command))

    at_work(root, scenario)
    return answers[0]


def write(root: Path, path: str, content: bytes, uid: int = 0) -> Path:
    """A document at its place below the root, its folders root's down to where the user's begin."""
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    if uid:
        for one in (target, *target.parents):
            if one == root:
                break
            os.chown(one, uid, uid)
    return target


def record(root: Path, content: bytes = RECORD) -> Path:
    """Docker's record of the container."""
    return write(root, f"/var/lib/docker/containers/{ID}/config.v2.json", content)


def storage(root: Path, content: bytes = LIST, uid: int = USER.pw_uid) -> Path:
    """The user's list of containers."""
    return write(
        root, f"{USER.pw_dir}/.local/share/containers/storage/overlay-containers/containers.json", content, uid
    )


def test_describes_a_container_of_the_system(tmp_path: Path) -> None:
    """Docker's record is found and read by the locked child."""
    record(tmp_path)
    assert said(tmp_path, DOCKER) == CHAT


def test_describes_a_container_of_a_user(tmp_path: Path) -> None:
    """Podman's list in the user's home is found and read."""
    storage(tmp_path)
    assert said(tmp_path, PODMAN) == CHAT


def test_looks_at_the_next_document(tmp_path: Path) -> None:
    """What the first list does not have stands in the one of the user's session."""
    storage(tmp_path, b"[]")
    write(
        tmp_path, f"/run/user/{USER.pw_uid}/containers/overlay-containers/volatile-containers.json", LIST, USER.pw_uid
    )
    assert said(tmp_path, PODMAN) == CHAT


@pytest.mark.parametrize(
    "command",
    [
        DOCKER,
        PODMAN,
        DescribeContainer(Container("docker", "../../etc"), 0),
        DescribeContainer(Container("docker", "\ud800\0"), 0),
        DescribeContainer(Container("unheard of", ID), 0),
        DescribeContainer(Container("podman", ID), 4_000_000_000),
        DescribeContainer(Container("docker", "i" * 100_000), 0),
    ],
)
def test_answers_though_nothing_is_known(tmp_path: Path, command: DescribeContainer) -> None:
    """No file, no such engine, no such user, no such identifier: an answer without content."""
    assert said(tmp_path, command) == UNKNOWN


def test_a_user_s_cgroup_is_not_described_by_root_s_files(tmp_path: Path) -> None:
    """Anybody can call a cgroup of his own after another's container."""
    record(tmp_path)
    assert said(tmp_path, DescribeContainer(DOCKER.container, USER.pw_uid)) == UNKNOWN


@pytest.mark.parametrize("part", ["file", "folder"])
def test_root_s_documents_are_root_s(tmp_path: Path, part: str) -> None:
    """A file or a folder on the way that another owns is not believed."""
    path = record(tmp_path)
    os.chown(path if part == "file" else path.parent.parent, 1234, 0)
    assert said(tmp_path, DOCKER) == UNKNOWN


def test_a_folder_for_everybody_is_not_root_s(tmp_path: Path) -> None:
    """Where all may write, owners prove little."""
    record(tmp_path).parent.parent.chmod(0o1777)
    assert said(tmp_path, DOCKER) == UNKNOWN


@pytest.mark.parametrize("owner", [0, 1234])
def test_a_user_s_documents_are_his(tmp_path: Path, owner: int) -> None:
    """A hard link to another's file, root's above all, is not read for him."""
    os.chown(storage(tmp_path), owner, owner)
    assert said(tmp_path, PODMAN) == UNKNOWN


@pytest.mark.parametrize("what", ["file", "folder", "fifo", "large"])
def test_only_plain_files_on_plain_ways_are_opened(tmp_path: Path, what: str) -> None:
    """Links, also to the right file, pipes, and what is too large are left alone."""
    path = storage(tmp_path)
    aside = tmp_path / "aside"
    match what:
        case "file":
            path.rename(aside)
            path.symlink_to(aside)
        case "folder":
            path.parent.rename(aside)
            path.parent.symlink_to(aside)
        case "fifo":
            path.unlink()
            os.mkfifo(path)
            os.chown(path, USER.pw_uid, USER.pw_uid)
        case "large":
            path.write_bytes(LIST + b" " * (8 << 20))
    assert said(tmp_path, PODMAN) == UNKNOWN


@pytest.mark.parametrize(
    "content",
    [
        b"[" * (8 << 20),
        b'{"a":' * (1 << 20),
        b"[" + b"{}," * (2 << 20) + b"{}]",
        b'[{"id":"' + ID.encode() + b'","names":["' + b"n" * (7 << 20) + b'"]}]',
        b"\0" * (8 << 20),
    ],
    ids=["lists", "objects", "entries", "a name", "nothing"],
)
def test_lies_are_borne(tmp_path: Path, content: bytes) -> None:
    """Depth, number and length cost the child little, and the daemon nothing; the next question is answered."""
    storage(tmp_path, content)
    record(tmp_path)

    async def scenario(desk: Desk) -> None:
        found = await desk.ask(PODMAN)
        assert found in {UNKNOWN, Description("n" * 200)}
        assert await desk.ask(DOCKER) == CHAT

    at_work(tmp_path, scenario)


def test_one_child_for_each_question(tmp_path: Path) -> None:
    """Children are known before they open anything, come one after the other, and are gone afterwards."""
    record(tmp_path)

    async def scenario(desk: Desk) -> None:
        for number in range(3):
            desk.describer.submit(DescribeContainer(Container("docker", str(number)), 0))
        desk.describer.submit(DescribeContainer(Container("docker", "0"), 0))
        async with asyncio.timeout(SOON_S):
            assert [(await desk.answers.get()).container.id for _ in range(3)] == ["0", "1", "2"]
        assert await desk.ask(DOCKER) == CHAT
        assert len(desk.pids) == 4
        assert desk.answers.empty()

    desk = at_work(tmp_path, scenario)
    assert not any(Path(f"/proc/{pid}").exists() for pid in desk.pids)


def test_a_full_queue_says_so(tmp_path: Path) -> None:
    """What has no room is counted, and answered with nothing known; what waits already takes none."""

    async def scenario(desk: Desk) -> None:
        for number in (0, 1, 1, 2):
            desk.describer.submit(DescribeContainer(Container("docker", str(number)), 0))
        async with asyncio.timeout(SOON_S):
            assert (await desk.answers.get()).container.id == "2"
        assert desk.describer.dropped == 1

    at_work(tmp_path, scenario, queue_limit=2)


def test_a_child_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A deadline ends it, and the next question has its own child."""
    record(tmp_path)

    async def scenario(desk: Desk) -> None:
        desk.stops_children = True
        assert await desk.ask(DOCKER) == UNKNOWN
        desk.stops_children = False
        assert await desk.ask(DOCKER) == CHAT

    desk = at_work(tmp_path, scenario, deadline_s=3)
    assert not any(Path(f"/proc/{pid}").exists() for pid in desk.pids)


def test_closing_does_not_wait(tmp_path: Path) -> None:
    """A question that is under way is ended and not answered."""
    record(tmp_path)

    async def scenario(desk: Desk) -> None:
        desk.stops_children = True
        desk.describer.submit(DOCKER)
        await asyncio.sleep(0.05)
        await desk.describer.close()
        desk.describer.submit(DescribeContainer(Container("docker", OTHER), 0))
        await asyncio.sleep(0.05)
        assert desk.answers.empty()
        assert len(desk.pids) == 1

    desk = at_work(tmp_path, scenario)
    assert not any(Path(f"/proc/{pid}").exists() for pid in desk.pids)


@pytest.mark.parametrize("message", [b"", b"null", b"{", b"\xff", b'{"name":1}', b"[" * 16_000])
def test_nonsense_says_nothing(message: bytes) -> None:
    """The child is not trusted to keep the shape of an answer."""
    assert understood(message) == UNKNOWN


def test_answers_are_cut() -> None:
    """Nor to keep its length."""
    assert understood(json.dumps({"name": "n" * 9999, "image": "", "more": [1]}).encode()) == Description("n" * 200)
