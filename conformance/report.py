"""conformance/report.py --tree TREE --out DIR RESULTS.json...

What each kernel keeps of the requirements, and what became of each selftest, from the results of conformance/ask. Which selftest proves
which requirement is in the selftests' first comments (TREE). What a failure means was looked at by a person: conformance/judged.
Writes DIR/conformance.md, .ktap and .xml (JUnit). Prints the first table, and what each kernel breaks.
Exit status: 0; 1 the kernel of the series doesn't keep something, or a failure wasn't looked at.
"""
import argparse
import collections
import json
import os
import re
import sys
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(HERE)


def numbers(text):
    return sorted(text, key=lambda r: int(r[1:]))


def proven_by(tree):
    """{requirement: selftests that prove it}, from lines " * R3 R4<tab>what" in the selftests."""
    found = collections.defaultdict(list)
    folder = os.path.join(tree, "tools/testing/selftests/sched_ext")
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".c") or file.endswith(".bpf.c"):
            continue
        with open(os.path.join(folder, file)) as f:
            for line in f:
                if m := re.match(r" \* ((?:R\d+ ?)+)\t", line):
                    for r in m.group(1).split():
                        if file[:-2] not in found[r]:
                            found[r].append(file[:-2])
    return found


def titles():
    """{requirement: what it's about}, in short"""
    with open(os.path.join(HERE, "titles")) as f:
        return dict(line.rstrip("\n").split("\t") for line in f)


def judgements():
    found = []
    with open(os.path.join(HERE, "judged")) as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                test, pattern, requirement, words = line.rstrip("\n").split("\t")
                found.append((test, re.compile(pattern), requirement, words))
    return found


class Kernel:
    def __init__(self, path, judged):
        with open(path) as f:
            self.data = json.load(f)
        self.name = self.data["name"]
        self.tests = {t["name"]: t for t in self.data["tests"]}
        self.unknown = []
        self.broken = collections.defaultdict(list)  # requirement or "-": (test, words)
        for t in self.data["tests"]:
            if t["result"] in ("pass", "skip") and not t["splats"]:
                continue
            saw = f"{t['case']}: {t['why']} {' '.join(t['splats'])}"
            means = [(r, words) for test, pattern, r, words in judged if test == t["name"] and pattern.search(saw)]
            for r, words in means:
                self.broken[r].append((t["name"], words))
            if not means:
                self.unknown.append(t["name"])

    def cell(self, requirement, tests):
        """-> kept, broken, ?, or not asked, and why"""
        if requirement in self.broken:
            return "**broken**", "; ".join(f"{words} ({test})" for test, words in self.broken[requirement])
        rows = [self.tests[t] for t in tests if t in self.tests]
        results = {t["name"]: t["result"] for t in rows}
        if any(name in self.unknown for name in results):
            return "?", "not looked at: " + ", ".join(n for n in results if n in self.unknown)
        if rows and all(r in ("pass", "skip") for r in results.values()) and "pass" in results.values():
            return "kept", ""
        return "-", "; ".join(f"{t['name']}: {t['why'] if t['result'] == 'skip' else 'ended before it got there'}" for t in rows
                              if t["result"] != "pass") or "no test"


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |",
            *("| " + " | ".join(r) + " |" for r in rows)]


def requirements_table(kernels, proven, names):
    notes, rows = [], []
    for r in numbers(proven):
        cells = []
        for k in kernels:
            word, why = k.cell(r, proven[r])
            if why:
                note = f"{k.name}: {why}"
                if note not in notes:
                    notes.append(note)
                word += f" ({notes.index(note) + 1})"
            cells.append(word)
        rows.append([r, names.get(r, ""), *cells])
    return table(["", "requirement", *(k.name for k in kernels)], rows), notes


