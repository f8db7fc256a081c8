"""Documents with no more in them than the state looks at, for tests of what keeps them."""

from typing import Any

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def document(last_seen: str = EARLY, **more: Any) -> dict[str, Any]:
    """A model or a workload, as far as the state looks at it."""
    return {"path": "/m.gguf", "first_seen": EARLY, "last_seen": last_seen, **more}


def alert(identifier: str = "abc1", **more: Any) -> dict[str, Any]:
    """An alert, as far as the state looks at it."""
    return {
        "id": identifier,
        "rule": "unapproved_model",
        "severity": "medium",
        "status": "open",
        "first_seen": EARLY,
        "last_seen": EARLY,
        **more,
    }
