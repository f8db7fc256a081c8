"""Which files may be models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwarden.probes.candidate import (
    LIKE_A_MODEL,
    STRONG_SUFFIXES,
    WEAK_MIN_BYTES,
    WEAK_SUFFIXES,
    Candidate,
    candidate,
    library_head,
)

LARGE = 32 << 20
NOTHING = Candidate(0)
HEX = "0123456789abcdefABCDEF"


@pytest.mark.parametrize("suffix", sorted(STRONG_SUFFIXES))
def test_strong_suffix(suffix: str) -> None:
    """Whatever its size and case, a file called so is a candidate."""
    for name in (f"a.{suffix}", f"a.b.{suffix.upper()}", f".{suffix}"):
        assert candidate(name, 0, LARGE) == Candidate.STRONG_SUFFIX


@pytest.mark.parametrize("suffix", sorted(WEAK_SUFFIXES))
def test_weak_suffix(suffix: str) -> None:
    """A file called so is a candidate when it is large enough to hold a header."""
    assert candidate(f"a.{suffix}", WEAK_MIN_BYTES, LARGE) == Candidate.WEAK_SUFFIX
    assert candidate(f"a.{suffix}", WEAK_MIN_BYTES - 1, LARGE) == NOTHING


@pytest.mark.parametrize("name", ["", "gguf", "a.gguf.", "a.gguf~", "a.ggufx", "a.txt", ".", "a.gguf\n", "a. gguf"])
def test_other_names_say_nothing(name: str) -> None:
    """A suffix is what stands behind the last dot, all of it."""
    assert candidate(name, 1 << 20, LARGE) == NOTHING


@pytest.mark.parametrize("digits", [40, 64])
def test_content_addressed(digits: int) -> None:
    """Stores name files by 40 or 64 hexadecimal digits, and by nothing that is nearly so."""
    name = "aB3" * 30
    assert candidate(name[:digits], 0, LARGE) == Candidate.CONTENT_ADDRESSED
    assert candidate(name[: digits - 1], 0, LARGE) == NOTHING
    assert candidate(name[: digits + 1], 0, LARGE) == NOTHING
    assert candidate(name[: digits - 1] + "g", 0, LARGE) == NOTHING


def test_content_addressed_with_its_algorithm() -> None:
    """`sha256-` stands before 64 digits, in lower case, and before no other number of them."""
    assert candidate("sha256-" + "0" * 64, 0, LARGE) == Candidate.CONTENT_ADDRESSED
    for name in ("sha256-" + "0" * 40, "SHA256-" + "0" * 64, "sha256:" + "0" * 64):
        assert candidate(name, 0, LARGE) == NOTHING


@pytest.mark.parametrize(
    "name", ["libonnxruntime.so", "libonnxruntime.so.1.20.0", "libonnxrX.SO", "libonnxruntime.so.1", "libonnxr.5"]
)
def test_library(name: str) -> None:
    """Eight characters tell a library, whatever version stands behind it; user space looks at the whole name."""
    assert candidate(name, 0, LARGE, {library_head("libonnxruntime")}) == Candidate.LIBRARY
    assert candidate(name, 0, LARGE) == NOTHING


@pytest.mark.parametrize(
    "name", ["libonnx.so", "libonnxruntime.py", "libonnxruntime", "liBonnxruntime.so", "x.so", ".so"]
)
def test_no_library(name: str) -> None:
    """Other names, and files that are called so and are no library, say nothing."""
    assert candidate(name, 0, LARGE, {library_head("libonnxruntime")}) == NOTHING


def test_large_file() -> None:
    """From the threshold on a file is a candidate whatever its name, beside other reasons."""
    assert candidate("x", LARGE - 1, LARGE) == NOTHING
    assert candidate("x", LARGE, LARGE) == Candidate.LARGE
    assert candidate("x.pt", LARGE, LARGE) == Candidate.LARGE | Candidate.STRONG_SUFFIX


def test_reasons_of_the_file() -> None:
    """All reasons but the mark of the process lie in the file."""
    assert [one for one in Candidate if not one & LIKE_A_MODEL] == [
        Candidate.WATCHED,
        Candidate.NAMED_FILE,
        Candidate.LIBRARY,
    ]


@given(
    st.builds("{}{}".format, st.text(max_size=9), st.sampled_from(["", *STRONG_SUFFIXES, *WEAK_SUFFIXES]))
    | st.text(alphabet=HEX, min_size=39, max_size=65),
    st.integers(0, 1 << 40),
)
def test_same_answer_as_the_kernel(name: str, size: int) -> None:
    """Given any name, then the answer is that of file_open.bpf.c, which looks at bytes."""
    assert candidate(name, size, LARGE) == kernels(name.encode("utf-8", "surrogatepass"), size)


def test_letters_that_only_look_the_same() -> None:
    """The kernel knows the small letters of ASCII alone: a Kelvin sign is no K."""
    assert candidate("a.\u212aeras", 0, LARGE) == kernels("a.\u212aeras".encode(), 0)


def kernels(name: bytes, size: int) -> Candidate:
    """What `candidate` of file_open.bpf.c says, step by step."""
    found = NOTHING
    distance = next((i for i in range(1, min(16, len(name)) + 1) if name[-i] == ord(".")), 0)
    suffix = bytes(c + 32 if 65 <= c <= 90 else c for c in name[len(name) - distance + 1 :]) if distance >= 2 else b""
    if suffix in {one.encode() for one in STRONG_SUFFIXES}:
        found |= Candidate.STRONG_SUFFIX
    elif suffix in {one.encode() for one in WEAK_SUFFIXES} and size >= WEAK_MIN_BYTES:
        found |= Candidate.WEAK_SUFFIX
    digits = name[7:] if len(name) == 71 and name.startswith(b"sha256-") else name
    if len(digits) in ({64} if digits is not name else {40, 64}) and all(c in HEX.encode() for c in digits):
        found |= Candidate.CONTENT_ADDRESSED
    return found | (Candidate.LARGE if size >= LARGE else NOTHING)
