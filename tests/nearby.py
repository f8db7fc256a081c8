"""The neighbourhood of a file, asked as a worker asks."""

import os
from pathlib import Path

from tests.finding import request_for

from modelwarden.daemon.locate import Request
from modelwarden.daemon.near import GIVEN, REFUSED
from modelwarden.daemon.neighbourhood import Neighbourhood


def around(model: Path, request: Request | None = None, variables: tuple[bytes, ...] = ()) -> Neighbourhood:
    """The neighbourhood of a file as it is now."""
    descriptor = os.open(model, os.O_RDONLY)
    try:
        return Neighbourhood(request or request_for(model), descriptor, variables)
    finally:
        os.close(descriptor)


def given_by(near: Neighbourhood, message: bytes) -> bytes | None:
    """The bytes, or the content of the file that came; `None` for a refusal."""
    answer, descriptor = near.answer(message)
    if descriptor >= 0:
        with os.fdopen(descriptor, "rb") as file:
            return file.read()
    assert answer[:1] in {GIVEN, REFUSED}
    return answer[1:] if answer != REFUSED else None
