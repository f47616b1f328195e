# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests that run in a guest: find them, pack them into few boots, collect what they said."""

import os
import random
import re
import shutil
import subprocess
import time

import ktap

# Directories whose scripts are not tests of the guest.
NOT_GUEST = ("bench", "checks", "demo", "harness", "model", "tools", "unit", "vm")
HEAD_LINES = 30
BOOT_SECONDS = 120
POLL_SECONDS = 0.5
# For a look at what a test waits for that does not end, and at what it leaves.
END_SECONDS = 100
DEFAULT_SECONDS = 180
# The debug kernel is that much slower.
DEBUG_FACTOR = 4
# How long a test that soaks lasts with --long.
SOAK_SECONDS = 3600

STOCK = ("6.1", "6.12")
# What both stock kernels run every time: the cuts under load, restarts, and a bit of everything.
EVERY_TIME = ("selftests/cut/consistent", "selftests/cut/one-by-one", "selftests/cut/overlapping",
              "selftests/crash/", "selftests/lab/")
# Of all tests, one in so many is run by the debug kernel in one ./check.
DEBUG_PART = 16
# Of the tests of a capability that has many long ones, one ./check runs one in so many.
SAMPLED_PART = 2
# Of its boots, one in so many also looks for leaks, which costs half as much again.
LEAKS_PART = 3


# Programs that tests start again and again, and what they are linked with.
HOT = ("cohortctl", "stamp", "iocheck", "cutloop", "call", "dmsetup", "blockdev", "bash", "sed",
       "grep", "mawk", "dd", "dmesg", "timeout", "sleep", "numfmt", "jq", "rm", "mkdir", "modprobe")


def hot_files():
    """Their paths: opened from the host's root, each costs the guest several round trips."""
    path = os.pathsep.join([os.path.abspath("build/bin"), os.environ["PATH"]])
    programs = [p for p in (shutil.which(name, path=path) for name in HOT) if p]
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    libraries = re.findall(r"(/\S+) \(", said)
    return sorted({os.path.realpath(p) for p in programs + libraries})


class Test:
    """A test file and what its "guest:" line asks for.

    disks=N size=SIZE disk=SPEC mem=SIZE cpus=N timeout=SECONDS kernel=6.12,debug udev alone long
    sampled: one ./check runs a part of these, drawn by lot
    parallel: it is about what CPUs do at the same moment; the CPUs of others take turns on one
    thread of the host, which has two guests run side by side in less than half of the time
    soak: with --long it lasts SOAK_SECONDS, which COHORT_SOAK tells it
    """

    def __init__(self, path, wishes):
        self.path = path
        self.words = wishes.split()
        self.disks = int(self.wish("disks", 6))
        self.size = self.wish("size", "1G")
        self.extra = [w[5:] for w in self.words if w.startswith("disk=")]
        self.mem = self.wish("mem", "1G")
        self.cpus = self.wish("cpus", "2")
        self.timeout = int(self.wish("timeout", DEFAULT_SECONDS))
        # Not drawn by lot: these, each time.
        self.kernels = [k for k in self.wish("kernel", "").split(",") if k]
        self.udev = "udev" in self.words
        self.alone = "alone" in self.words
        self.long = "long" in self.words
        self.soak = "soak" in self.words
        self.sampled = "sampled" in self.words
        self.turns = "parallel" not in self.words and "COHORT_LONG" not in os.environ

    def wish(self, name, default):
        for word in self.words:
            if word.startswith(name + "="):
                return word[len(name) + 1:]
        return default

    def group(self):
        """Tests with equal groups share a boot."""
        return (self.path if self.alone else "", self.udev, self.mem, self.cpus, self.turns,
                self.size, tuple(self.extra), self.disks)


