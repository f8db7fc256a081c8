"""Where a process lives, by its cgroup."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cgroups import ID, OTHER, POD, USER

from modelwarden.daemon.identify.containers.engine import Container, Engine
from modelwarden.daemon.identify.containers.reading.placement import Placement, application_of_path, place
from modelwarden.probes.discover import discover

ALL = cast("tuple[Engine, ...]", discover("modelwarden.daemon.identify.containers", "ENGINE", skip=("engine",)))
DOCKER = Container("docker", ID)


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("/system.slice/ollama.service", "ollama.service"),
        ("/system.slice/system-ollama.slice/ollama@a\\x2db.service/sub", "ollama@a-b.service"),
        ("/ai.slice/ai-gpu.slice/vllm.service/worker", "vllm.service"),
        ("/system.slice/app-worker.service", "app-worker.service"),
        ("/system.slice/snap.ollama.listener.service", "snap.ollama.listener.service"),
        ("/system.slice/run-u12.service", None),
        ("/system.slice/run-r0123456789abcdef.scope", None),
        ("/init.scope", None),
        ("/system.slice", None),
        ("/", None),
        ("", None),
    ],
)
def test_names_the_system_s_unit(cgroup: str, unit: str | None) -> None:
    """The unit behind the slices, unless systemd made its name up."""
    placement = place(cgroup, ALL)
    assert (placement.unit, placement.user_unit, placement.owner_uid) == (unit, False, None)


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        (f"{USER}/app.slice/ollama.service", "ollama.service"),
        (f"{USER}/app.slice/app-ai.slice/ollama.service/x", "ollama.service"),
        (f"{USER}/app.slice/run-u12.service", None),
        (f"{USER}/init.scope", None),
        ("/user.slice/user-1000.slice/session-3.scope", None),
        ("/user.slice/user-1000.slice", None),
    ],
)
def test_names_the_user_s_unit(cgroup: str, unit: str | None) -> None:
    """A user's manager has units too; a session is none."""
    placement = place(cgroup, ALL)
    assert (placement.unit, placement.user_unit, placement.owner_uid) == (unit, unit is not None, 1000)


@pytest.mark.parametrize(
    ("cgroup", "application"),
    [
        (f"{USER}/app.slice/app-flatpak-org.gnome.Builder-1234.scope", "flatpak:org.gnome.Builder"),
        (f"{USER}/app.slice/snap.firefox.firefox-0b1c2d3e-0000-1111-2222-333344445555.scope", "snap:firefox"),
        ("/system.slice/snap.ollama.listener.service", "snap:ollama"),
        (f"{USER}/app.slice/app-gnome-code-1234.scope", "desktop:code"),
        (f"{USER}/app.slice/app-code@0123456789abcdef.service", "desktop:code"),
        (f"{USER}/app.slice/app-org.kde.konsole-4321.scope", "desktop:org.kde.konsole"),
        (f"{USER}/app.slice/app-gnome-visual\\x2dstudio-77.scope/tab", "desktop:visual-studio"),
        (f"{USER}/app.slice/app-jan@autostart.service", "desktop:jan"),
        ("/system.slice/app-code@1.service", None),
        (f"{USER}/app.slice/app.service", None),
        ("/system.slice/ollama.service", None),
    ],
)
def test_names_the_application(cgroup: str, application: str | None) -> None:
    """As the desktop started it, without what tells one start from the next."""
    placement = place(cgroup, ALL)
    assert placement.application == application
    assert placement.unit is None or application is None or application.startswith("snap:")


@pytest.mark.parametrize(
    ("cgroup", "placement"),
    [
        (f"/system.slice/docker-{ID}.scope", Placement(container=DOCKER)),
        (f"/docker/{OTHER}/docker/{ID}", Placement(container=DOCKER)),
        (f"/lxc.payload.web/system.slice/docker-{ID}.scope", Placement(container=DOCKER)),
        (f"/kubepods/besteffort/{POD}/{OTHER}/docker/{ID}", Placement(container=DOCKER)),
        (f"/docker/{OTHER}/kubelet/kubepods/{POD}/{ID}", Placement(container=Container("containerd", ID))),
        (f"/docker/{ID}/system.slice/ollama.service", Placement("ollama.service", container=DOCKER)),
        (
            f"/system.slice/ollama.service/libpod-payload-{ID}",
            Placement("ollama.service", container=Container("podman", ID)),
        ),
        (
            f"{USER}/user.slice/libpod-{ID}.scope/container",
            Placement(owner_uid=1000, container=Container("podman", ID)),
        ),
        (
            f"/docker/{ID}/user.slice/user-7.slice/user@7.service/app.slice/x.service",
            Placement("x.service", user_unit=True, container=DOCKER),
        ),
        (
            f"/docker/{ID}/user.slice/user-7.slice/user@7.service/app.slice/app-code@1.service",
            Placement(container=DOCKER),
        ),
    ],
)
def test_the_innermost_container_counts(cgroup: str, placement: Placement) -> None:
    """Whichever engine's it is; users inside of it are not those of the host, and its own scope is no unit."""
    assert place(cgroup, ALL) == placement


def test_a_user_s_claim_is_his() -> None:
    """Below his own manager a user gives any name; the owner says so."""
    claimed = place(f"{USER}/app.slice/system.slice/docker-{ID}.scope", ALL)
    assert (claimed.container, claimed.owner_uid) == (DOCKER, 1000)
    assert place(f"{USER}/user.slice/user-0.slice/user@0.service/ollama.service", ALL).owner_uid == 1000


@pytest.mark.parametrize(
    ("path", "application"),
    [
        ("/tmp/.mount_LM-StuAbCdEf/lm-studio", "appimage:LM-Stu"),
        ("/tmp/.mount_JanAbCdEf/usr/bin/Jan", "appimage:Jan"),
        ("/run/user/1000/.mount_JanAbCdEf/Jan", "appimage:Jan"),
        ("/tmp/.mount_Jan", None),
        ("/usr/bin/python3", None),
    ],
)
def test_names_a_mounted_image(path: str, application: str | None) -> None:
    """The six letters that are left of its name."""
    assert application_of_path(path) == application


@given(
    st.lists(
        st.sampled_from(
            ["docker", ID, "user@1.service", "user-99999999999.slice", "a.service", "app--.scope", "\udc80"]
        )
    )
)
def test_any_path_has_a_place(names: list[str]) -> None:
    """No cgroup makes it fail."""
    assert isinstance(place("/" + "/".join(names), ALL), Placement)


def test_giant_paths_are_borne() -> None:
    """A path as long as the kernel allows, of names that nearly fit."""
    assert place(f"/docker-{ID}.scop" * 50 + f"/docker-{ID}.scope" * 50, ALL).container == DOCKER
    assert place(f"{USER}/app-" + "-" * 4000 + ".scope", ALL) == Placement(owner_uid=1000)
