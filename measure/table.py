"""measure/table.py FIGURES.csv [--details | --largest] [--summary DIR] [--budget PERCENT SCHEDULER
LOAD]: prints measure/boots' figures as tables.

Cost: a boot's figure is the median of its rounds; a kernel's is the median of its boots, with the
lowest and the highest boot beside it. The first kernel of the file is what the others are compared
with. "~" stands after a difference that is smaller than the spread between boots of one of the two
kernels: it may be nothing.
Latency: quantiles over the samples of all boots, and the lowest and highest boot's p99. Waits: of
each stay on a local DSQ.
--details prints every figure of cost. --summary writes them to DIR, as cost.csv, latency.csv,
cdf.csv and waits.csv (for plots). --largest prints only the case of the second kernel's largest
increase.
--budget also fails (exit status 1) when a kernel needs more than PERCENT more instructions than the
first one for LOAD under SCHEDULER at any number of vCPUs. Exit status 2 when figures are missing.
"""
import csv
import math
import os
import sys
from collections import defaultdict
from statistics import median

LOADS = {
    "pipe": "pipe, round trip",
    "cross": "pipe across CPUs",
    "futex": "futex, round trip",
    "fork": "fork, exit, wait",
    "timer": "timer to task",
    "yield": "sched_yield()",
}


class Misuse(Exception):
    pass


def read(path):
    """-> ({(kernel, smp, scheduler, load): [cost of each boot, sorted]}, {(what, kernel, smp, way,
    kind): {boot: [ns, sorted]}})"""
    rounds = defaultdict(lambda: defaultdict(list))
    samples = defaultdict(lambda: defaultdict(list))
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if row["what"] == "cost":
                key = row["kernel"], int(row["smp"]), row["scheduler"], row["load"]
                rounds[key][row["boot"]].append(float(row["ns"]))
            else:
                key = row["what"], row["kernel"], int(row["smp"]), row["scheduler"], row["load"]
                samples[key][row["boot"]].append(int(row["ns"]))
    if not rounds and not samples:
        raise Misuse(f"{path}: no figures")
    cost = {key: sorted(median(r) for r in boots.values()) for key, boots in rounds.items()}
    return cost, {key: {b: sorted(ns) for b, ns in boots.items()} for key, boots in samples.items()}


def quantile(values, q):
    """The smallest value that at least the part q of the sorted values does not exceed."""
    return values[max(0, math.ceil(q * len(values)) - 1)]


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
    """The base's figure to compare with: of the same scheduler, or, where the base lacks an option,
    without it."""
    for name in (scheduler, scheduler.split("+")[0]):
        if (base, smp, name, load) in figures:
            return figures[base, smp, name, load]
    raise Misuse(f"the kernel '{base}' has no figure for {load} under {scheduler} on {smp} vCPUs")


def title(scheduler):
    return scheduler.replace("+", " ")


def summary(figures, kernels, smps, out):
    cases = distinct((s, load) for _, _, s, load in figures)
    for kernel in kernels[1:]:
        out(
            f"Instructions per operation, kernel '{kernel}' against '{kernels[0]}', by vCPUs "
            "(~ within the spread of the boots)\n"
        )
        out(
            f"  {'scheduler':14}{'load':20}{kernels[0] + ', ' + str(smps[0]) + ' vCPU':>16}"
            + "".join(f"{n:>9} " for n in smps)
        )
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
        if not any(
            (kernels[0], smp, scheduler, load) in figures for smp in smps for _, load in cases
        ):
            out(
                f"'{kernels[0]}' has no {title(scheduler)}: compared with its {scheduler.split('+')[0]}."
            )


def details(figures, kernels, out):
    out("Every figure: lowest, median and highest boot; difference of the medians\n")
    out(
        f"  {'scheduler':14}{'load':20}{'vCPUs':>5}  {'kernel':10}"
        f"{'min':>11}{'median':>11}{'max':>11}{'difference':>12}{'':>10}"
    )
    for (kernel, smp, scheduler, load), figure in sorted(
        figures.items(), key=lambda f: (*order(figures, f[0]), f[0][1])
    ):
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
        d = Difference(
            counterpart(figures, kernels[0], smp, scheduler, load),
            figures[kernel, smp, scheduler, load],
        )
        over = d.percent > percent
        failed |= over
        out(
            f"{'over budget' if over else 'ok'}: {LOADS.get(load, load)} under {title(scheduler)} "
            f"on {smp} vCPU, kernel '{kernel}': "
            f"{str(d).strip()} of at most +{percent}%"
        )
    return failed


