"""modelwarden sees the AI that runs on a Linux workstation."""

__version__ = "0.1.0"
