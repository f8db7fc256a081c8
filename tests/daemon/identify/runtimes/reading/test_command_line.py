"""Command lines: what really runs, whoever runs it."""

from multiprocessing.spawn import get_command_line

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.programs import PYTHON, native, python, worker

from modelwarden.daemon.identify.runtimes.reading.command_line import (
    WORDS_MAX,
    CommandLine,
    command_line,
    script_of,
)
from modelwarden.daemon.identify.runtimes.runtime import Program


@pytest.mark.parametrize(
    ("line", "path", "module", "words"),
    [
        ("train.py --epochs 3", "train.py", "", ("--epochs", "3")),
        ("/x/bin/vllm serve m", "/x/bin/vllm", "", ("serve", "m")),
        ("-m vllm.entrypoints.openai.api_server --model m", "", "vllm.entrypoints.openai.api_server", ("--model", "m")),
        ("-um package", "", "package", ()),
        ("-X dev -W error -u script.py -m other", "script.py", "", ("-m", "other")),
        ("-m", "", "", ()),
        ("", "", "", ()),
        ("-", "", "", ()),
    ],
)
def test_sees_through_an_interpreter(line: str, path: str, module: str, words: tuple[str, ...]) -> None:
    """Python runs a script or a module, and what follows are its arguments."""
    found = command_line(python(line))
    assert (found.path, found.module, found.words, found.interpreter) == (path, module, words, "python3.11")


def test_keeps_the_code() -> None:
    """Text given to an interpreter is no path."""
    found = command_line(Program(PYTHON, ("python3", "-c", "import a", "b")))
    assert (found.path, found.code, found.words) == ("", "import a", ("b",))


@pytest.mark.parametrize(
    ("loader", "line"),
    [
        ("/opt/backends/llama-cpp/lib/ld.so", "/opt/backends/llama-cpp/llama-cpp-avx2 --addr 127.0.0.1:1"),
        ("/lib64/ld-linux-x86-64.so.2", "--library-path /l --argv0 x /opt/llama-cpp-avx2 --addr 127.0.0.1:1"),
        ("/usr/bin/ape", "/m/llama-cpp-avx2 --addr 127.0.0.1:1"),
        ("/home/a/.ape-1.10", "/m/llama-cpp-avx2 --addr 127.0.0.1:1"),
    ],
)
def test_sees_through_a_loader(loader: str, line: str) -> None:
    """What the dynamic loader or that of portable executables is given is what runs."""
    found = command_line(native(loader, line))
    assert (found.name, found.words) == ("llama-cpp-avx2", ("--addr", "127.0.0.1:1"))
    assert found.loader == loader.rpartition("/")[2]


def test_a_loader_may_load_an_interpreter() -> None:
    """Both are seen through."""
    found = command_line(native("/lib/ld.so", "/usr/bin/python3 backend.py --addr a"))
    assert (found.name, found.loader, found.interpreter) == ("backend.py", "ld.so", "python3")


def test_a_loader_that_loads_itself_is_a_program() -> None:
    """Loaders in loaders are not followed."""
    found = command_line(native("/lib/ld.so", " ".join(["/lib/ld.so"] * 400)))
    assert (found.name, found.loader) == ("ld.so", "")


@pytest.mark.parametrize(
    "path", ["/usr/local/bin/ollama", "/usr/local/bin/ollama (deleted)", "/nix/store/x/bin/.ollama-wrapped"]
)
def test_names_what_runs(path: str) -> None:
    """An update that replaced the file and a packager's wrapper leave the name alone."""
    assert command_line(Program(path, ("ollama", "serve"))).name == "ollama"


def test_the_name_is_the_executable_s() -> None:
    """What a program calls itself in its arguments is no name."""
    assert command_line(Program("/usr/bin/sleep", ("ollama", "serve"))).name == "sleep"


def test_finds_the_subcommand() -> None:
    """Options before it, and their values, are stepped over."""
    line = command_line(native("/bin/x", "--debug --engine podman serve run"))
    assert (line.first_word(), line.first_word({"--engine"})) == ("podman", "serve")


def test_finds_options() -> None:
    """With their value behind a blank or behind an equals sign."""
    line = command_line(native("/bin/x", "--port=1 -m a --port 2 --ports"))
    assert line.values("--port") == ("1", "2")
    assert line.has_option(("--ports",))
    assert not line.has_option(("--por", "a", "1"))


@pytest.mark.parametrize(
    "program",
    [
        worker(),
        Program(PYTHON, ("python3", "-B", "-c", "from multiprocessing.forkserver import main; main(1)")),
        python("-m joblib.externals.loky.backend.popen_loky_posix --process-name LokyProcess-1"),
    ],
)
def test_knows_workers(program: Program) -> None:
    """Processes that Python's libraries start for parallel work are told by what they are given."""
    assert command_line(program).is_python_worker


def test_knows_this_python_s_workers() -> None:
    """The command line is the one that the standard library makes."""
    assert command_line(Program(PYTHON, tuple(get_command_line(pipe_handle=7)))).is_python_worker


def test_others_are_no_workers() -> None:
    """Other code, and other programs with the same text, are nobody's workers."""
    assert not command_line(Program(PYTHON, ("python3", "-c", "import multiprocessing"))).is_python_worker
    assert not command_line(Program("/bin/sh", worker().arguments)).is_python_worker


@pytest.mark.parametrize(
    ("arguments", "name", "script"),
    [
        (("python3", "chat.py", "--model", "m"), "python3.11", "chat.py"),
        (("python3", "-m", "vllm.x", "serve"), "python3", "-m vllm.x"),
        (("python3", "-m"), "python3", "-m "),
        (("python3", "-c", "print(1)"), "python3", "-c"),
        (("node", "-e", "1"), "node", "-e"),
        (("java", "-Xmx1g", "-jar", "a.jar"), "java", "-jar a.jar"),
        (("python3", "-X", "dev", "-W", "error", "a.py"), "python3", "a.py"),
        (("python3",), "python3", ""),
        ((), "python3", ""),
        (("ollama", "serve"), "ollama", ""),
    ],
)
def test_says_what_an_interpreter_runs(arguments: tuple[str, ...], name: str, script: str) -> None:
    """The script, the module or the fact of code tells two uses of one interpreter apart."""
    assert script_of(arguments, name) == script


def test_long_lines_are_cut() -> None:
    """Only so many arguments are looked at."""
    assert len(command_line(native("/bin/x", "a " * 100_000)).words) == WORDS_MAX


@given(
    st.sampled_from([PYTHON, "/lib/ld.so", "/x", "", None]), st.lists(st.text(alphabet="-mcXW=a/.\ud800 "), max_size=8)
)
def test_takes_any_arguments(path: str | None, arguments: list[str]) -> None:
    """Whatever the arguments, there is an answer."""
    program = Program(path, tuple(arguments))
    line = command_line(program)
    assert isinstance(line, CommandLine)
    assert isinstance(line.first_word(), str)
    assert isinstance(script_of(program.arguments, program.name), str)
