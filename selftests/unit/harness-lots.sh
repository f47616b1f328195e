#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What ./check draws by lot: with any seed each guest test runs somewhere, and equal seeds draw alike.
#
# Runs in user space, reads the heads of the tests, boots nothing.

cd "$(dirname "$0")/../.." || exit 1
exec python3 -B - <<'END'
import sys

sys.path.insert(0, "selftests/harness")
import guest  # noqa: E402

KERNELS = ("6.1", "6.12", "debug")
SEEDS = range(200)
ALL = {test.path: test for test in guest.scripts()}


def drawn(seed):
    return {kernel: [(test.path, leaks) for group, leaks in guest.plan(kernel, "", seed)
                     for test in group] for kernel in KERNELS}


def missing_of(seed):
    return set(ALL) - {path for tests in drawn(seed).values() for path, _ in tests}


def each_test_runs():
    for seed in SEEDS:
        missing = {path for path in missing_of(seed) if not ALL[path].sampled}
        assert not missing, "seed %d leaves out %s" % (seed, sorted(missing))


def a_part_of_the_sampled_runs():
    sampled = [test.path for test in ALL.values() if test.sampled]
    assert sampled
    for seed in SEEDS:
        assert len(missing_of(seed)) * guest.SAMPLED_PART <= \
            len(sampled) * (guest.SAMPLED_PART - 1), seed
    for path in sampled:
        left_out = sum(path in missing_of(seed) for seed in SEEDS)
        assert 0 < left_out < len(SEEDS) * guest.SAMPLED_PART // (guest.SAMPLED_PART + 1), path


def named_kernels_are_kept():
    for seed in SEEDS:
        for kernel, tests in drawn(seed).items():
            for path, _ in tests:
                assert kernel in (ALL[path].kernels or KERNELS), (seed, kernel, path)
        for path, test in ALL.items():
            for kernel in test.kernels:
                assert path in dict(drawn(seed)[kernel]), (seed, kernel, path)


def equal_seeds_draw_alike():
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def no_seed_runs_all_of_them():
    for kernel in KERNELS:
        wanted = {p for p, test in ALL.items() if kernel in (test.kernels or KERNELS)}
        assert set(dict(drawn(None)[kernel])) == wanted


def parallel_runs_somewhere():
    """A test that is about a moment: on a stock kernel, or on the debug kernel that it names."""
    for seed in SEEDS:
        parallel = {test.path: [] for test in ALL.values() if not test.turns}
        for kernel in KERNELS:
            for test in guest.discover(kernel, "", seed):
                if not test.turns:
                    parallel[test.path].append(kernel)
        for path, kernels in parallel.items():
            assert "debug" not in kernels or "debug" in ALL[path].kernels, (seed, path)
        assert all(parallel[p] for p in parallel if p.startswith(guest.EVERY_TIME)), seed


CASES = (each_test_runs, a_part_of_the_sampled_runs, named_kernels_are_kept, equal_seeds_draw_alike, no_seed_runs_all_of_them,
         parallel_runs_somewhere)
failed = 0
for number, case in enumerate(CASES, 1):
    try:
        case()
        word = "ok"
    except Exception as error:
        print("# %r" % error)
        word, failed = "not ok", 1
    print("%s %d %s" % (word, number, case.__name__.replace("_", " ")))
print("1..%d" % len(CASES))
sys.exit(failed)
END
