"""The configuration file as types: every setting with its unit, default and reason."""

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec

from modelwarden.daemon import toml_file
from modelwarden.daemon.sample import render_sample
from modelwarden.daemon.toml_file import ConfigError

__all__ = [
    "DEFAULT_CONFIG",
    "Config",
    "ConfigError",
    "Files",
    "Http",
    "config_sample",
    "load_config",
]

DEFAULT_CONFIG = Path("/etc/modelwarden/config.toml")


def _address(listen: str) -> tuple[str, int]:
    """(host, port) of `address:port`; `ValueError` in words for a person."""
    host, _, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = "127.0.0.1" if host == "localhost" else host[1:-1] if bracketed else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        address = None
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else -1
    if address is None or bracketed != (address.version == 6) or number not in range(65536):
        raise ValueError(
            f"listen is not address:port, but {listen[:80]!r}; write an IP address such as 127.0.0.1:9736 or [::1]:9736"
        )
    return str(address), number


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where Prometheus reads `/metrics`, and a supervisor `/healthz` and `/readyz`."""

    listen: str = "127.0.0.1:9736"
    """The address and port to listen on, such as `127.0.0.1:9736` or `[::1]:9736`; port 0 takes a free one.
    The default serves this machine only, because the pages need no password: name another address
    only where the network is trusted."""

    def __post_init__(self) -> None:
        """Refuse what is no address; `ValueError` in words for a person."""
        _address(self.listen)

    @property
    def address(self) -> tuple[str, int]:
        """(host, port), the host without brackets."""
        return _address(self.listen)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.address[0]).is_loopback


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which opened files are looked at."""

    large_bytes: Annotated[int, msgspec.Meta(ge=1, le=(1 << 63) - 1)] = 33_554_432
    """A file of at least this many bytes is inspected whatever its name, because weights can be
    renamed. The default is 32 MiB: smaller models hardly exist, smaller files are many."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The configuration of modelwarden. A setting that is absent has the default shown here."""

    http: Http = Http()
    files: Files = Files()


def load_config(path: Path | None = None, *, default: Path = DEFAULT_CONFIG) -> Config:
    """The configuration of the named file; of the default file when none is named, which may be absent.

    Raises `ConfigError`.
    """
    config, _ = toml_file.load(path, default, Config)
    return Config() if config is None else config


def config_sample() -> str:
    """The sample `config.toml`: every setting, commented out, with its docstring above it."""
    return render_sample(Config)
