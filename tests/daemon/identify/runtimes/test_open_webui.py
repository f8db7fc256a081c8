"""Open WebUI: its command, or uvicorn with its application."""

import pytest
from tests.programs import found, native, python

from modelwarden.daemon.identify.runtimes.open_webui import RUNTIME
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("lineage", "head", "strength"),
    [
        ((python("/x/bin/open-webui serve"),), 0, 1),
        ((python("-m uvicorn open_webui.main:app --host 0.0.0.0 --port 8080"),), 0, 1),
        (
            (
                python(
                    "/x/bin/uvicorn open_webui.main:app", "libtorch_cpu.so", image="ghcr.io/open-webui/open-webui:main"
                ),
            ),
            0,
            2,
        ),
    ],
)
def test_knows_its_own(lineage: tuple[Program, ...], head: int, strength: int) -> None:
    """Each shape is recognised, with the first process of the family and as strongly as its signs are."""
    assert found(RUNTIME, *lineage) == (head, strength)


@pytest.mark.parametrize(
    "lineage",
    [
        (python("-m uvicorn other.main:app --port 8080"),),
        (python("/x/bin/uvicorn app:app", "libtorch_cpu.so"),),
        (native("/tmp/open-webui", "100"),),
    ],
)
def test_leaves_others_alone(lineage: tuple[Program, ...]) -> None:
    """What only resembles it is not taken for it."""
    assert found(RUNTIME, *lineage) is None