def head_wishes(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        for _, line in zip(range(HEAD_LINES), file):
            match = re.match(r"(?:#|//| \*)\s*guest:\s*(.*)", line)
            if match:
                return match.group(1)
    return ""


def scripts():
    for name in sorted(os.listdir("selftests")):
        folder = os.path.join("selftests", name)
        if name in NOT_GUEST or not os.path.isdir(folder):
            continue
        for file in sorted(os.listdir(folder)):
            path = os.path.join(folder, file)
            if file.endswith((".sh", ".py")) and not file.endswith(".host.sh") \
                    and os.access(path, os.X_OK):
                yield Test(path, head_wishes(path))


def share(tests, seed):
    """{path: kernels} of one ./check, drawn by lot: each test on one kernel at least, but for
    those that are sampled and not drawn."""
    dice = random.Random(seed)
    tests = sorted(tests, key=lambda test: test.path)
    dice.shuffle(tests)
    left_out = [test for test in tests if test.sampled]
    del left_out[::SAMPLED_PART]
    kernels = {}
    for number, test in enumerate(tests):
        every_time = test.path.startswith(EVERY_TIME)
        debug = number % DEBUG_PART == 0 and not test.long
        if test.kernels:
            kernels[test.path] = test.kernels
        elif test in left_out and not debug:
            kernels[test.path] = []
        else:
            stock = STOCK if every_time else () if debug else STOCK[number % 2:][:1]
            kernels[test.path] = [*stock, *(("debug",) if debug else ())]
    return kernels


def discover(kernel, pattern, seed):
    """The tests of this kernel; all of them when no seed divides them up."""
    tests = list(scripts())
    if seed is None:
        return [test for test in tests
                if kernel in (test.kernels or [kernel]) and pattern in test.path]
    kernels = share(tests, seed)
    for test in tests:
        # What both stock kernels run is run in parallel by one of them, drawn by lot.
        test.turns |= kernel == STOCK[seed % 2] and set(kernels[test.path]) >= set(STOCK)
        # What is drawn for the debug kernel is there for what that looks at, at any moment.
        test.turns |= kernel == "debug" and not test.kernels
    return [test for test in tests if kernel in kernels[test.path] and pattern in test.path]


def plan(kernel, pattern, seed):
    """[(tests that share boots, whether leaks are looked for)] of this kernel."""
    groups = {}
    for test in discover(kernel, pattern, seed):
        groups.setdefault(test.group(), []).append(test)
    dice = random.Random(seed)
    return [(group, seed is None or "debug" in group[0].kernels or dice.randrange(LEAKS_PART) == 0)
            for group in groups.values()]


class Boot:
    """One guest that runs tests of one group, as far as it gets."""

    def __init__(self, kernel, tests, folder, leaks):
        self.kernel = kernel
        self.tests = tests
        self.folder = folder
        self.leaks = leaks
        self.status = None
        self.ended = 0
        self.last_end = None

    def file(self, name):
        return os.path.join(self.folder, name)

    def text(self, name):
        try:
            with open(self.file(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def seconds_of(self, test):
        seconds = test.timeout * (DEBUG_FACTOR if self.kernel == "debug" else 1)
        return seconds + (SOAK_SECONDS if test.soak and "COHORT_LONG" in os.environ else 0)

    def command(self, limit):
        first = self.tests[0]
        args = ["selftests/vm/run", "--kernel", self.kernel, "--mem", first.mem,
                "--cpus", first.cpus, "--timeout", str(limit), "--out", self.folder,
                "--log", self.file("kernel.log")]
        args += ["--udev"] if first.udev else []
        args += ["--turns"] if first.turns else []
        args += [] if self.leaks else ["--append", "kmemleak=off"]
        args += ["--env", "COHORT_SEED=%s" % os.environ["COHORT_SEED"]]
        if "COHORT_LONG" in os.environ:
            args += ["--env", "COHORT_SOAK=%d" % SOAK_SECONDS]
        for disk in [first.size] * first.disks + first.extra:
            args += ["--disk", disk]
        return args + ["--", "selftests/vm/batch", self.file("list")]

    def run(self, deadline, report):
        """Runs it; each test is reported as it ends."""
        os.makedirs(self.folder)
        with open(self.file("list"), "w", encoding="utf-8") as file:
            for number, test in enumerate(self.tests):
                file.write("%d %d %s\n" % (number, self.seconds_of(test), test.path))
        with open(self.file("hot"), "w", encoding="utf-8") as file:
            file.write("\n".join(hot_files()) + "\n")
        wanted = BOOT_SECONDS + sum(self.seconds_of(test) + END_SECONDS for test in self.tests)
        limit = max(1, int(min(wanted, deadline - time.monotonic())))
        self.last_end = time.monotonic()
        with open(self.file("words"), "wb") as words, \
                subprocess.Popen(self.command(limit), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=words) as guest:
            while guest.poll() is None:
                time.sleep(POLL_SECONDS)
                self.tell(report)
        self.tell(report)
        self.status = guest.returncode

    def tell(self, report):
        while self.ended < len(self.tests):
            results = self.outcome(self.ended)
            if results is None:
                return
            now = time.monotonic()
            report.said(self.text("%d.out" % self.ended) or "")
            report.add(self.tests[self.ended].path, results, now - self.last_end)
            self.last_end = now
            self.ended += 1

    def outcome(self, number):
        """The results of a test that ended, else None."""
        status = self.text("%d.status" % number)
        if not status:
            return None
        results = ktap.read(self.text("%d.out" % number) or "", int(status))
        dirty = self.text("%d.dirty" % number)
        if dirty and not any(r.verdict == ktap.FAIL for r in results):
            results.append(ktap.Result("left the machine dirty", ktap.FAIL, dirty))
        return results

    def kernel_log_of(self, path):
        log = self.text("kernel.log") or ""
        at = log.rfind("cohort-test: file " + path)
        return "\n".join(log[max(at, 0):].splitlines()[-150:])

    def death(self, number):
        """The results of the test in which the guest died, or before which it never came up."""
        test = self.tests[number]
        said = self.text("%d.out" % number)
        reader = ktap.Reader()
        for line in (said or "").splitlines():
            reader.feed(line)
        last = (self.text("words") or "").strip().splitlines()[-1:] or ["no words"]
        words = "\n".join(reader.said + [self.kernel_log_of(test.path)])
        return reader.results + [
            ktap.Result("the guest did not survive: " + last[0], ktap.FAIL, words)]


def run_group(kernel, tests, folder, leaks, deadline, report):
    """Boot after boot, until each test of the group has an outcome."""
    boots = 0
    while tests:
        boot = Boot(kernel, tests, "%s/%d" % (folder, boots), leaks)
        boots += 1
        if time.monotonic() >= deadline:
            for test in tests:
                report.add(test.path, [ktap.Result("no time left to run it", ktap.FAIL)])
            return
        boot.run(deadline, report)
        ended = boot.ended
        # A boot that ended well stopped at a dirty test; else the next one died.
        if boot.status != 0 and ended < len(tests):
            report.add(tests[ended].path, boot.death(ended))
            ended += 1
        elif ended == 0:
            report.add(tests[0].path, boot.death(0))
            ended = 1
        tests = tests[ended:]


def run_all(kernel, pattern, seed, folder, seconds, report):
    """Run the guest tests of one kernel; report.add(path, results, seconds) and
    report.said(output) are called for each file."""
    folder = os.path.abspath(folder)
    shutil.rmtree(folder, ignore_errors=True)
    groups = plan(kernel, pattern, seed)
    if not groups and not pattern:
        report.add("guest tests", [ktap.Result("no test found", ktap.FAIL)])
    deadline = time.monotonic() + seconds
    for number, (group, leaks) in enumerate(groups):
        run_group(kernel, group, "%s/group%d" % (folder, number), leaks, deadline, report)
