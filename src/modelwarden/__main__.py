"""`python -m modelwarden` is the command `modelwarden`."""

import sys

from modelwarden.cli import main

if __name__ == "__main__":
    sys.exit(main())
