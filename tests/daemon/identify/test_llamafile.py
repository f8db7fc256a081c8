"""llamafile: the weights inside are found where they lie, and a program without weights is no model."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import Memory, gguf_bytes, gguf_key, gguf_string, mutations, write_gguf

from modelwarden.daemon.identify.llamafile import FORMAT
from modelwarden.daemon.identify.sniffer import Identity, Shard

HEAD = b"MZqFpD='\n\n" + bytes(4096) + b"\x7fELF"


def llamafile(members: dict[str, bytes], head: bytes = HEAD, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A program with an archive at its end, as zipalign makes it."""
    stream = io.BytesIO(head)
    with zipfile.ZipFile(stream, "a", compression) as target:
        for name, data in members.items():
            target.writestr(name, data)
    return stream.getvalue()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small real GGUF."""
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf").read_bytes()


@pytest.fixture(scope="module")
def valid(weights: bytes) -> bytes:
    """A small llamafile."""
    return llamafile({".args": b"-m\ntiny.gguf\n", "tiny.gguf": weights})


def identify(data: bytes, name: str = "") -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


@pytest.mark.parametrize("head", [HEAD, b"jartsr='\n" + bytes(100)])
def test_says_what_its_weights_are(weights: bytes, head: bytes) -> None:
    """The identity is that of the GGUF inside, in both dresses of the program."""
    assert identify(llamafile({"tiny.gguf": weights}, head)) == Identity(
        "llamafile", "Tiny Llama", "llama", 2080, "Q4_K_M", "apache-2.0", tensor_types=(("F32", 2080),)
    )


def test_takes_the_largest_weights(weights: bytes) -> None:
    """Beside a model that sees there is its projector."""
    projector = gguf_bytes(body=(gguf_key("general.architecture", 8, gguf_string(b"clip")),))
    for order in (("mmproj.gguf", "tiny.gguf"), ("tiny.gguf", "mmproj.gguf")):
        identity = identify(llamafile({name: weights if name == "tiny.gguf" else projector for name in order}))
        assert identity is not None
        assert identity.architecture == "llama"


def test_is_named_after_its_weights() -> None:
    """Where the GGUF has no name, its file has."""
    identity = identify(llamafile({"models/phi-00002-of-00003.gguf": gguf_bytes()}))
    assert identity is not None
    assert (identity.name, identity.shard) == ("phi-00002-of-00003", Shard(2, 3))


@pytest.mark.parametrize(
    "data", [HEAD, llamafile({"usr/share/zoneinfo/UTC": b"TZif"}), llamafile({}), b"MZ\x90\0" + bytes(100)]
)
def test_leaves_other_programs_alone(data: bytes) -> None:
    """A program of Cosmopolitan Libc is no model by itself."""
    assert identify(data) is None


def test_sees_a_download_that_stopped(valid: bytes) -> None:
    """Half a llamafile has no table of contents: only its name tells."""
    identity = identify(valid[:-500], "tiny.llamafile")
    assert identity is not None
    assert "cut short" in (identity.problem or "")
    assert identify(valid[:-500], "tiny") is None


@pytest.mark.parametrize(
    "data",
    [
        llamafile({"m.gguf": bytes(100)}),
        llamafile({"m.gguf": gguf_bytes(tensors=1 << 60)}),
        llamafile({"m.gguf": gguf_bytes() + bytes(5000)}, compression=zipfile.ZIP_DEFLATED),
    ],
)
def test_weights_that_cannot_be_read_are_a_problem(data: bytes) -> None:
    """An archive that promises weights has to have them."""
    identity = identify(data)
    assert identity is not None
    assert identity.problem is not None
    assert identity.parameters is None


def test_an_encrypted_member_does_not_hide(valid: bytes) -> None:
    """A flag in the table, which llamafile does not look at, makes it no other file."""
    data = bytearray(valid)
    for at in (data.find(b"PK\1\2"), data.rfind(b"PK\1\2")):
        data[at + 8] |= 1
    identity = identify(bytes(data))
    assert identity is not None
    assert "encrypted" in (identity.problem or "")


@settings(max_examples=200, deadline=2000)
@given(data=st.data())
def test_survives_mutations(valid: bytes, data: st.DataObject) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(valid)), "m.llamafile")
    assert identity is None or identity.parameters is None or 0 < identity.parameters <= 10**15