WAYS = {"none": "nothing", "hook": "sched_switch hook", "immed": "SCX_ENQ_IMMED"}
HANDBACK = {**WAYS, "none": "(task is put)"}
QUANTILES = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1))
KINDS = {"run": "wake-up to run", "done": "wake-up to work done", "ns": "hand-back"}
TITLES = {
    "storm": "Short SCX tasks among FIFO tasks on any CPU and hogs, {smp} vCPUs: their times, in us",
    "latency": "While FIFO and DEADLINE tasks take CPUs at random, {smp} vCPUs: times of SCX tasks, in us",
    "sub": "Two sub-schedulers share {smp} vCPUs; one stuffs the CPUs' local DSQs: times of the other's tasks, in us",
}


def pooled(boots):
    return sorted(ns for values in boots.values() for ns in values)


def latency(samples, what, out):
    keys = [k for k in samples if k[0] == what]
    for smp in sorted({k[2] for k in keys}):
        out(TITLES[what].format(smp=smp) + "\n")
        out(
            f"  {'':22}{'neighbour' if what == 'sub' else 'scheduler':20}{'kernel':10}{'samples':>8}"
            + "".join(f"{name:>9}" for name, _ in QUANTILES)
            + f"{'p99 of boots':>18}"
        )
        for kind in distinct(k[4] for k in keys if k[4] in KINDS):
            title = KINDS[kind]
            for way in WAYS:
                for key in keys:
                    if key[2:] != (smp, way, kind):
                        continue
                    all_boots = pooled(samples[key])
                    p99 = [quantile(v, 0.99) / 1000 for v in samples[key].values()]
                    cells = "".join(f"{quantile(all_boots, q) / 1000:9.0f}" for _, q in QUANTILES)
                    out(
                        f"  {title:22}{WAYS[way]:20}{key[1]:10}{len(all_boots):8}{cells}"
                        f"{f'{min(p99):.0f} to {max(p99):.0f}':>18}"
                    )
                    title = ""
        out("")


def waits(samples, out):
    """What the promise is about: the time on a local DSQ while the CPU runs something else."""
    keys = [k for k in samples if k[0] == "storm" and k[4] == "zero"]
    for smp in sorted({k[2] for k in keys}):
        out(
            f"The same, {smp} vCPUs: time on a local DSQ while the CPU ran something else, in us; "
            "rounds of the least served task\n"
        )
        out(
            f"  {'scheduler':20}{'kernel':10}{'stays':>8}{'waited':>9}{'p50':>8}{'p99':>8}{'max':>8}{'sum':>10}"
            f"{'rounds':>9}"
        )
        for way in WAYS:
            for key in keys:
                if key[2:4] != (smp, way):
                    continue
                waited, stays = waits_of(samples, key)
                rounds = pooled(samples[(*key[:4], "rounds")])[0]
                cells = "".join(f"{quantile(waited or [0], q) / 1000:8.0f}" for q in (0.5, 0.99, 1))
                out(
                    f"  {WAYS[way]:20}{key[1]:10}{stays:8}{100 * len(waited) / stays:8.2f}%{cells}"
                    f"{sum(waited) / 1000:10.0f}{rounds:9}"
                )
        out("\nwaited: part of the stays; p50, p99, max: of those. All boots together.\n")


def waits_of(samples, key):
    """-> ([ns of each stay for which a task waited, sorted], number of stays)"""
    waited = pooled(samples.get((*key[:4], "wait"), {}))
    return waited, len(waited) + sum(pooled(samples[(*key[:4], "zero")]))


