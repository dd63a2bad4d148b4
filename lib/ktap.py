"""KTAP, version 1: what all of the workbench's machine-readable results are written with."""
from dataclasses import dataclass


@dataclass
class Test:
    """A line of it. Comments that begin with "SKIP" have a meaning. `said` is printed in front of
    the line, each of its lines as a comment, and so are the results of the tests that `inside`
    has, indented."""

    name: str
    good: bool
    comment: str = ""
    said: tuple = ()
    inside: tuple = ()


def lines(tests):
    """-> the lines, with a plan"""
    tests = list(tests)
    yield "KTAP version 1"
    yield f"1..{len(tests)}"
    for n, t in enumerate(tests, 1):
        if t.inside:
            yield from (f"    {line}" for line in lines(t.inside))
        yield from (f"# {line}" for line in t.said)
        comment = f" # {t.comment}" if t.comment else ""
        yield f"{'ok' if t.good else 'not ok'} {n} {t.name}{comment}"
