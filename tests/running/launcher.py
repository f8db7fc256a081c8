"""Starts programs that are nobody's children: what the tests have loaded and read must not count for them."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_SERVE = """
import json, os, socket, subprocess, sys
if os.fork():
    os._exit(0)  # the other one is an orphan: its parent is the first process
channel = socket.socket(fileno=int(sys.argv[1]))
channel.send(b"%d" % os.getpid())
while order := channel.recv(1 << 16):
    words, environment = json.loads(order)
    done = subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    channel.send(json.dumps([done.returncode, done.stderr[-2000:].decode(errors="replace")]).encode())
"""


class Launcher:
    """One such starter; close it in the end."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = [sys.executable, "-I", "-S", "-c", _SERVE, str(theirs.fileno())]
            subprocess.run(words, pass_fds=[theirs.fileno()], check=True)
        self._channel.settimeout(120)
        self.pid = int(self._channel.recv(64))

    def run(self, words: Sequence[str | Path], **environment: str) -> None:
        """Runs a program to its end; one that fails fails the test."""
        self._channel.send(json.dumps([[str(word) for word in words], {**os.environ, **environment}]).encode())
        status, said = json.loads(self._channel.recv(1 << 16))
        assert status == 0, said

    def close(self) -> None:
        """Ends it."""
        self._channel.close()
        os.kill(self.pid, signal.SIGTERM)