def used(samples, out):
    """The flag, where it has nothing to do: the same scheduler on the same kernel."""
    keys = [k for k in samples if k[0] == "used" and k[3] == "immed"]
    if not keys:
        return
    out(
        "Cost when used and the CPU is idle: instructions per operation, with the flag against "
        "without, 2 vCPUs (~ within the spread of the boots)\n"
    )
    out(f"  {'load':22}{'kernel':10}{'without':>10}{'with':>10}")
    for load in distinct(k[4] for k in keys):
        title = LOADS[load] if load == "timer" else f"{load} across CPUs"
        for key in keys:
            if key[4] != load:
                continue
            without, with_flag = (
                sorted(median(ns) for ns in samples[(*key[:3], way, load)].values())
                for way in ("none", "immed")
            )
            cells = f"{median(without):10.0f}{median(with_flag):10.0f}"
            out(f"  {title:22}{key[1]:10}{cells}{str(Difference(without, with_flag)):>10}".rstrip())
            title = ""
    out("")


UNSEEN = {
    "fifo": "a FIFO task runs there already",
    "second": "another SCX task runs there already",
    "fair": "a fair task runs there already",
    "idle": "a FIFO task wakes there at the same time",
}


def unseen(samples, out):
    """What a hook in sched_switch sees and what it doesn't."""
    keys = [k for k in samples if k[0] == "unseen"]
    if not keys:
        return
    out("A task is put on a CPU's local DSQ, another CPU is idle: wake-up to run, in us\n")
    out(f"  {'':42}{'scheduler':20}{'kernel':10}{'samples':>8}{'p50':>9}{'p99':>9}{'max':>9}")
    for case, title in UNSEEN.items():
        for way in WAYS:
            for key in keys:
                if key[3:] != (way, case):
                    continue
                values = pooled(samples[key])
                cells = "".join(f"{quantile(values, q) / 1000:9.0f}" for q in (0.5, 0.99, 1))
                out(f"  {title:42}{WAYS[way]:20}{key[1]:10}{len(values):8}{cells}")
                title = ""
    out("")


def growth(samples, out):
    keys = [k for k in samples if k[0] == "growth"]
    if not keys:
        return
    queued = sorted({int(k[4]) for k in keys})
    out(
        "Hand-back with more tasks queued for that CPU, 1 vCPU: p50 (p99) in instructions, by how "
        "many\n"
    )
    out(f"  {'scheduler':20}{'kernel':10}" + "".join(f"{n:>15}" for n in queued))
    for way in WAYS:
        for kernel in distinct(k[1] for k in keys if k[3] == way):
            cells = ""
            for n in queued:
                values = pooled(samples["growth", kernel, 1, way, str(n)])
                cells += f"{f'{quantile(values, 0.5)} ({quantile(values, 0.99)})':>15}"
            out(f"  {HANDBACK[way]:20}{kernel:10}{cells}")
    out("")


def handback(samples, out):
    keys = [k for k in samples if k[0] == "handback"]
    if not keys:
        return
    smps = sorted({k[2] for k in keys})
    out(
        "Hand-back: from a FIFO task's wake-up to ops.enqueue() of the task it displaces, "
        "p50 (max) in instructions, by vCPUs\n"
    )
    out(f"  {'scheduler':20}{'kernel':10}" + "".join(f"{n:>15}" for n in smps))
    for way in WAYS:
        for kernel in distinct(k[1] for k in keys):
            cells, any_here = "", False
            for smp in smps:
                boots = samples.get(("handback", kernel, smp, way, "ns"))
                values = boots and pooled(boots)
                any_here |= bool(values)
                cells += f"{f'{quantile(values, 0.5)} ({values[-1]})' if values else '-':>15}"
            if any_here:
                out(f"  {HANDBACK[way]:20}{kernel:10}{cells}")
    if any(k[3] == "none" for k in keys):
        out(
            "\n(task is put): only until schedule() puts the displaced task, before anything of a "
            "hand-back runs. No way can be faster."
        )
    out("")


# Where the curve of a CDF is drawn: also its far end, where it matters.
GRID = (
    [n / 100 for n in range(1, 100)]
    + [n / 1000 for n in range(991, 1000)]
    + [n / 10000 for n in range(9991, 10001)]
)


# Where the bars of the waits' histogram begin, in us.
WAIT_BINS = (0, 10, 100, 1000)


