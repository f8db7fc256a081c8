"""The configuration file."""

import os
from pathlib import Path

import pytest

from modelwarden.daemon.config import Config, ConfigError, Http, config_sample, load_config


def write(tmp_path: Path, content: str | bytes) -> Path:
    """A config.toml with that content."""
    path = tmp_path / "config.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def complaint(path: Path) -> str:
    """What is said of a file that cannot be used, less its folder."""
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(f"{path.parent}/")


def test_absent_default_file_gives_defaults(tmp_path: Path) -> None:
    """Nobody has to write a configuration."""
    assert load_config(None, default=tmp_path / "config.toml") == Config()


def test_dangling_default_file_is_an_error(tmp_path: Path) -> None:
    """A link to nowhere is a mistake, not the wish for defaults."""
    link = tmp_path / "config.toml"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(ConfigError, match="link to a file that does not exist"):
        load_config(None, default=link)


def test_named_file_must_exist(tmp_path: Path) -> None:
    """Who names a file wants it read."""
    assert complaint(tmp_path / "mine.toml") == "mine.toml: does not exist; name an existing file"


def test_settings_are_read(tmp_path: Path) -> None:
    """What the file says holds, what it leaves out has its default."""
    config = load_config(write(tmp_path, '[http]\nlisten = "[::1]:0"\n'))
    assert config.http.address == ("::1", 0)
    assert config.http.loopback
    assert config.files == Config().files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[http]\nlistn = "a"', "config.toml: [http] listn is unknown; did you mean listen?"),
        ("[htp]", "config.toml: [htp] is unknown; did you mean [http]?"),
        ("[http]\nzzz = 1", "config.toml: [http] zzz is unknown; known here: listen"),
        ('"a\\u001b" = 1', r"config.toml: [a\x1b] is unknown; known here: [http], [files]"),
        ("[http]\nlisten = 3", "config.toml: [http] listen: expected text, got a whole number"),
        ("http = 3", "config.toml: [http]: expected a table, got a whole number"),
        ("[files]\nlarge_bytes = 0", "config.toml: [files] large_bytes: expected a whole number >= 1"),
        ("[files]\nlarge_bytes = true", "config.toml: [files] large_bytes: expected a whole number, got true or false"),
        ("a = 1\nb = [", "config.toml: is not valid TOML: Invalid value (at end of document)"),
        (
            "a = 1\nb 2",
            "config.toml: is not valid TOML: Expected '=' after a key in a key/value pair (at line 2, column 3)",
        ),
        (b"a = 1\n\xff", "config.toml: is not UTF-8 (line 2); save it as UTF-8"),
        ("x = " + "[" * 100_000, "config.toml: is nested too deep; is it the right file?"),
        (b"#" * ((1 << 20) + 1), "config.toml: is larger than 1048576 bytes; is it the right file?"),
    ],
    ids=range(13),
)
def test_says_what_is_wrong(tmp_path: Path, content: str | bytes, message: str) -> None:
    """One line names the file, the key, the mistake and the next step."""
    assert complaint(write(tmp_path, content)) == message


@pytest.mark.parametrize(
    "listen",
    ["", "9736", ":9736", "host.example:1", "::1:9736", "[::1]", "127.0.0.1:65536", "127.0.0.1:-1", "[127.0.0.1]:1"],
)
def test_listen_is_address_and_port(listen: str) -> None:
    """A name, a missing half or a port out of range is no place to listen."""
    with pytest.raises(ValueError, match="listen is not address:port"):
        Http(listen=listen)


def test_other_addresses_must_be_written_out(tmp_path: Path) -> None:
    """Listening for others is allowed to who says so."""
    assert not load_config(write(tmp_path, '[http]\nlisten = "0.0.0.0:9736"')).http.loopback


def test_pipe_does_not_hold_us(tmp_path: Path) -> None:
    """A named pipe in place of the file is refused, not waited for."""
    os.mkfifo(tmp_path / "config.toml")
    assert complaint(tmp_path / "config.toml") == "config.toml: is not a regular file; name a TOML file"


def test_folder_is_refused(tmp_path: Path) -> None:
    """A folder is no file."""
    assert complaint(tmp_path).endswith("is not a regular file; name a TOML file")


def test_sample_changes_nothing(tmp_path: Path) -> None:
    """The sample as it is installed means the defaults."""
    assert load_config(write(tmp_path, config_sample())) == Config()


def test_sample_shows_the_defaults(tmp_path: Path) -> None:
    """With every setting uncommented it still means the defaults, so what it shows is true."""
    live = "\n".join(
        line[1:] if line.startswith("#") and line[1] != " " else line for line in config_sample().splitlines()
    )
    assert "\nlisten = " in live
    assert "\nlarge_bytes = " in live
    assert load_config(write(tmp_path, live)) == Config()
