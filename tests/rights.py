"""How tests run something without root's rights, wherever the checkout lies."""

import os

NOBODY = 65534
_READS_FILES = "+dac_read_search"
"""All that is kept: a checkout below /root can be read by nobody else."""

AS_NOBODY = (
    [
        "/usr/bin/setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        f"--inh-caps={_READS_FILES}",
        f"--ambient-caps={_READS_FILES}",
    ]
    if os.geteuid() == 0
    else []
)
"""The beginning of a command; empty for who has no rights to give up."""
