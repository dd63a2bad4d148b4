"""suite/verdict.py --out DIR --expect FILE --lists DIR [--plan-repeat] RUN-DIR...

Judges guest runs of the sched_ext selftests. Each RUN-DIR holds output.log (suite/in-guest's),
console.log and outcome.json (guest/boot's); the first is the run, the others are runs of what
failed, in order.

  --expect   names the tests that must appear, one a line
  --lists    is the folder of splats, splats.except and flakes
  --failed   prints the names that failed, for a rerun, and writes nothing

Writes DIR/results.ktap, DIR/results.json, DIR/summary.txt; prints the summary.
Exit status: 0 good; 1 a test failed, did not run, or the kernel splatted, hung or died; 125 the
guest did not boot; 130 interrupted; 2 an input is missing.
"""
import argparse
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "lib"))
import ktap  # noqa: E402

# The kernel's, with PRINTK_CALLER or without.
STAMP = re.compile(r"^\[\s*(\d+\.\d+)\](?:\[\s*[TC]\d+\])? ")
START = re.compile(r"^TEST: (\S+)")
# The base's runner ends all of them in " # ".
RESULT = re.compile(r"^(ok|not ok) \d+ (\S+)(?: # ?(SKIP)?|$)")
ANSI = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\r")

# What kselftest's runner and the suite's write around a test.
FRAME = ("=====  END", "===== START", "DESCRIPTION:")
LAST_LINES = 8  # of a failed test's output, in the summary


def plural(count, word):
    return f"{count} {word}{'s' * (count != 1)}"


