"""Which mutations did the guest of a run of mutate see caught?

caught.py RESULTS prints a line for each script of mutate that was run, as suite/run left it in
RESULTS, in order: its name, "caught" or else its result, its seconds and what was said first, with
tabs in between. Scripts that the guest did not get to, as it hung or died before, are left out.
"""
import json
import os
import re
import sys

STAMPS = re.compile(r"^(\[[ 0-9.]+\] )+")


def said(lines):
    """-> the failed test's first message behind the lines of source that it came by, innermost
    first; "" for none."""
    where = [m.group(1) for line in lines if (m := re.match(r"ERR: (?:[^:]+:)?(\d+)$", line))]
    first = next((i for i, line in enumerate(lines) if line.startswith("ERR: ")), None)
    if first is None or first + 1 == len(lines):
        return ""
    return f"line {' in '.join(where)}: {lines[first + 1]}"


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "results.json")) as f:
        results = json.load(f)
    outputs, name = {}, None
    with open(os.path.join(folder, "run1", "output.log"), errors="replace") as f:
        for line in f:
            one = re.sub(r"^\[[ 0-9.]+\] ", "", line.rstrip("\n"))
            if m := re.match(r"TEST: (\S+)$", one):
                name = m.group(1)
            outputs.setdefault(name, []).append(STAMPS.sub("", one))
    for test in results["tests"]:
        if test["result"] == "missing":
            continue
        name, lines = test["name"], outputs.get(test["name"], [])
        splats = [s["line"] for s in results["splats"] if s["test"] == name]
        what = said(lines) or "; ".join(splats[:1]) or test["note"] or test["result"]
        runs = sum(line.startswith("##### run ") for line in lines)
        if runs:
            what = f"run {runs}: {what}"
        print(
            name,
            "caught" if test["result"] == "fail" or splats else test["result"],
            round(test["seconds"] or 0),
            what,
            sep="\t",
        )


if __name__ == "__main__":
    main()
