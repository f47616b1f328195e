# SPDX-License-Identifier: GPL-2.0-or-later
"""Read KTAP: what passed, what failed and with which words, and whether all of it came."""

import re

PASS, FAIL, SKIP = "pass", "fail", "skip"
EXIT_SKIP = 4
EXIT_TIMEOUT = (124, 137)

RESULT = re.compile(r"(ok|not ok)\s+(\d+)?\s*(?:-\s+)?([^#]*)(?:#\s*(.*))?$")
PLAN = re.compile(r"1\.\.(\d+)\b(?:\s*#\s*SKIP\s*(.*))?", re.IGNORECASE)


class Result:
    """One case: its name, its verdict, and the lines that were said before it."""

    def __init__(self, name, verdict, words=""):
        self.name = name
        self.verdict = verdict
        self.words = words

    def __repr__(self):
        return "%s: %s" % (self.verdict, self.name)


def verdict_of(word, directive):
    directive = (directive or "").upper()
    if directive.startswith("SKIP"):
        return SKIP
    if word == "ok" or directive.startswith("XFAIL"):
        return PASS
    return FAIL


class Reader:
    """Top-level lines only: nested results are summed up by their parent's line."""

    def __init__(self):
        self.results = []
        self.plan = None
        self.skipped_all = None
        self.bailed = None
        self.said = []

    def feed(self, line):
        result = RESULT.match(line)
        plan = PLAN.match(line)
        if result:
            word, number, name, directive = result.groups()
            name = name.strip() or directive or "case %s" % number
            self.results.append(Result(name, verdict_of(word, directive),
                                       "\n".join(self.said)))
            self.said = []
        elif plan and self.plan is None:
            self.plan = int(plan.group(1))
            self.skipped_all = plan.group(2) if self.plan == 0 else None
        elif line.startswith("Bail out!"):
            self.bailed = line
        else:
            self.said.append(line)


def complaints(reader, status):
    """What is wrong beyond the cases themselves."""
    if status in EXIT_TIMEOUT:
        yield "ran out of time"
    if reader.bailed:
        yield reader.bailed
    if not reader.results:
        yield "no KTAP result (exit status %s)" % status
    elif reader.plan is None:
        yield "no KTAP plan"
    elif reader.plan != len(reader.results):
        yield "%d cases planned, %d reported" % (reader.plan, len(reader.results))
    if status not in (0, EXIT_SKIP, *EXIT_TIMEOUT) and \
            not any(r.verdict == FAIL for r in reader.results):
        yield "exit status %s although no case failed" % status


def read(text, status):
    """All results of one test program."""
    reader = Reader()
    for line in text.splitlines():
        reader.feed(line)
    if not reader.results and (status == EXIT_SKIP or reader.plan == 0):
        if status in (0, EXIT_SKIP):
            return [Result(reader.skipped_all or "all", SKIP)]
    found = list(reader.results)
    said = "\n".join(reader.said[-100:])
    for words in complaints(reader, status):
        found.append(Result(words, FAIL, said))
        said = ""
    return found
