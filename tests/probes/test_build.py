"""The compiler's parent: what it reports when something is refused is the reason, and nothing of what was before."""

import os
import platform
import re
from collections.abc import Iterator

import pytest

from modelwarden.probes.build import TAIL_BYTES, CompileError, Compiler, Source

pytestmark = pytest.mark.bpf

PROGRAMS = """
#include <linux/types.h>
BPF_HASH(numbers, u32, u64);

int null_pointer(void *context)
{
	u32 key = 0;
	u64 *found = numbers.lookup(&key);

	return *found;
}

int long_way_to_a_wild_pointer(void *context)
{
	u32 key = 0;

%s
	return *(u64 *)8;
}

int harmless(void *context)
{
	return 0;
}
""" % ("\tnumbers.lookup(&key);\n" * 100)


def source(text: str, *maps: str) -> Source:
    """A translation unit for the running kernel."""
    return Source(text=text, release=platform.release(), maps=maps)


@pytest.fixture
def compiler() -> Iterator[Compiler]:
    """A compiler that has compiled the programs; skips where that cannot be, except in CI."""
    with Compiler() as made:
        try:
            descriptors = made.compile(source(PROGRAMS, "numbers"))
        except CompileError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no programs here: {error}")
        yield made
        for descriptor in descriptors.values():
            os.close(descriptor)


def refusal(compiler: Compiler, program: str) -> str:
    """What is said of a program that is not taken."""
    with pytest.raises(OSError, match=f"^{program}: ") as caught:
        compiler.load(program, "raw_tracepoint")
    return str(caught.value)


def test_each_refused_program_has_its_own_reason(compiler: Compiler) -> None:
    """The line ends in the verifier's complaint, not in its sums, however long its log is."""
    first = refusal(compiler, "null_pointer")
    printed = os.fstat(compiler._log.fileno()).st_size
    second = refusal(compiler, "long_way_to_a_wild_pointer")

    assert re.search(r" \| R\d invalid mem access 'map_value_or_null'$", first)
    assert re.search(r" \| R\d invalid mem access '(scalar|inv)'$", second)
    assert os.fstat(compiler._log.fileno()).st_size - printed > 3 * TAIL_BYTES
    assert max(len(first), len(second)) < TAIL_BYTES + 100
    assert (first + second).isprintable()


def test_an_old_reason_is_not_told_again(compiler: Compiler) -> None:
    """What fails without a word is not explained by what was printed before it."""
    refusal(compiler, "null_pointer")

    assert refusal(compiler, "missing") == "missing: Unknown program b'missing'"


def test_a_refused_program_leaves_the_others_alone(compiler: Compiler) -> None:
    """A program that the kernel takes is loaded after one that it does not."""
    refusal(compiler, "null_pointer")

    os.close(compiler.load("harmless", "raw_tracepoint"))


@pytest.mark.usefixtures("compiler")
def test_what_does_not_compile_is_named() -> None:
    """Of a page of clang's output the first errors are told."""
    text = "int a = wrong;\n" + "".join(f"int a{number} = wrong{number};\n" for number in range(8))
    with Compiler() as other, pytest.raises(CompileError) as caught:
        other.compile(source(text))

    said, *errors = str(caught.value).split(" error: ")
    assert said.startswith("the probes do not compile (")
    assert [one.split("'")[1] for one in errors] == ["wrong", "wrong0", "wrong1", "wrong2", "wrong3"]


@pytest.mark.usefixtures("compiler")
def test_a_dying_compiler_is_heard_to_the_end() -> None:
    """The last words come after the connection is cut."""
    with Compiler() as other, pytest.raises(CompileError, match=r"^the compiler died: .*\| OSError: .*descriptor$"):
        other.compile(source(PROGRAMS, "a map that is not there"))
