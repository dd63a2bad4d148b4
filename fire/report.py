"""fire/report.py --list | --lines
fire/report.py --results DIR --about FILE --md FILE --ktap FILE [--] NAME...

Reads fire/lines. --list prints them for a person, --lines with tabs for commands/fire: name, seconds, kernel, vCPUs,
options.

Otherwise reads what commands/fire left in DIR/NAME of each line: "done" says what the result is of and how it ended,
"now" what it would be of if run now; only a result of the same thing counts. Writes the report and KTAP of all lines,
prints the table.
The exit status is about the lines NAME: 0 all passed, 1 not.
"""
import argparse
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(HERE, "..", "suite"))
import verdict  # noqa: E402

SAID = 8  # lines of a single test's output that the report shows


def conclusion_of(place):
    """The last line of the log of a run that was left in the folder place."""
    log = verdict.lines_of(os.path.join(place, "log"), needed=False)
    return log[-1] if log else "no output"


class Line:
    """One line of fire/lines, and its result once load() has found one."""

    def __init__(self, section, what, words):
        self.section, self.what = section, what
        self.name, self.expected, self.kernel, self.smp, *self.options = words
        self.facts, self.tests, self.splats, self.said, self.conclusion = None, [], [], [], "not run"
        self.failed = []  # attempts of the same thing

    def load(self, results, deny, allow):
        place = os.path.join(results, self.name)
        done = verdict.lines_of(os.path.join(place, "done"), needed=False)
        now = verdict.lines_of(os.path.join(place, "now"), needed=False)
        if not done or done[:-3] != now:
            return
        self.facts = dict(line.split(" ", 1) for line in done)
        self.conclusion = conclusion_of(place)
        failed = place + ".failed"
        for attempt in sorted(os.listdir(failed), key=int) if os.path.isdir(failed) else []:
            self.failed.append(f"attempt {attempt}: {conclusion_of(os.path.join(failed, attempt))}")
        n = 1
        while os.path.exists(os.path.join(place, f"run{n}", "outcome.json")):
            run = verdict.Run(os.path.join(place, f"run{n}"), deny, allow)
            self.tests += run.tests
            self.splats += run.splats
            n += 1
        if len({t.name for t in self.tests}) == 1:
            said = [line for line in self.tests[0].output if line.strip() and not line.startswith("round ")][-SAID:]
            self.said = [line.replace(ROOT + os.sep, "") for line in said]  # a shell names its script by the whole path

    @property
    def good(self):
        return self.facts is not None and self.facts["status"] == "0"

    @property
    def result(self):
        if self.facts is None:
            return "not run"
        attempt = int(self.facts["attempt"])
        return ("passed" if self.good else "FAILED") + (f" in attempt {attempt}" if attempt > 1 else "")

    @property
    def seconds(self):
        return int(self.facts["seconds"]) if self.facts else 0

    def count(self, result):
        return sum(t.result == result for t in self.tests)

    def counts(self):
        if self.facts is None:
            return ""
        text = f"{self.count('pass')} passed"
        for result, word in (("fail", "failed"), ("skip", "skipped")):
            if n := self.count(result):
                text += f", {n} {word}"
        return text


def duration(seconds):
    return f"{seconds // 60}m{seconds % 60:02}s" if seconds >= 60 else f"{seconds}s"


def read_lines():
    section, what, found = "", [], []
    for raw in verdict.lines_of(os.path.join(HERE, "lines")):
        if raw.startswith("["):
            section, what = raw.strip("[]"), []
        elif raw.startswith("#"):
            what.append(raw.lstrip("# "))
        elif raw.strip():
            found.append(Line(section, " ".join(what), raw.split()))
            what = []
    return found


def table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return ["  ".join(f"{cell:{w}}" for cell, w in zip(row, widths)).rstrip() for row in rows]


def cells(line):
    return [line.name, line.kernel, line.smp, line.result, duration(line.seconds) if line.facts else "", line.counts(),
            str(len(line.splats)) if line.facts else ""]


