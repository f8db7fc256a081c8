"""The words in which the worker asks the opener for documents near a file.

A request is one message, `letter up [limit] name`, where `up` counts the folders above the file's own. An
answer is one message too.
"""

READ, NAMES, TARGET = b"R", b"N", b"T"
"""The methods of `Folder`: a file comes as a descriptor, names with a NUL behind each, a link's target as it is."""
PLACE = b"P"
"""Asks whether the file is where its path says; the answer has the variables of the process, a NUL behind each."""
END = b"E"
"""The worker is done with the file; the answer says the same."""
REFUSED, GIVEN = b"-", b"+"
"""How every other answer begins."""
UP_LIMIT = 8
LISTING_BYTES = 1 << 16
