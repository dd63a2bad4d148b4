"""What the scenarios' results look like: a table, Markdown, KTAP."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "suite"), os.path.join(ROOT, "lib")]
import ktap  # noqa: E402
import verdict  # noqa: E402

SAID = 8  # lines of a single test's output that are shown
INTRODUCTION = """\
# Torture

The series on debug kernels, under hostile schedulers and faults, and for many rounds. Written by
`./workbench torture --keep`; `./workbench torture NAME` runs one scenario again. A scenario passes
when its tests do and the kernel's console shows no WARN, BUG, lockdep, KASAN, KCSAN, stall or hang
message (`suite/splats`). One of which an earlier attempt on the same tree and kernel failed has not
passed: it is flaky, and what each attempt said is below.
"""


def duration(seconds):
    return f"{seconds // 60}m{seconds % 60:02}s" if seconds >= 60 else f"{seconds}s"


class Row:
    """A scenario, its result, and what its tests did in the last attempt."""

    def __init__(self, scenario, result):
        self.scenario, self.result = scenario, result
        self.tests, self.splats, self.said = [], [], []
        if not result.ran:
            return
        folder = result.attempt(len(result.attempts))
        try:
            with open(os.path.join(folder, "results.json")) as f:
                results = json.load(f)
        except FileNotFoundError:  # no guest was tried; the log says why
            return
        self.tests, self.splats = results["tests"], [s["line"] for s in results["splats"]]
        if len(self.tests) == 1:
            self.said = said(os.path.join(folder, "run1"))

    def count(self, *results):
        return sum(t["result"] in results for t in self.tests)

    def counts(self):
        text = f"{self.count('pass')} passed"
        for results, word in (
            (("flaky",), "flaky"),
            (("fail", "missing"), "failed"),
            (("skip",), "skipped"),
        ):
            if n := self.count(*results):
                text += f", {n} {word}"
        return text

    def cells(self):
        s, r = self.scenario, self.result
        done = [duration(r.seconds), self.counts(), str(len(self.splats))] if r.ran else [""] * 3
        return [s.name, s.kernel, s.smp, r.verdict, *done]

    def remarks(self):
        """-> lines of what there is to say besides the verdict"""
        r = self.result
        for n in r.failed:
            yield f"attempt {n}: {r.attempts[n - 1]['conclusion']}"
        yield from self.said
        if not r.stands:
            yield from self.splats[:SAID]


def said(run):
    """-> the last lines of the one test of a run of the guest"""
    tests = verdict.Run(run, [], []).tests
    lines = tests[0].output if tests else []
    lines = [line for line in lines if line.strip() and not line.startswith("round ")]
    # A shell names its script by the whole path.
    return [line.replace(ROOT + os.sep, "") for line in lines[-SAID:]]


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths)).rstrip()


def listing(scenarios):
    return aligned([[s.name, duration(s.seconds), s.kernel, s.smp, s.what] for s in scenarios])


def totals(rows):
    good = sum(row.result.good for row in rows)
    flaky = sum(row.result.stands and not row.result.good for row in rows)
    ran = [row for row in rows if row.result.ran]
    return (
        f"{good} of {len(rows)} scenarios passed"
        + (f", {flaky} only in a later attempt" if flaky else "")
        + f"; {duration(sum(row.result.seconds for row in ran))} in guests, "
        f"{sum(row.count('pass', 'flaky') for row in ran)} tests passed, "
        f"{sum(row.count('fail', 'missing') for row in ran)} failed, "
        f"{sum(row.count('skip') for row in ran)} skipped; "
        f"{sum(len(row.splats) for row in ran)} splats"
    )


def table(rows):
    for row in rows:
        if not row.result.good:
            yield from (f"{row.scenario.name}: {line}" for line in row.remarks())
    titles = ["scenario", "kernel", "vCPUs", "result", "took", "tests", "splats"]
    yield from aligned([titles, *(row.cells() for row in rows)])
    yield ("PASS: " if all(row.result.good for row in rows) else "FAIL: ") + totals(rows)


def markdown(rows, about):
    yield INTRODUCTION
    yield f"**{totals(rows)}.**"
    yield ""
    yield from (f"- {key}: {value}" for key, value in about.items())
    for kernel in dict.fromkeys(row.scenario.kernel for row in rows):
        images = {row.result.of["image"] for row in rows if row.scenario.kernel == kernel}
        config = "" if kernel == "main" else f" and `kernel/{kernel}.config`"
        yield (
            f"- kernel {kernel}: `kernel/series.config`, `kernel/guest.config`{config}; "
            f"image {', '.join(images - {''}) or 'not built'}"
        )
    for group in dict.fromkeys(row.scenario.group for row in rows):
        yield from ("", f"## {group}", "")
        yield "| scenario | what | kernel | vCPUs | result | took | tests | splats |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        mine = [row for row in rows if row.scenario.group == group]
        for row in mine:
            name, *rest = row.cells()
            yield "| " + " | ".join([f"`{name}`", row.scenario.what, *rest]) + " |"
        for row in mine:
            if remarks := list(row.remarks()):
                yield from ("", f"`{row.scenario.name}` said:", "")
                yield from (f"    {line}" for line in remarks)
                if row.scenario.note:
                    yield from ("", row.scenario.note)
    unable = os.path.join(HERE, "not-run.md")
    if os.path.exists(unable):
        yield ""
        yield from verdict.lines_of(unable)


def ktap_lines(rows):
    return ktap.lines(
        ktap.Test(
            row.scenario.name,
            row.result.good,
            f"{row.result.verdict}, {row.result.seconds} s",
            () if row.result.good else row.remarks(),
        )
        for row in rows
    )
