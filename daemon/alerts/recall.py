"""Reads alerts back from the documents that the state kept."""

from collections.abc import Iterable
from typing import Any

from modelwarden.daemon.alerts.alert import Alert, Evidence, Severity
from modelwarden.daemon.times import from_rfc3339


def recall_alerts(documents: Iterable[dict[str, Any]]) -> list[Alert]:
    """The alerts, oldest first; a document that makes no sense is passed over, for a file can be edited."""
    found = []
    for document in documents:
        try:
            found.append(_recall(document))
        except (KeyError, OverflowError, TypeError, ValueError):
            continue
    return sorted(found, key=lambda alert: alert.last_seen_ns)


def _recall(document: dict[str, Any]) -> Alert:
    return Alert(
        id=str(document["id"]),
        rule=str(document["rule"]),
        severity=Severity(document["severity"]),
        title=str(document["title"]),
        tier=document["tier"],
        host_id=str(document["host_id"]),
        workload=str(document["workload"]),
        subject=str(document["subject"]),
        model=document["model"],
        process=dict(document["process"]),
        techniques=tuple(document["techniques"]),
        evidence=tuple(Evidence(from_rfc3339(one["at"]), str(one["what"])) for one in document["evidence"]),
        count=int(document["count"]),
        first_seen_ns=from_rfc3339(document["first_seen"]),
        last_seen_ns=from_rfc3339(document["last_seen"]),
        what_to_do=str(document["what_to_do"]),
    )
