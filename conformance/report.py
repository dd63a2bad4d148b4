"""conformance/report.py --tree TREE --out DIR RESULTS.json...

What each kernel keeps of the requirements, and what became of each selftest, from the results of
conformance/ask. Which selftest proves which requirement is in the selftests' first comments (TREE).
What a failure means was looked at by a person: conformance/judged.
Writes DIR/conformance.md, .ktap and .xml (JUnit). Prints the first table, and how many of them each
kernel keeps.
Exit status: 0; 1 the kernel of the series doesn't keep something, or a failure wasn't looked at.
"""
import argparse
import collections
import json
import os
import re
import sys
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "lib"))
import ktap  # noqa: E402


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


def passed(test):
    """Also one that was skipped: nothing was found that is wrong."""
    return test["result"] in ("pass", "skip") and not test["splats"]


class Kernel:
    def __init__(self, path, judged):
        with open(path) as f:
            self.data = json.load(f)
        self.name = self.data["name"]
        self.tests = {t["name"]: t for t in self.data["tests"]}
        self.unknown = []
        self.broken = collections.defaultdict(list)  # requirement or "-": (test, words)
        for t in self.data["tests"]:
            if passed(t):
                continue
            saw = f"{t['case']}: {t['why']} {' '.join(t['splats'])}"
            means = [
                (r, words)
                for test, pattern, r, words in judged
                if test == t["name"] and pattern.search(saw)
            ]
            for r, words in means:
                self.broken[r].append((t["name"], words))
            if not means:
                self.unknown.append(t["name"])

    def cell(self, requirement, tests):
        """-> kept, broken, ?, or not asked, and why"""
        if requirement in self.broken:
            seen = (f"{words} ({test})" for test, words in self.broken[requirement])
            return "**broken**", "; ".join(seen)
        rows = [self.tests[t] for t in tests if t in self.tests]
        if unknown := [t["name"] for t in rows if t["name"] in self.unknown]:
            return "?", "not looked at: " + ", ".join(unknown)
        results = {t["result"] for t in rows}
        if "pass" in results and results <= {"pass", "skip"}:
            return "kept", ""
        return "-", "; ".join(why_not_asked(t) for t in rows if t["result"] != "pass") or "no test"


def why_not_asked(test):
    why = test["why"] if test["result"] == "skip" else "ended before it got there"
    return f"{test['name']}: {why}"


def table(head, rows):
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def requirements_table(kernels, answers, names):
    """-> the table's lines, and the notes that its cells refer to"""
    notes, rows = [], []
    for r, cells in answers.items():
        row = [r, names.get(r, "")]
        for k, (word, why) in zip(kernels, cells):
            if why:
                note = f"{k.name}: {why}"
                if note not in notes:
                    notes.append(note)
                word += f" ({notes.index(note) + 1})"
            row.append(word)
        rows.append(row)
    return table(["", "requirement", *(k.name for k in kernels)], rows), notes


def tests_table(kernels):
    rows = []
    for name in sorted({n for k in kernels for n in k.tests}):
        cells = [k.tests.get(name, {"result": "", "splats": []}) for k in kernels]
        words = [c["result"] + (" + splat" if c["splats"] else "") for c in cells]
        if set(words) - {"pass", "skip"}:
            rows.append([name, *words])
    return table(["selftest", *(k.name for k in kernels)], rows)


def ktap_tests(kernels):
    for k in kernels:
        inside = []
        for t in k.tests.values():
            comment = ""
            if t["result"] == "skip":
                comment = f"SKIP {t['why']}"
            elif not passed(t):
                comment = f"{t['result']} {t['why']}".rstrip()
            inside.append(ktap.Test(t["name"], passed(t), comment))
        yield ktap.Test(k.name, all(t.good for t in inside), inside=inside)


def junit(kernels):
    suites = xml.Element("testsuites")
    for k in kernels:
        tests = k.tests.values()
        counts = {
            "tests": len(tests),
            "failures": sum(not passed(t) for t in tests),
            "skipped": sum(t["result"] == "skip" for t in tests),
        }
        counts = {name: str(count) for name, count in counts.items()}
        suite = xml.SubElement(suites, "testsuite", name=k.name, **counts)
        for t in tests:
            seconds = str(t["seconds"] or 0)
            case = xml.SubElement(
                suite, "testcase", classname="sched_ext", name=t["name"], time=seconds
            )
            if not passed(t):
                why = "; ".join([t["result"], t["case"], t["why"], *t["splats"]])
                xml.SubElement(case, "failure", message=why)
            elif t["result"] == "skip":
                xml.SubElement(case, "skipped", message=t["why"])
    xml.indent(suites)
    return xml.tostring(suites, encoding="unicode", xml_declaration=True)


def markdown(kernels, first, notes):
    yield from (
        "# Which kernel keeps what",
        "",
        "Made by `./workbench conformance`: the selftests of the series, one binary for all, on each",
        "kernel in an emulated guest. `./workbench conformance --only TEST KERNEL` asks one of them",
        "again.",
        "",
    )
    yield from table(
        ["kernel", "is", "package", "asked"],
        [
            [k.name, k.data["kernel"], k.data.get("package") or "built here", k.data["date"]]
            for k in kernels
        ],
    )
    yield from (
        "",
        "kept: all selftests that prove it pass. **broken**: seen, and looked at. -: can't be asked",
        "there. ?: a failure nobody looked at.",
        "",
    )
    yield from first
    yield ""
    yield from (f"{i}. {note}" for i, note in enumerate(notes, 1))
    yield ""
    beyond = [f"- {k.name}: {words} ({test})" for k in kernels for test, words in k.broken["-"]]
    if beyond:
        yield from ("Beyond the requirements:", "", *beyond, "")
    yield from ("## Selftests that don't pass everywhere", "")
    yield from tests_table(kernels)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tree", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("results", nargs="+")
    a = p.parse_args()
    judged = judgements()
    kernels = [Kernel(path, judged) for path in a.results]
    proven = proven_by(a.tree)
    answers = {r: [k.cell(r, proven[r]) for k in kernels] for r in numbers(proven)}
    first, notes = requirements_table(kernels, answers, titles())
    reports = {
        "md": "\n".join(markdown(kernels, first, notes)),
        "ktap": "\n".join(ktap.lines(ktap_tests(kernels))),
        "xml": junit(kernels),
    }
    for name, text in reports.items():
        with open(os.path.join(a.out, f"conformance.{name}"), "w") as f:
            f.write(text + "\n")
    print("\n".join(first))
    status = 0
    for n, k in enumerate(kernels):
        words = [cells[n][0] for cells in answers.values()]
        unknown = f", not looked at: {', '.join(k.unknown)}" if k.unknown else ""
        print(
            f"{k.name}: {words.count('kept')} kept, {words.count('**broken**')} broken,"
            f" {words.count('-')} can't be asked{unknown}"
        )
        if k.unknown or (k.name == "series" and "**broken**" in words):
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
