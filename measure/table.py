"""measure/table.py COST.csv [--details] [--budget PERCENT SCHEDULER LOAD]: prints measure/cost's figures as tables.

A boot's figure is the median of its rounds; a kernel's is the median of its boots, with the lowest and the highest
boot beside it. The first kernel of the file is what the others are compared with. "~" stands after a difference that
is smaller than the spread between boots of one of the two kernels: it may be nothing.
--details prints every figure. --budget also fails (exit status 1) when a kernel needs more than PERCENT more
instructions than the first one for LOAD under SCHEDULER at any number of vCPUs. Exit status 2 when figures are missing.
"""
import csv
import sys
from collections import defaultdict
from statistics import median

LOADS = {
    "pipe": "pipe, round trip", "cross": "pipe across CPUs", "futex": "futex, round trip", "fork": "fork, exit, wait",
    "timer": "timer to task", "yield": "sched_yield()",
}


class Misuse(Exception):
    pass


def read(path):
    """-> {(kernel, smp, scheduler, load): [figure of each boot]}"""
    rounds = defaultdict(lambda: defaultdict(list))
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            key = row["kernel"], int(row["smp"]), row["scheduler"], row["load"]
            rounds[key][row["boot"]].append(float(row["ns"]))
    if not rounds:
        raise Misuse(f"{path}: no figures")
    return {key: sorted(median(r) for r in boots.values()) for key, boots in rounds.items()}


class Difference:
    def __init__(self, base, other):
        self.absolute = median(other) - median(base)
        self.percent = 100 * self.absolute / median(base)
        self.spread = max(base[-1] - base[0], other[-1] - other[0])
        self.noise = self.spread > abs(self.absolute)

    def __str__(self):
        return f"{self.percent:+.2f}%{'~' if self.noise else ' '}"


def distinct(values):
    return list(dict.fromkeys(values))


def counterpart(figures, base, smp, scheduler, load):
    """The base's figure to compare with: of the same scheduler, or, where the base lacks an option, without it."""
    for name in (scheduler, scheduler.split("+")[0]):
        if (base, smp, name, load) in figures:
            return figures[base, smp, name, load]
    raise Misuse(f"the kernel '{base}' has no figure for {load} under {scheduler} on {smp} vCPUs")


def title(scheduler):
    return scheduler.replace("+", " ")


def summary(figures, kernels, smps, out):
    cases = distinct((s, load) for _, _, s, load in figures)
    for kernel in kernels[1:]:
        out(f"Instructions per operation, kernel '{kernel}' against '{kernels[0]}', by vCPUs (~ within the spread of the boots)\n")
        out(f"  {'scheduler':14}{'load':20}{kernels[0] + ', ' + str(smps[0]) + ' vCPU':>16}" + "".join(f"{n:>9} " for n in smps))
        last = None
        for scheduler, load in cases:
            cells, first = "", ""
            for smp in smps:
                other = figures.get((kernel, smp, scheduler, load))
                if not other:
                    cells += f"{'-':>9} "
                    continue
                base = counterpart(figures, kernels[0], smp, scheduler, load)
                first = first or f"{median(base):.0f}"
                cells += f"{str(Difference(base, other)):>10}"
            if first:
                name = title(scheduler) if scheduler != last else ""
                last = scheduler
                out(f"  {name:14}{LOADS.get(load, load):20}{first:>16}" + cells.rstrip())
        out("")
    used = distinct(s for s, _ in cases if "+" in s)
    for scheduler in used:
        if not any((kernels[0], smp, scheduler, load) in figures for smp in smps for _, load in cases):
            out(f"'{kernels[0]}' has no {title(scheduler)}: compared with its {scheduler.split('+')[0]}.")


def details(figures, kernels, out):
    out("Every figure: lowest, median and highest boot; difference of the medians\n")
    out(f"  {'scheduler':14}{'load':20}{'vCPUs':>5}  {'kernel':10}{'min':>11}{'median':>11}{'max':>11}{'difference':>12}{'':>10}")
    for (kernel, smp, scheduler, load), figure in sorted(figures.items(), key=lambda f: (*order(figures, f[0]), f[0][1])):
        line = f"  {title(scheduler):14}{LOADS.get(load, load):20}{smp:>5}  {kernel:10}"
        line += f"{figure[0]:11.1f}{median(figure):11.1f}{figure[-1]:11.1f}"
        if kernel != kernels[0]:
            d = Difference(counterpart(figures, kernels[0], smp, scheduler, load), figure)
            line += f"{d.absolute:+12.1f}{str(d):>10}"
        out(line.rstrip())


def order(figures, key):
    """Cases in the file's order."""
    return (distinct((s, load) for _, _, s, load in figures).index(key[2:]),)


def over_budget(figures, kernels, percent, scheduler, load, out):
    asserted = [key for key in figures if key[0] != kernels[0] and key[2:] == (scheduler, load)]
    if not asserted:
        raise Misuse(f"nothing to assert: no figure for {load} under {scheduler}")
    failed = False
    for kernel, smp, _, _ in asserted:
        d = Difference(counterpart(figures, kernels[0], smp, scheduler, load), figures[kernel, smp, scheduler, load])
        over = d.percent > percent
        failed |= over
        out(f"{'over budget' if over else 'ok'}: {LOADS.get(load, load)} under {title(scheduler)} on {smp} vCPU, kernel '{kernel}': "
            f"{str(d).strip()} of at most +{percent}%")
    return failed


def main(argv):
    args, budget, with_details = argv[1:], None, False
    if "--details" in args:
        args.remove("--details")
        with_details = True
    if "--budget" in args:
        at = args.index("--budget")
        budget = args[at + 1:at + 4]
        del args[at:at + 4]
    if len(args) != 1 or (budget is not None and len(budget) != 3):
        print("usage: table.py COST.csv [--details] [--budget PERCENT SCHEDULER LOAD]", file=sys.stderr)
        return 2
    try:
        figures = read(args[0])
        kernels = distinct(k for k, _, _, _ in figures)
        smps = sorted({smp for _, smp, _, _ in figures})
        if with_details:
            details(figures, kernels, print)
            print()
        summary(figures, kernels, smps, print)
        return int(bool(budget) and over_budget(figures, kernels, float(budget[0]), *budget[1:], print))
    except (Misuse, OSError, KeyError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
