# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes out of the guest: COMMAND's two streams and the kernel's log."""

import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))


def trouble_pattern():
    """What no test may cause, one expression per line of a file that shell tests read too.

    Most of it also panics the guest (see KERNEL_ARGS); the scan catches the rest.
    """
    with open(os.path.join(HERE, "trouble"), "rb") as file:
        return re.compile(b"|".join(file.read().splitlines()))


TROUBLE = trouble_pattern()


class Output:
    """One of COMMAND's streams: copied as it comes, up to the end mark."""

    def __init__(self, fd, nonce):
        self.fd = fd
        self.mark = re.compile(rb"\x00%s (\d+)\x00" % nonce.encode())
        self.start = b"\0" + nonce.encode()
        self.held = b""
        self.status = None

    def feed(self, data):
        """Returns the bytes that were COMMAND's."""
        if self.status is not None:
            return b""
        self.held += data
        match = self.mark.search(self.held)
        if match:
            self.status = int(match.group(1))
            ready, self.held = self.held[:match.start()], b""
        else:
            keep = self.possible_mark()
            ready, self.held = self.held[:keep], self.held[keep:]
        self.write(ready)
        return ready

    def possible_mark(self):
        """Where the end mark may have begun, else the end of what is held."""
        at = self.held.rfind(b"\0", -len(self.start) - 8)
        while at >= 0:
            tail = self.held[at:]
            if tail.startswith(self.start) or self.start.startswith(tail):
                return at
            at = self.held.rfind(b"\0", 0, at)
            if at < len(self.held) - len(self.start) - 8:
                break
        return len(self.held)

    def write(self, data):
        while data:
            data = data[os.write(self.fd, data):]

    def close(self):
        self.write(self.held)
        self.held = b""


class Console:
    """The kernel's log: kept, copied to --log, searched for trouble line by line."""

    SETUP_MARK = b"cohort-vm: guest starts"
    COMMAND_MARK = b"cohort-vm: COMMAND starts"

    def __init__(self, path):
        self.file = open(path, "wb", buffering=0) if path else None
        self.lines = []
        self.partial = b""
        self.trouble = None
        self.setup_at = 0
        self.command_at = 0

    def feed(self, data):
        if self.file:
            self.file.write(data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        for line in lines:
            self.add(line.rstrip(b"\r"))

    def add(self, line):
        if self.SETUP_MARK in line:
            self.setup_at = len(self.lines)
        if self.COMMAND_MARK in line:
            self.command_at = len(self.lines)
        if not self.trouble and TROUBLE.search(line):
            self.trouble = line.decode("utf-8", "replace").strip()
        self.lines.append(line)

    def close(self):
        if self.partial:
            self.add(self.partial)
        if self.file:
            self.file.close()

    def show(self):
        """The log since COMMAND started (or the guest's setup); of an earlier death, all of it."""
        sys.stderr.flush()
        out = sys.stderr.buffer
        out.write(b"--- kernel log ---\n")
        for line in self.lines[self.command_at or self.setup_at:]:
            out.write(line + b"\n")
        out.write(b"--- end of kernel log ---\n")
        out.flush()
