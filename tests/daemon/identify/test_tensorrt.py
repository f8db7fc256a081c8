"""TensorRT engines, of which nothing but the first numbers is known."""

import json
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.sniffer import Identity
from modelwarden.daemon.identify.tensorrt import FORMAT


def identify(data: bytes) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def engine(
    *,
    tag: bytes = b"ftrt",
    header: int = 0,
    serial: int = 239,
    size: int = 500,
    release: tuple[int, int, int, int] = (10, 3, 0, 26),
) -> bytes:
    """An engine of the current header, with 500 bytes behind it."""
    return pack("<4s3IQ4B", tag, header, serial, 0, size, *release) + bytes(496)


def ultralytics(said: object, rest: bytes) -> bytes:
    """What Ultralytics writes: the length of some JSON, the JSON, the engine."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return pack("<I", len(text)) + text + rest


def test_knows_an_engine() -> None:
    """There is nothing in it that names the model."""
    assert identify(engine()) == Identity("tensorrt")


def test_knows_the_older_headers() -> None:
    """TensorRT 7 had the size four bytes earlier; before that there was another tag."""
    older = pack("<4s2IQI", b"ptrt", 0x61, 0, 300, 0) + bytes(300)
    assert identify(older) == Identity("tensorrt")


def test_reads_what_ultralytics_puts_in_front() -> None:
    """A description and a licence, as its exporter writes them."""
    said = {"description": "Ultralytics YOLO11n model", "license": "AGPL-3.0 License", "names": {"0": "person"}}
    assert identify(ultralytics(said, engine())) == Identity(
        "tensorrt", "Ultralytics YOLO11n model", license="AGPL-3.0 License"
    )


def test_tells_an_engine_that_is_cut_short() -> None:
    """Its header says how long it is."""
    identity = identify(engine()[:100])
    assert identity is not None
    assert "cut short" in (identity.problem or "")


@pytest.mark.parametrize(
    "data",
    [
        engine(tag=b"trtf"),
        engine(header=0x1000),
        engine(serial=0x7265_7466),
        engine(size=0),
        engine(size=2**60),
        engine(release=(65, 1, 0, 0)),
        b"ftrt is how this text begins, which goes on for a while",
        b"ptrt" + b"\xff" * 100,
        engine()[:28],
        ultralytics([1, 2], engine()),
        ultralytics(b"{not json", engine()),
        ultralytics({"a": 1}, b"GGUF" + bytes(50)),
        ultralytics({"a": 1}, b""),
        ultralytics(b"{" + b"[" * 100_000, engine()),
        pack("<I", 0x00FF_FFFF) + b"{" + bytes(1000),
    ],
)
def test_leaves_anything_else_alone(data: bytes) -> None:
    """Four letters are not enough."""
    assert within_limits(lambda: identify(data)) is None


@settings(max_examples=300, deadline=3000)
@given(data=st.data(), is_ultralytics=st.booleans())
def test_survives_mutations(data: st.DataObject, is_ultralytics: bool) -> None:
    """Whatever is damaged, nothing is raised."""
    whole = ultralytics({"description": "x", "license": "y"}, engine()) if is_ultralytics else engine()
    identify(data.draw(mutations(whole)))
