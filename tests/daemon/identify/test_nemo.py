"""NeMo's archives: the configuration names them, the weights count, and other tars are none."""

import gzip
import io
import tarfile
from struct import pack

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.nemo import FORMAT
from modelwarden.daemon.identify.sniffer import Identity

CONFIG = b"""\
name: "tiny_conformer"  # the name
sample_rate: 16000
encoder:
  _target_: nemo.collections.asr.modules.ConformerEncoder
  name: inner
target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE
nemo_version: 2.0.0
"""
NAMED = Identity("nemo", "tiny_conformer", "EncDecCTCModelBPE")


def weights(*, legacy: bool = False) -> bytes:
    """A state dictionary of 12 weights as NeMo has torch write it."""
    stream = io.BytesIO()
    torch.save({"w": torch.zeros(3, 4)}, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


def archive(members: dict[str, bytes], mode: str = "w:", kind: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of these members; a name that ends in a slash is a folder."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=kind) as target:  # type: ignore[call-overload]
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            target.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def whole(config: bytes = CONFIG, checkpoint: bytes | None = None) -> dict[str, bytes]:
    """The members of a model."""
    return {
        "./": b"",
        "./0123_tokenizer.model": bytes(5000),
        "./model_config.yaml": config,
        "./model_weights.ckpt": weights() if checkpoint is None else checkpoint,
    }


def identify(data: bytes, name: str = "") -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("legacy", [False, True])
def test_says_what_a_model_is(kind: int, *, legacy: bool) -> None:
    """The configuration has name and class at its outer level, the checkpoint has the weights."""
    data = archive(whole(checkpoint=weights(legacy=legacy)), kind=kind)
    expected = Identity("nemo", "tiny_conformer", "EncDecCTCModelBPE", 12, "F32", tensor_types=(("F32", 12),))
    assert identify(data) == expected


@pytest.mark.parametrize("name", ["", "tiny.nemo"])
def test_reads_the_configuration_of_a_packed_one(name: str) -> None:
    """Of a packed archive the beginning is unpacked, in which the weights are not counted."""
    assert identify(archive(whole(), "w:gz"), name) == NAMED


def test_finds_the_configuration_behind_the_weights() -> None:
    """Members that are stepped over are not read, however large they are."""
    members = dict(reversed(whole(checkpoint=bytes(150 << 20)).items()))
    assert identify(archive(members)) == NAMED


def test_weights_in_many_files_are_weights() -> None:
    """Newer models have a folder in place of the checkpoint."""
    members = {"model_config.yaml": CONFIG, "model_weights/metadata.json": b"{}", "model_weights/0.distcp": b"x"}
    assert identify(archive(members)) == NAMED


@pytest.mark.parametrize(
    ("config", "name", "architecture"),
    [
        (b"target: a.b.C\n", None, "C"),
        (b"name: 'it is'\r\ntarget: \"a.B\"\r\n", "it is", "B"),
        (b"  name: inner\n  target: inner.X\n", None, None),
        (b"name: ???\ntarget: null\n", None, None),
        (b"name: ${oc.env:X}\ntarget: [a]\n", None, None),
        (b"name: &anchor x\ntarget: !!python/object:os.system\n", None, None),
        (b"name:\n  - x\ntarget:\n", None, None),
        (b"name: first\nname: second\n", "first", None),
        (b"\xff\xfe\x00", None, None),
        (b"", None, None),
    ],
)
def test_reads_plain_values_only(config: bytes, name: str | None, architecture: str | None) -> None:
    """Anything in YAML that is more than a word or a quoted text says nothing."""
    identity = identify(archive(whole(config)))
    assert identity is not None
    assert (identity.name, identity.architecture) == (name, architecture)


@pytest.mark.parametrize("mode", ["w:", "w:gz"])
@pytest.mark.parametrize(
    "members",
    [
        {"readme.txt": b"x"},
        {"model_config.yaml": CONFIG},
        {"model_weights.ckpt": b"x"},
        {"a/model_config.yaml": CONFIG, "a/model_weights.ckpt": b"x"},
    ],
)
def test_leaves_other_archives_alone(members: dict[str, bytes], mode: str) -> None:
    """It takes both members, at the top."""
    assert identify(archive(members, mode), "x.nemo") is None


@pytest.mark.parametrize(
    "data", [b"plain text " * 100, b"\x1f\x8b\x08" + bytes(600), gzip.compress(b"text" * 999), b"x"]
)
def test_leaves_other_files_alone(data: bytes) -> None:
    """Text begins like a tar, and everybody packs."""
    assert identify(data, "x.nemo") is None


def test_cut_short_is_a_problem() -> None:
    """A download that stopped behind the configuration is a model with a problem, if it is named like one."""
    data = archive(whole(checkpoint=bytes(5000)))
    at = data.index(b"model_weights.ckpt")
    for end in range(at, at + 5000, 100):
        identity = identify(data[:end], "tiny.nemo")
        assert identity is not None
        assert (identity.name, identity.problem is not None) == ("tiny_conformer", True), end
    assert identify(data[:at], "tiny.tar") is None


def header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    """A header with any size, and the right sum."""
    block = name.ljust(100, b"\0") + bytes(24) + size.ljust(12, b"\0") + bytes(12)
    rest = kind + bytes(100) + b"ustar\x0000" + bytes(247)
    total = sum(block) + 8 * 32 + sum(rest)
    return block + b"%06o\0 " % total + rest


START = header(b"model_config.yaml", b"%011o" % len(CONFIG)) + CONFIG.ljust(512, b"\0")
LARGE = b"x" * 1500
EXTENDED = header(b"x", b"%011o" % 13, b"x") + b"13 size=1500\n".ljust(512, b"\0")


def test_reads_the_size_of_a_large_member() -> None:
    """What has more than 8 GiB has its size in the extended header in front, and none in its own."""
    large = EXTENDED + header(b"tokenizer.model", b"0") + LARGE.ljust(1536, b"\0")
    assert identify(large + archive(whole())) is not None


BOMBS = {
    "a size of 2^60": START + header(b"model_weights.ckpt", b"\x80" + bytes(3) + pack(">Q", 1 << 60)),
    "a size below nothing": START + header(b"model_weights.ckpt", b"\xff" * 12) + bytes(1024),
    "no number for a size": START + header(b"model_weights.ckpt", b"x" * 11),
    "a size in an extended header": START
    + header(b"x", b"%011o" % 512, b"x")
    + b"30 size=9999999999999999999\n".ljust(512, b"\0")
    + header(b"model_weights.ckpt", b"0"),
    "members without end": header(b"x", b"0") * 150_000,
    "extended headers without end": header(b"x", b"%011o" % 65_536, b"x") * 150_000,
    "a configuration of 100 MB": header(b"model_config.yaml", b"%011o" % (100 << 20)) + b"name: x\n" * (12 << 20),
    "a gzip bomb": gzip.compress(START + bytes(512) + header(b"x", b"0") * 600_000),
    "tars in tars": archive({"model_config.yaml": CONFIG, "model_weights.ckpt": archive(whole())}),
    "a checkpoint that lies": archive(
        whole(checkpoint=b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.(" * 9)
    ),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs_are_small(data: bytes) -> None:
    """What claims to be huge, or is when it is unpacked, ends in time."""
    identity = within_limits(lambda: identify(data, "bomb.nemo"))
    assert identity is None or identity.parameters is None


@settings(max_examples=300, deadline=3000)
@given(data=st.data(), mode=st.sampled_from(["w:", "w:gz"]))
def test_survives_mutations(data: st.DataObject, mode: str) -> None:
    """Whatever is damaged, nothing is raised."""
    identity = identify(data.draw(mutations(archive(whole(), mode))), "m.nemo")
    assert identity is None or identity.format == "nemo"