def write_summary(cost, kernels, samples, folder):
    os.makedirs(folder, exist_ok=True)

    def table(name, fields, rows):
        with open(os.path.join(folder, name), "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(fields)
            writer.writerows(rows)

    def difference(key, figure):
        kernel, smp, scheduler, load = key
        if kernel == kernels[0]:
            return "", ""
        d = Difference(counterpart(cost, kernels[0], smp, scheduler, load), figure)
        return f"{d.percent:.3f}", int(d.noise)

    table(
        "cost.csv",
        (
            "kernel",
            "smp",
            "scheduler",
            "load",
            "boots",
            "min",
            "median",
            "max",
            "difference_percent",
            "within_spread",
        ),
        [
            (*key, len(f), f"{f[0]:.2f}", f"{median(f):.2f}", f"{f[-1]:.2f}", *difference(key, f))
            for key, f in cost.items()
        ],
    )
    rows = []
    for key, boots in samples.items():
        if key[4] not in KINDS and key[0] not in ("growth", "unseen", "used"):
            continue
        values = pooled(boots)
        row = [*key, len(boots), len(values)]
        for _, q in QUANTILES:
            each = [quantile(v, q) for v in boots.values()]
            row += [quantile(values, q), min(each), max(each)]
        rows.append(row)
    fields = ["what", "kernel", "smp", "way", "kind", "boots", "samples"]
    for name, _ in QUANTILES:
        fields += [name, f"{name}_lowest_boot", f"{name}_highest_boot"]
    table("latency.csv", fields, rows)
    table(
        "cdf.csv",
        ("what", "kernel", "smp", "way", "kind", "part", "ns"),
        [
            (*key, part, quantile(pooled(boots), part))
            for key, boots in samples.items()
            if key[0] != "handback" and key[4] in KINDS
            for part in GRID
        ],
    )
    table(
        "waits.csv",
        ("kernel", "smp", "way", "stays", "from_us", "waited"),
        [
            (*key[1:4], stays, low, sum(low * 1000 < ns <= high * 1000 for ns in waited))
            for key in samples
            if key[0] == "storm" and key[4] == "zero"
            for waited, stays in [waits_of(samples, key)]
            for low, high in zip(WAIT_BINS, (*WAIT_BINS[1:], math.inf))
        ],
    )


def largest(cost, kernels):
    """-> "SCHEDULER:LOAD VCPUS" of the second kernel's largest increase when unused that is at
    least twice the spread, or "" """
    best = (0, "")
    for (kernel, smp, scheduler, load), figure in cost.items():
        if kernel not in kernels[1:2] or "+" in scheduler:
            continue
        d = Difference(counterpart(cost, kernels[0], smp, scheduler, load), figure)
        if d.absolute >= 2 * d.spread:
            best = max(best, (d.percent, f"{scheduler}:{load} {smp}"))
    return best[1]


def main(argv):
    # What is wrong is said behind what was said before, also where both go into one file.
    sys.stdout.reconfigure(line_buffering=True)
    args, budget, summary_folder, with_details = argv[1:], None, None, False
    if "--details" in args:
        args.remove("--details")
        with_details = True
    if "--budget" in args:
        at = args.index("--budget")
        budget = args[at + 1 : at + 4]
        del args[at : at + 4]
    find_largest = "--largest" in args
    if find_largest:
        args.remove("--largest")
    if "--summary" in args:
        at = args.index("--summary")
        summary_folder = (args[at + 1 : at + 2] or [None])[0]
        del args[at : at + 2]
    if len(args) != 1 or (budget is not None and len(budget) != 3):
        print(
            "usage: table.py FIGURES.csv [--details | --largest] [--summary DIR] [--budget PERCENT SCHEDULER LOAD]",
            file=sys.stderr,
        )
        return 2
    try:
        cost, samples = read(args[0])
        kernels = distinct(k for k, _, _, _ in cost)
        smps = sorted({smp for _, smp, _, _ in cost})
        if find_largest:
            print(largest(cost, kernels))
            return 0
        if with_details:
            details(cost, kernels, print)
            print()
        summary(cost, kernels, smps, print)
        used(samples, print)
        handback(samples, print)
        growth(samples, print)
        unseen(samples, print)
        latency(samples, "storm", print)
        waits(samples, print)
        latency(samples, "latency", print)
        latency(samples, "sub", print)
        if summary_folder:
            write_summary(cost, kernels, samples, summary_folder)
        return int(
            bool(budget) and over_budget(cost, kernels, float(budget[0]), *budget[1:], print)
        )
    except (Misuse, OSError, KeyError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