def tests_table(kernels):
    rows = []
    for name in sorted({n for k in kernels for n in k.tests}):
        cells = [k.tests.get(name, {"result": "", "splats": []}) for k in kernels]
        words = [c["result"] + (" + splat" if c["splats"] else "") for c in cells]
        if set(words) - {"pass", "skip"}:
            rows.append([name, *words])
    return table(["selftest", *(k.name for k in kernels)], rows)


def ktap(kernels):
    out = ["KTAP version 1", f"1..{len(kernels)}"]
    for i, k in enumerate(kernels, 1):
        out += ["    KTAP version 1", f"    1..{len(k.tests)}"]
        for j, t in enumerate(k.tests.values(), 1):
            ok = t["result"] in ("pass", "skip") and not t["splats"]
            tail = f" # SKIP {t['why']}" if t["result"] == "skip" else "" if ok else f" # {t['result']} {t['why']}".rstrip()
            out.append(f"    {'ok' if ok else 'not ok'} {j} {t['name']}{tail}")
        good = all(t["result"] in ("pass", "skip") and not t["splats"] for t in k.tests.values())
        out.append(f"{'ok' if good else 'not ok'} {i} {k.name}")
    return out


def junit(kernels):
    out = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for k in kernels:
        bad = [t for t in k.tests.values() if t["result"] not in ("pass", "skip") or t["splats"]]
        skipped = sum(t["result"] == "skip" for t in k.tests.values())
        out.append(f"  <testsuite name={quoteattr(k.name)} tests=\"{len(k.tests)}\" failures=\"{len(bad)}\" skipped=\"{skipped}\">")
        for t in k.tests.values():
            head = f"    <testcase classname=\"sched_ext\" name={quoteattr(t['name'])} time=\"{t['seconds'] or 0}\""
            if t in bad:
                why = "; ".join([t["result"], t["case"], t["why"], *t["splats"]])
                out.append(f"{head}><failure message={quoteattr(why)}/></testcase>")
            elif t["result"] == "skip":
                out.append(f"{head}><skipped message={quoteattr(t['why'])}/></testcase>")
            else:
                out.append(f"{head}/>")
        out.append("  </testsuite>")
    return [*out, "</testsuites>"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tree", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("results", nargs="+")
    a = p.parse_args()
    judged = judgements()
    kernels = [Kernel(path, judged) for path in a.results]
    first, notes = requirements_table(kernels, proven_by(a.tree), titles())
    beyond = [f"- {k.name}: {words} ({test})" for k in kernels for test, words in k.broken.get("-", [])]
    text = [
        "# Which kernel keeps what", "",
        "Made by `./workbench conformance`: the selftests of the series, one binary for all, on each kernel in an emulated guest.",
        "`./workbench conformance --only TEST KERNEL` asks one of them again.", "",
        *table(["kernel", "is", "package", "asked"],
               [[k.name, k.data["kernel"], k.data.get("package", "") or "built here", k.data["date"]] for k in kernels]), "",
        "kept: all selftests that prove it pass. **broken**: seen, and looked at. -: can't be asked there. ?: a failure nobody looked at.",
        "", *first, "", *(f"{i}. {note}" for i, note in enumerate(notes, 1)), "",
        *(["Beyond the requirements:", "", *beyond, ""] if beyond else []),
        "## Selftests that don't pass everywhere", "", *tests_table(kernels),
    ]
    for name, lines in (("md", text), ("ktap", ktap(kernels)), ("xml", junit(kernels))):
        with open(os.path.join(a.out, f"conformance.{name}"), "w") as f:
            f.write("\n".join(lines) + "\n")
    print("\n".join(first))
    status = 0
    for k in kernels:
        words = [k.cell(r, tests)[0] for r, tests in proven_by(a.tree).items()]
        print(f"{k.name}: {words.count('kept')} kept, {words.count('**broken**')} broken, {words.count('-')} can't be asked"
              + (f", not looked at: {', '.join(k.unknown)}" if k.unknown else ""))
        status = status or int(bool(k.unknown) or (k.name == "series" and "**broken**" in words))
    return status


if __name__ == "__main__":
    sys.exit(main())
