# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the steps of selftests/steps and count: the second half of ./check."""

import argparse
import concurrent.futures
import fcntl
import fnmatch
import glob
import os
import shlex
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import figures  # noqa: E402
import guest    # noqa: E402
import ktap     # noqa: E402
import pace     # noqa: E402

LOGS = "build/check"
# Guests wait for their disks, and for their own clocks, half of the time.
WORKERS = (os.cpu_count() or 2) + 1
SHOWN_LINES = 100


class Step:
    """One line of selftests/steps."""

    def __init__(self, part, name, budget, seconds, needs, kind, command):
        self.part = part
        self.name = name
        self.budget = int(budget)
        self.seconds = int(seconds)
        self.needs = needs
        self.kind = kind
        self.command = command


def expand(fields):
    """A step whose path is a pattern is one step per file; {} stands for the file."""
    name, budget, seconds, needs, kind, command = fields
    part = name.rstrip("-")
    if "*" not in needs:
        yield Step(part, *fields)
        return
    for path in sorted(glob.glob(needs)):
        base = os.path.splitext(os.path.basename(path))[0]
        yield Step(part, name + base, budget, seconds, path, kind,
                   command.replace("{}", shlex.quote(path)))


def load_steps(path):
    """Phases, divided by empty lines; the steps of a phase may run side by side."""
    phases = [[]]
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.strip()
            if line.startswith("#"):
                continue
            if not line:
                phases.append([])
                continue
            phases[-1] += expand(line.split(None, 5))
    return [phase for phase in phases if phase]


class Report:
    """What is printed while it goes, and the sums at the end."""

    def __init__(self):
        self.lock = threading.Lock()
        self.count = {ktap.PASS: 0, ktap.FAIL: 0, ktap.SKIP: 0}
        self.failures = []
        self.figures = figures.Figures()
        self.budget = figures.Budget()
        self.pace = pace.Pace()
        self.pace.start()
        self.begin = time.monotonic()

    def add(self, where, results, seconds=None):
        with self.lock:
            for result in results:
                self.count[result.verdict] += 1
                if result.verdict == ktap.FAIL:
                    self.failures.append("%s: %s" % (where, result.name))
            self.show(where, results, seconds)

    def said(self, output):
        with self.lock:
            self.figures.read(output)

    def spent(self, step, seconds):
        with self.lock:
            self.budget.spend(step.part, step.budget, seconds)

    def show(self, where, results, seconds):
        bad = [r for r in results if r.verdict == ktap.FAIL]
        skipped = [r for r in results if r.verdict == ktap.SKIP]
        mark = "FAIL" if bad else "skip" if len(skipped) == len(results) else "ok"
        took = "" if seconds is None else " %.0f s" % seconds
        counts = "" if len(results) == 1 else " (%d cases)" % len(results)
        print("[%4d s] %-4s %s%s%s" % (time.monotonic() - self.begin, mark, where, counts, took))
        for result in skipped:
            print("         skipped: %s" % result.name)
        for result in bad:
            print("         failed: %s" % result.name)
            for line in result.words.splitlines()[-SHOWN_LINES:]:
                print("         | " + line)
        sys.stdout.flush()

    def reach(self):
        """After a whole run: a figure that was not reached is a failure of its own."""
        for words in self.figures.short():
            self.add("figures", [ktap.Result(words, ktap.FAIL)])

    def end(self):
        """Prints the sums; true if the tree is good."""
        print("\n" + "\n".join(self.budget.table()))
        print("\n" + self.pace.line())
        if self.failures:
            print("\nfailed:")
            for line in self.failures:
                print("  " + line)
        line = self.figures.line(len(self.failures))
        if line:
            print("\n" + line)
        if not self.count[ktap.PASS]:
            print("nothing has been tested")
        print("%d passed, %d failed, %d skipped"
              % tuple(self.count[v] for v in (ktap.PASS, ktap.FAIL, ktap.SKIP)))
        return self.count[ktap.PASS] > 0 and self.count[ktap.FAIL] == 0