def totals(lines):
    ran = [x for x in lines if x.facts]
    return (f"{sum(x.good for x in ran)} of {len(lines)} lines passed; "
            f"{duration(sum(x.seconds for x in ran))} in guests, "
            f"{sum(x.count('pass') for x in ran)} tests passed, {sum(x.count('fail') for x in ran)} failed, "
            f"{sum(x.count('skip') for x in ran)} skipped; "
            f"{sum(len(x.splats) for x in ran)} splats")


def report(lines, about):
    yield "# Under fire"
    yield ""
    yield ("The series on debug kernels, under hostile schedulers and faults, and for many rounds. "
           "Written by `./workbench fire --keep`; `./workbench fire NAME` runs one line again. "
           "A line passes when its tests do and the kernel's console shows no WARN, BUG, lockdep, KASAN, KCSAN, "
           "stall or hang message (`suite/splats`).")
    yield ""
    yield f"**{totals(lines)}.**"
    yield ""
    for what in about:
        key, value = what.split(" ", 1)
        yield f"- {key}: {value}"
    for kernel in dict.fromkeys(x.kernel for x in lines):
        images = {x.facts["image"] for x in lines if x.facts and x.kernel == kernel}
        config = "" if kernel == "main" else f" and `kernel/{kernel}.config`"
        image = ", ".join(sorted(images)) or "not built"
        yield f"- kernel {kernel}: `kernel/series.config`, `kernel/guest.config`{config}; image {image}"
    for section in dict.fromkeys(x.section for x in lines):
        mine = [x for x in lines if x.section == section]
        yield ""
        yield f"## {section}"
        yield ""
        yield "| line | what | kernel | vCPUs | result | took | tests | splats |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for x in mine:
            name, *rest = cells(x)
            yield "| " + " | ".join([f"`{name}`", x.what, *rest]) + " |"
        for x in mine:
            bad = [] if x.good or not x.facts else [x.conclusion, *(s["line"] for s in x.splats[:SAID])]
            if x.said or bad or x.failed:
                yield ""
                yield f"`{x.name}` said:"
                yield ""
                yield from (f"    {line}" for line in x.failed + x.said + bad)
    unable = os.path.join(HERE, "not-run.md")
    if os.path.exists(unable):
        yield ""
        yield from verdict.lines_of(unable)


def ktap(lines):
    yield "KTAP version 1"
    yield f"1..{len(lines)}"
    for n, x in enumerate(lines, 1):
        yield from (f"# {line}" for line in x.failed)
        if not x.good:
            yield f"# {x.conclusion}"
            yield from (f"# {s['line']}" for s in x.splats)
        yield f"{'ok' if x.good else 'not ok'} {n} {x.name} # {x.result}, {x.seconds} s"


def write(path, lines):
    with open(path, "w") as f:
        f.writelines(f"{line}\n" for line in lines)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--list", action="store_true")
    p.add_argument("--lines", action="store_true")
    for option in ("--results", "--about", "--md", "--ktap"):
        p.add_argument(option)
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    lines = read_lines()
    if a.lines:
        for x in lines:
            print(x.name, x.expected, x.kernel, x.smp, " ".join(x.options), sep="\t")
        return 0
    if a.list:
        print("\n".join(table([[x.name, duration(int(x.expected)), x.kernel, x.smp, x.what] for x in lines])))
        return 0
    lists = os.path.join(HERE, "..", "suite")
    deny = verdict.patterns(os.path.join(lists, "splats"))
    allow = verdict.patterns(os.path.join(lists, "splats.except"), may_be_empty=True)
    for x in lines:
        x.load(a.results, deny, allow)
    write(a.ktap, ktap(lines))
    write(a.md, report(lines, verdict.lines_of(a.about)))
    asked = [x for x in lines if x.name in a.names]
    for x in asked:
        if not x.good:
            print(f"{x.name}: {x.conclusion}")
    print("\n".join(table([["line", "kernel", "vCPUs", "result", "took", "tests", "splats"], *map(cells, asked)])))
    print(("PASS: " if all(x.good for x in asked) else "FAIL: ") + totals(asked))
    return 0 if all(x.good for x in asked) else 1


if __name__ == "__main__":
    sys.exit(main())
