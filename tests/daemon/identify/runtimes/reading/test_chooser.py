"""The choice among runtimes that all recognise a process."""

from dataclasses import dataclass
from typing import cast

from tests.programs import native, python, titled, worker

from modelwarden.daemon.identify.runtimes.reading.chooser import Chooser
from modelwarden.daemon.identify.runtimes.runtime import Program, Recognition, Runtime
from modelwarden.probes.discover import discover

ALL = cast("tuple[Runtime, ...]", discover("modelwarden.daemon.identify.runtimes", "RUNTIME", skip=("runtime",)))
ME = (Program("/x"),)


@dataclass(frozen=True)
class Says:
    """A runtime that says what it is told."""

    name: str
    answer: Recognition | None
    libraries: tuple[str, ...] = ()

    def recognises(self, lineage: tuple[Program, ...]) -> Recognition | None:  # noqa: ARG002
        """As told."""
        return self.answer


def chosen(*lineage: Program) -> tuple[str, int] | None:
    """Name and head of what all the runtimes together say."""
    found = Chooser(ALL).choose(lineage)
    return None if found is None else (found[0], found[1].head)


def test_the_strongest_counts() -> None:
    """More signs win over a higher head."""
    weak, strong = Recognition("weak", head=3, strength=1), Recognition("strong", strength=2)
    assert Chooser([Says("a", weak), Says("b", strong), Says("c", None)]).choose(ME) == ("b", strong)


def test_then_the_highest_head() -> None:
    """Of two as strong, the family that reaches further up is the one that started the other's program."""
    near, far = Recognition("near", head=0), Recognition("far", head=1)
    assert Chooser([Says("a", near), Says("b", far)]).choose(ME) == ("b", far)


def test_then_the_alphabet() -> None:
    """The order in which runtimes are asked does not matter."""
    same = Recognition("same")
    assert Chooser([Says("b", same), Says("a", same)]).choose(ME) == ("a", same)


def test_nobody_knows_nothing() -> None:
    """No runtime and no process give no answer."""
    assert Chooser([]).choose(ME) is None
    assert Chooser(ALL).choose(()) is None


def test_asks_as_if_it_had_asked_all() -> None:
    """Given any of the programs of the tests of runtimes, then leaving most of them out changes no answer."""
    names = (
        "ollama",
        "llama-server",
        "vllm",
        "bash",
        "gcc",
        "koboldcpp-linux",
        "x.llamafile",
        "code",
        "",
        "python3.11",
    )
    words = (("serve",), ("--model", "m"), ("-m", "vllm.entrypoints.openai.api_server"), ("main.py",), ())
    libraries = (frozenset[str](), frozenset({"libtorch_cpu.so"}))
    for name in names:
        for more in words:
            for loaded in libraries:
                lineage = (Program(f"/usr/bin/{name}", (name, *more), loaded), Program("/bin/sh", ("sh",)))
                one_by_one = {one.name: found for one in ALL if (found := one.recognises(lineage)) is not None}
                chosen = Chooser(ALL).choose(lineage)
                assert (chosen is None) == (not one_by_one), lineage
                assert chosen is None or one_by_one[chosen[0]] == chosen[1]


def test_a_specific_runtime_beats_its_library() -> None:
    """Every process of vLLM is vLLM, though each has loaded PyTorch."""
    torch = ("libtorch_cpu.so", "libtorch_cuda.so")
    server = python("/x/bin/vllm serve m", *torch)
    assert chosen(server) == ("vllm", 0)
    assert chosen(titled("VLLM::EngineCore", *torch), server) == ("vllm", 1)
    assert chosen(worker(*torch), titled("VLLM::EngineCore", *torch), server) == ("vllm", 2)


def test_who_started_llama_server_owns_it() -> None:
    """llama.cpp's server belongs to Ollama, Jan, text-generation-webui or Docker's runner where these started it."""
    libraries = ("libllama.so", "libggml-base.so")
    line = "--model /m.gguf --port 40001"
    plain = native("/usr/bin/llama-server", line, *libraries)
    assert chosen(plain) == ("llama.cpp", 0)
    assert chosen(plain, native("/usr/bin/bash", "x.sh")) == ("llama.cpp", 0)
    assert chosen(plain, native("/usr/local/bin/ollama", "serve")) == ("ollama", 1)
    assert chosen(plain, native("/usr/bin/llama-server", "--models-dir /m", *libraries)) == ("llama.cpp", 1)
    assert chosen(plain, native("/usr/bin/dmr", "serve")) == ("docker-model-runner", 1)
    jan = native("/home/a/.local/share/Jan/data/llamacpp/backends/b1/cuda/build/bin/llama-server", line, *libraries)
    assert chosen(jan, native("/usr/bin/Jan")) == ("jan", 1)
    wheel = native("/v/lib/python3.11/site-packages/llama_cpp_binaries/bin/llama-server", line, *libraries)
    assert chosen(wheel, python("server.py", called="/h/text-generation-webui/env/bin/python")) == (
        "text-generation-webui",
        1,
    )


def test_a_library_in_python_tells_the_binding() -> None:
    """llama.cpp's library in a Python process is llama-cpp-python, in another program it is llama.cpp."""
    assert chosen(python("chat.py", "libllama.so", "libggml-base.so")) == ("llama-cpp-python", 0)
    assert chosen(native("/opt/renamed", "", "libllama.so")) == ("llama.cpp", 0)


def test_ordinary_programs_are_nobody_s() -> None:
    """Interpreters, shells, editors and what only has a famous name."""
    for program in (
        python("train.py"),
        python("main.py"),
        python("server.py --port 5000"),
        python("-m http.server 8000"),
        native("/usr/bin/bash", "-c ollama"),
        native("/usr/bin/vim", "/etc/systemd/system/ollama.service serve"),
        native("/usr/bin/grep", "llama-server -m x.gguf"),
        native("/tmp/ollama", "100"),
        native("/tmp/vllm", ""),
        native("/usr/bin/curl", "http://127.0.0.1:11434/api/tags"),
        native("/usr/lib/firefox/firefox", "", "libmozavcodec.so"),
    ):
        assert chosen(program) is None, program