class GuestReport:
    """What harness/guest.py tells of one kernel's tests."""

    def __init__(self, name, report):
        self.name = name
        self.report = report

    def add(self, path, results, seconds=None):
        self.report.add("%s %s" % (self.name, path), results, seconds)

    def said(self, text):
        self.report.said(text)


def run_command(step):
    """(exit status or 124, output) of a step's command; its children die with it."""
    with subprocess.Popen(["bash", "-c", step.command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=step.seconds)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            status = 124
    return status, output.decode("utf-8", "replace")


def seed_of_commit():
    """What is drawn by lot in one ./check, so that a commit always draws the same."""
    given = os.environ.get("COHORT_SEED")
    if given:
        return int(given)
    done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return int(done.stdout[:8] or "0", 16) % 1000000


def judge_command(step, report):
    status, output = run_command(step)
    report.said(output)
    with open(os.path.join(LOGS, step.name + ".log"), "w", encoding="utf-8") as file:
        file.write(output)
    if step.kind == "ktap":
        return ktap.read(output, status)
    if status == 0:
        return [ktap.Result(step.name, ktap.PASS)]
    if status == ktap.EXIT_SKIP:
        return [ktap.Result(output.strip() or step.name, ktap.SKIP)]
    name = "took more than %d s" % step.seconds if status == 124 else "exit status %d" % status
    return [ktap.Result(name, ktap.FAIL, output)]


def run_step(step, report, args):
    begin = time.monotonic()
    if step.needs != "-" and not os.path.exists(step.needs):
        report.add(step.name, [ktap.Result("%s does not exist" % step.needs, ktap.SKIP)])
    elif step.kind == "guest":
        seed = None if args.long or args.pattern else args.seed
        guest.run_all(step.command, args.pattern, seed, os.path.join(LOGS, step.name),
                      step.seconds * (10 if args.long else 1),
                      GuestReport(step.name, report))
    else:
        results = judge_command(step, report)
        report.add(step.name, results, time.monotonic() - begin)
    report.spent(step, time.monotonic() - begin)


def run_phase(steps, report, args):
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(run_step, step, report, args) for step in steps]
        for step, future in zip(steps, futures):
            if future.exception():
                report.add(step.name, [ktap.Result(repr(future.exception()), ktap.FAIL)])


def parse_args():
    parser = argparse.ArgumentParser(prog="./check", description=__doc__)
    parser.add_argument("-l", "--list", action="store_true", help="list the steps")
    parser.add_argument("-k", metavar="WORD", default="", dest="pattern",
                        help="of the guest tests, only those with WORD in their path")
    parser.add_argument("--long", type=float, metavar="HOURS",
                        help="every guest test on every kernel, again and again for so long")
    parser.add_argument("steps", nargs="*", metavar="STEP",
                        help="only these steps (shell patterns)")
    args = parser.parse_args()
    args.seed = seed_of_commit()
    return args


def run_phases(phases, report, args):
    os.environ["COHORT_SEED"] = str(args.seed)
    if args.long:
        os.environ["COHORT_LONG"] = "1"
    print("seed %d" % args.seed, flush=True)
    for phase in phases:
        run_phase(phase, report, args)


def wanted(step, patterns):
    return not patterns or any(fnmatch.fnmatch(step.name, p) for p in patterns)


def lock_logs():
    """Two runs in one tree would write the same logs: the second waits. Held to the end."""
    file = open(LOGS + ".lock", "w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("check: waiting for another run in this tree", flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    return file


def main():
    args = parse_args()
    phases = load_steps("selftests/steps")
    phases = [[s for s in phase if wanted(s, args.steps)] for phase in phases]
    if args.list:
        print("\n".join(s.name for phase in phases for s in phase))
        return 0
    os.makedirs(LOGS, exist_ok=True)
    lock = lock_logs()
    report = Report()
    run_phases(phases, report, args)
    while args.long and time.monotonic() - report.begin < args.long * 3600:
        args.seed += 1
        run_phases(phases[-2:], report, args)
    lock.close()
    if not args.steps and not args.pattern:
        report.reach()
    return 0 if report.end() else 1


if __name__ == "__main__":
    sys.exit(main())