def die(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def lines_of(path, needed=True):
    try:
        with open(path, errors="replace") as f:
            return [ANSI.sub("", line.rstrip("\n")) for line in f]
    except OSError as e:
        if needed:
            die(f"{path}: {e.strerror}")
        return []


def entries(path):
    """The lines of a data file without comments."""
    return [line for line in lines_of(path) if line.strip() and not line.startswith("#")]


def stamped(line):
    """-> seconds since boot or None, the rest of the line"""
    m = STAMP.match(line)
    return (float(m.group(1)), line[m.end() :]) if m else (None, line)


class Test:
    """One run of one test: result is pass, fail, skip, or None while it runs."""

    def __init__(self, name, start):
        self.name, self.start, self.end = name, start, None
        self.result, self.output = None, []

    @property
    def seconds(self):
        if self.start is None or self.end is None:
            return None
        return round(self.end - self.start, 1)


class Run:
    """What one boot of the guest has shown."""

    def __init__(self, path, deny, allow):
        self.path = path
        try:
            with open(os.path.join(path, "outcome.json")) as f:
                self.outcome = json.load(f)
        except (OSError, ValueError) as e:
            die(f"{path}/outcome.json: {e}")
        self.how = self.outcome["outcome"]
        self.tests = []
        self.read_output()
        self.splats = list(self.find_splats(deny, allow))

    def read_output(self):
        current = None
        for raw in lines_of(os.path.join(self.path, "output.log"), needed=False):
            when, line = stamped(raw)
            line = line.removeprefix("# ")  # kselftest's runner puts this before each line
            if m := START.match(line):
                current = Test(m.group(1), when)
                self.tests.append(current)
            elif current and (m := RESULT.match(line)) and m.group(2) == current.name:
                current.result = "pass" if m.group(1) == "ok" else "fail"
                if m.group(3):
                    current.result = "skip"
                current.end = when
            elif line.startswith(FRAME) or line == "OUTPUT:":
                pass
            elif current and current.result is None:
                current.output.append(line)

    def find_splats(self, deny, allow):
        for raw in lines_of(os.path.join(self.path, "console.log"), needed=self.how != "no-boot"):
            when, line = stamped(raw)
            if any(p.search(line) for p in deny) and not any(p.search(line) for p in allow):
                yield {"test": self.running_at(when), "line": line.strip()}

    def running_at(self, when):
        for t in self.tests:
            if when is not None and t.start is not None and t.start <= when <= (t.end or when):
                return t.name
        return None

    def result_of(self, name):
        """-> the Test; of several runs (--repeat) the first that did not pass, else the last."""
        mine = [t for t in self.tests if t.name == name]
        bad = [t for t in mine if t.result not in ("pass", "skip")]
        if bad:
            return bad[0]
        return mine[-1] if mine else None


class Verdict:
    def __init__(self, expected, runs, flakes):
        self.expected, self.runs, self.flakes = expected, runs, flakes
        self.rows = [self.row(name) for name in expected]
        self.strangers = sorted({t.name for t in runs[0].tests} - set(expected))
        self.splats = [s for r in runs for s in r.splats]

    def row(self, name):
        """One test's line of the summary.

        result is pass, skip, flaky, fail or missing; good tells whether the run may pass.
        """
        first = self.runs[0].result_of(name)
        row = {
            "name": name,
            "result": "missing",
            "good": False,
            "seconds": first.seconds if first else None,
            "note": "",
            "attempts": [],
            "output": first.output if first else [],
        }
        if first is None:
            row["note"] = "did not run"
            return row
        if first.result is None:
            row["result"] = "fail"
            row["note"] = {
                "timeout": "did not end before the time limit",
                "silent": "hung without output",
                "died": "the kernel died while it ran",
            }.get(self.runs[0].how, "its result is missing")
            return row
        again = [t for r in self.runs[1:] if (t := r.result_of(name))]
        row["attempts"] = [t.result or "none" for t in [first, *again]]
        row["result"], row["good"] = first.result, first.result != "fail"
        repeated = [t.result or "none" for t in self.runs[0].tests if t.name == name]
        times = len(repeated)
        if times > 1:
            row["note"] = f"{times} times"
            if not row["good"]:
                row["note"] = f"in run {repeated.index('fail') + 1}"
            if name in self.flakes:
                row["attempts"] = repeated
        count = len(row["attempts"])
        if first.result == "fail" and count > 1:
            passed = row["attempts"].count("pass")
            if passed:
                row["result"], row["good"] = "flaky", name in self.flakes
                why = "not a known flake (suite/flakes)"
                if row["good"]:
                    why = f"known: {self.flakes[name]}"
                row["note"] = f"failed {count - passed} of {count} runs; {why}"
            else:
                row["note"] = f"failed all {count} runs"
        return row

    def count(self, *results):
        return sum(r["result"] in results for r in self.rows)

    def conclude(self):
        """-> exit status, conclusion line"""
        main = self.runs[0]
        if main.how == "no-boot":
            return 125, "NO BOOT: the guest did not boot, nothing was tested"
        if any(r.how == "interrupted" for r in self.runs):
            return 130, "INTERRUPTED"
        bad = []
        if main.how == "died":
            bad.append("the kernel died")
        elif main.how in ("timeout", "silent"):
            bad.append("the guest hung and was stopped")
        elif main.how != "exited":
            bad.append(f"the guest ended oddly ({main.how})")
        for r in self.runs[1:]:
            if r.how != "exited":
                bad.append(f"the guest of a rerun ended as '{r.how}'")
        failures = [r for r in self.rows if r["result"] in ("fail", "flaky")]
        failed = [r["name"] for r in failures if not r["good"]]
        if failed:
            bad.append(f"{len(failed)} failed ({' '.join(failed)})")
        if n := self.count("missing"):
            bad.append(f"{n} of {len(self.rows)} did not run")
        if self.strangers:
            bad.append(f"tests ran that nobody expected ({' '.join(self.strangers)})")
        if self.rows and self.count("skip") == len(self.rows):
            bad.append("all were skipped, so nothing was tested")
        if self.splats:
            bad.append(plural(len(self.splats), "kernel splat"))
        if bad:
            return 1, "FAIL: " + "; ".join(bad)
        extra = []
        if n := self.count("skip"):
            extra.append(f"{n} skipped")
        if n := self.count("flaky"):
            extra.append(f"{n} flaky, known")
        passed = f"{self.count('pass', 'flaky')} of {plural(len(self.rows), 'test')} passed"
        if extra:
            passed += f" ({', '.join(extra)})"
        return 0, f"PASS: {passed}, no kernel splat"

    def seconds(self):
        return round(sum(r.outcome["seconds"] for r in self.runs), 1)

    def summary(self, out):
        status, conclusion = self.conclude()
        width = max(len(r["name"]) for r in self.rows)
        if status != 125:
            yield f"{'test':{width}}  result   seconds  note"
            for r in self.rows:
                seconds = "-" if r["seconds"] is None else f"{r['seconds']:.1f}"
                result = r["result"] if r["result"] == "pass" else r["result"].upper()
                yield f"{r['name']:{width}}  {result:7} {seconds:>8}  {r['note']}".rstrip()
        yield ""
        for r in self.rows:
            said = [line for line in r["output"] if line.strip()]
            if not r["good"] and said:
                yield f"{r['name']} said{' last' if len(said) > LAST_LINES else ''}:"
                yield from (f"    | {line}" for line in said[-LAST_LINES:])
        for s in self.splats:
            yield f"splat{' during ' + s['test'] if s['test'] else ''}: {s['line']}"
        yield (
            f"{plural(len(self.rows), 'test')}: {self.count('pass')} passed, "
            f"{self.count('flaky')} flaky, {self.count('fail')} failed, "
            f"{self.count('skip')} skipped, {self.count('missing')} did not run; "
            f"{plural(len(self.splats), 'splat')}; "
            f"{self.seconds():.0f} s in {plural(len(self.runs), 'guest')}"
        )
        logs = f"{self.runs[0].path}/output.log, console.log"
        yield f"results: {out}/results.ktap, results.json; run: {logs}"
        yield conclusion

    def tests(self):
        for r in self.rows:
            comment = []
            if r["result"] == "skip":
                comment.append("SKIP")
            elif r["note"]:
                comment.append(f"{r['result']}: {r['note']}")
            if r["seconds"] is not None:
                comment.append(f"{r['seconds']} s")
            said = () if r["good"] else r["output"]
            yield ktap.Test(r["name"], r["good"], " ".join(comment), said)
        whole = not self.splats and all(r.how == "exited" for r in self.runs)
        comment = "no splat, and the guest lived until the end"
        yield ktap.Test("kernel", whole, comment, [s["line"] for s in self.splats])

    def as_json(self):
        status, conclusion = self.conclude()
        keys = ("name", "result", "good", "seconds", "note", "attempts")
        tests = [{key: r[key] for key in keys} for r in self.rows]
        return {
            "status": status,
            "conclusion": conclusion,
            "seconds": self.seconds(),
            "boot_seconds": self.runs[0].outcome.get("boot_seconds"),
            "tests": tests,
            "splats": self.splats,
        }


def patterns(path, may_be_empty=False):
    try:
        found = [re.compile(line) for line in entries(path)]
    except re.error as e:
        die(f"{path}: '{e.pattern}': {e}")
    if not found and not may_be_empty:
        die(f"{path} is empty: nothing would be found")
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out")
    p.add_argument("--expect", required=True)
    p.add_argument("--lists", required=True)
    p.add_argument("--failed", action="store_true")
    p.add_argument("runs", nargs="+")
    a = p.parse_args()
    deny = patterns(os.path.join(a.lists, "splats"))
    allow = patterns(os.path.join(a.lists, "splats.except"), may_be_empty=True)
    known = entries(os.path.join(a.lists, "flakes"))
    flakes = dict((line.split(None, 1) + [""])[:2] for line in known)
    expected = entries(a.expect)
    if not expected:
        die(f"{a.expect} names no test")
    verdict = Verdict(expected, [Run(r, deny, allow) for r in a.runs], flakes)

    if a.failed:
        # What has a verdict of its own, and failed each time until now.
        for r in verdict.rows:
            if r["attempts"] and set(r["attempts"]) == {"fail"}:
                print(r["name"])
        return 0
    summary = "\n".join(verdict.summary(a.out)) + "\n"
    for name, text in (
        ("results.ktap", "\n".join(ktap.lines(verdict.tests())) + "\n"),
        ("summary.txt", summary),
        ("results.json", json.dumps(verdict.as_json(), indent=1) + "\n"),
    ):
        with open(os.path.join(a.out, name), "w") as f:
            f.write(text)
    print(summary, end="")
    return verdict.conclude()[0]


if __name__ == "__main__":
    sys.exit(main())
