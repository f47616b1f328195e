# SPDX-License-Identifier: GPL-2.0-or-later
"""How fast the CPUs were while a ./check ran: says whether its seconds can be compared."""

import statistics
import threading
import time

# Between two looks, which cost a CPU as good as nothing.
PERIOD_SECONDS = 15
ROUNDS = 200000


def work():
    """CPU milliseconds of a fixed piece of work: a host that is busy with others stretches them."""
    begin = time.thread_time()
    value = 0
    for number in range(ROUNDS):
        value = (value * 1103515245 + number) & 0xffffffff
    return (time.thread_time() - begin) * 1000


class Pace:
    """Looks again and again from start() to line()."""

    def __init__(self):
        self.looks = [work()]
        self.ended = threading.Event()

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.ended.wait(PERIOD_SECONDS):
            self.looks.append(work())

    def line(self):
        self.ended.set()
        return ("pace: a fixed piece of work took %.0f ms of a CPU at best, %.0f in the middle, "
                "%.0f at worst" % (min(self.looks), statistics.median(self.looks),
                                   max(self.looks)))
