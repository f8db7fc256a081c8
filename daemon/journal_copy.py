"""Writes the copy of a journal that can be shared."""

from dataclasses import replace
from pathlib import Path

from modelwarden.daemon.journal import JournalError, encode, encode_header
from modelwarden.daemon.journal_file import JournalFile, create
from modelwarden.daemon.redaction import Redactor


def redact_journal(journal: JournalFile, target: Path) -> int:
    """Writes a copy without people and places; how many events it has. Raises `JournalError`, and leaves nothing then.

    The journal is read twice, so that whoever is named anywhere in it is known from the first line on.
    """
    redactor = Redactor()
    for _, event in journal.events():
        redactor.learn(event)
    file = create(target)
    count = 0
    try:
        with file:
            file.write(encode_header(replace(journal.header, redacted=True)))
            for _, event in journal.events():
                file.write(encode(redactor.redact(event)))
                count += 1
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise JournalError(f"{target} cannot be written ({error.strerror}): free some space") from error
        raise
    return count
