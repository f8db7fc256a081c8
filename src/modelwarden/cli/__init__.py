"""The command line: wiring, one file a command."""


def main() -> int:
    """Placeholder until the commands are wired."""
    return 0
