"""measure/plot.py DIR svg|png [waits]: prints a gnuplot script which draws the summary that
measure/table.py left in DIR.

Six parts: the time that tasks spend on a local DSQ while the CPU runs something else (histogram),
and the distribution of their latency; the cost when unused (bars, on the lowest number of vCPUs),
the hand-back time by vCPUs, and the distribution of latency among FIFO and DEADLINE tasks, and of a
sub-scheduler's beside a bad neighbour. With "waits", the first alone. `| gnuplot >FILE` makes the
picture. A part without figures stays away. Exit status 2 when DIR holds no summary.
"""
import csv
import os
import sys
from functools import partial

WAYS = {"none": "nothing", "hook": "sched\\\\_switch hook", "immed": "SCX\\\\_ENQ\\\\_IMMED"}
HANDBACK = {**WAYS, "none": "until the task is put"}
COLOURS = {"none": "#999999", "hook": "#e69f00", "immed": "#0072b2"}
BARS = ("#999999", "#0072b2", "#e69f00", "#009e73")
LOADS = {
    "pipe": "pipe",
    "cross": "pipe\\\\nacross",
    "futex": "futex",
    "fork": "fork",
    "timer": "timer",
    "yield": "yield",
}
BUDGET = 0.25
WHISKERS = "vectors heads size graph 0.006,90 lw 1"


def rows(folder, name):
    with open(os.path.join(folder, name), newline="") as file:
        return list(csv.DictReader(file))


def distinct(values):
    return list(dict.fromkeys(values))


def on_fewest(found):
    """-> the lowest number of vCPUs in the rows found, and the rows that are about it"""
    smp = min((int(r["smp"]) for r in found), default=0)
    return smp, [r for r in found if int(r["smp"]) == smp]


def escaped(text):
    return text.replace("_", "\\\\_")


def block(out, name, lines):
    out(f"${name} << END")
    for line in lines:
        out(line)
    out("END")


def waits(folder, out):
    smp, all_rows = on_fewest(rows(folder, "waits.csv"))
    if not all_rows:
        return False
    # The scheduler is what differs: of each way one kernel, the last, so the series if it is there.
    kernel = {r["way"]: r["kernel"] for r in all_rows if r["kernel"] != "peer"}
    edges = distinct(int(r["from_us"]) for r in all_rows)
    ways = [w for w in WAYS if w in kernel]
    labels = ["not at all"]
    for low, high in zip(edges, [*edges[1:], None]):
        labels.append(f"over {low} us" if high is None else f"{low} to {high} us")
    for way in ways:
        found = [r for r in all_rows if r["way"] == way and r["kernel"] == kernel[way]]
        stays, counts = int(found[0]["stays"]), [int(r["waited"]) for r in found]
        parts = [100 * n / stays for n in (stays - sum(counts), *counts)]
        shift = (ways.index(way) - (len(ways) - 1) / 2) * 0.27
        block(out, f"waits_{way}", [f"{n + shift:.3f} {p:.5f}" for n, p in enumerate(parts)])
    out("reset")
    title = "Time on a local DSQ while the CPU runs something else, among FIFO tasks"
    out(f'set title "{title}, {smp} vCPUs"')
    out('set ylabel "part of the stays on a local DSQ"')
    out("set logscale y")
    out("set yrange [0.01:600]")
    out('set ytics ("0.01%%" 0.01, "0.1%%" 0.1, "1%%" 1, "10%%" 10, "100%%" 100)')
    out("set xtics (" + ", ".join(f'"{text}" {n}' for n, text in enumerate(labels)) + ") scale 0")
    out(f"set xrange [-0.6:{len(labels) - 0.4}]")
    out("set grid ytics lc rgb '#dddddd'")
    out("set boxwidth 0.25")
    out("set style fill solid 0.9 noborder")
    out("set key top right Left reverse horizontal samplen 1")
    out(
        "plot "
        + ", ".join(
            f"$waits_{way} using 1:2 with boxes lc rgb '{COLOURS[way]}' title \"{WAYS[way]}\""
            for way in ways
        )
    )
    return True


def cost(folder, out):
    smp, all_rows = on_fewest(rows(folder, "cost.csv"))
    kernels = distinct(r["kernel"] for r in all_rows)
    base = {(r["scheduler"], r["load"]): r for r in all_rows if r["kernel"] == kernels[0]}
    mine = (
        [r for r in all_rows if r["kernel"] == kernels[1] and "+" not in r["scheduler"]]
        if len(kernels) > 1
        else []
    )
    if not mine:
        return False
    schedulers, loads = distinct(r["scheduler"] for r in mine), distinct(r["load"] for r in mine)
    low, high = -0.5, BUDGET * 3
    for s in schedulers:
        lines = []
        for r in mine:
            if r["scheduler"] != s:
                continue
            b = base[s, r["load"]]
            median = float(b["median"])
            # Of the two kernels' boots, the extreme differences.
            least = 100 * (float(r["min"]) - float(b["max"])) / median
            most = 100 * (float(r["max"]) - float(b["min"])) / median
            value = float(r["difference_percent"])
            low, high = min(low, least * 1.1), max(high, most * 1.1)
            x = loads.index(r["load"]) + (
                schedulers.index(s) - (len(schedulers) - 1) / 2
            ) * 0.8 / len(schedulers)
            lines.append(f"{x:.4f} {value} {least:.4f} {most:.4f}")
        block(out, f"cost_{s}", lines)
    out("reset")
    title = f"Cost when unused: instructions against {escaped(kernels[0])}, {smp} vCPU"
    out(f'set title "{title} (whiskers: extremes of the boots)"')
    out('set ylabel "%"')
    out(f"set yrange [{low:.2f}:{high + (high - low) * 0.25:.2f}]")  # with room for the key
    out(
        "set xtics ("
        + ", ".join(f'"{LOADS.get(load, load)}" {n}' for n, load in enumerate(loads))
        + ") scale 0"
    )
    out(f"set xrange [-0.6:{len(loads) - 0.4}]")
    out("set grid ytics lc rgb '#dddddd'")
    out(f"set boxwidth {0.8 / len(schedulers) * 0.9:.3f}")
    out("set style fill solid 0.9 noborder")
    out("set xzeroaxis lt 1 lc rgb '#000000'")
    out("set key top left Left reverse horizontal samplen 1")
    plots = []
    for n, s in enumerate(schedulers):
        colour = BARS[n % len(BARS)]
        plots.append(f"$cost_{s} using 1:2 with boxes lc rgb '{colour}' title \"{escaped(s)}\"")
        plots.append(f"$cost_{s} using 1:3:(0):($4-$3) with {WHISKERS} lc rgb '#333333' notitle")
    plots.append(f"{BUDGET} with lines dt 2 lc rgb '#d55e00' title \"budget\"")
    out("plot " + ", ".join(plots))
    return True


def handback(folder, out):
    found = [r for r in rows(folder, "latency.csv") if r["what"] == "handback"]
    if not found:
        return False
    kernels = distinct(r["kernel"] for r in found)
    curves = []
    for way in WAYS:
        for kernel in kernels:
            points = [
                (int(r["smp"]), r["p50"], r["p99"])
                for r in found
                if r["way"] == way and r["kernel"] == kernel
            ]
            if points:
                name = f"handback_{way}_{kernels.index(kernel)}"
                block(out, name, [f"{smp} {p50} {p99}" for smp, p50, p99 in sorted(points)])
                curves.append((name, HANDBACK[way], way, kernel, kernels.index(kernel)))
    top = max(float(r["p99"]) for r in found)
    out("reset")
    out(
        'set title "Hand-back: FIFO wake-up to ops.enqueue() of the displaced task (p50, bars to p99)"'
    )
    out('set ylabel "instructions"')
    out('set xlabel "vCPUs"')
    out("set logscale x 2")
    out(f"set yrange [0:{top * (1 + len(curves) / 7):.0f}]")  # with room for the key
    smps = sorted({int(r["smp"]) for r in found})
    out(f"set xrange [{smps[0] / 1.3:.2f}:{smps[-1] * 1.3:.2f}]")
    out("set xtics (" + ", ".join(str(n) for n in smps) + ")")
    out("set grid ytics lc rgb '#dddddd'")
    out("set key top left Left reverse samplen 2")
    parts = []
    for name, title, way, kernel, n in curves:
        style = f"lc rgb '{COLOURS[way]}' lw 2 dt {n + 1} pt {(5, 7, 9, 11)[n % 4]}"
        parts.append(
            f'${name} using 1:2 with linespoints {style} title "{title}, {escaped(kernel)}"'
        )
        parts.append(
            f"${name} using 1:2:(0):($3-$2) with {WHISKERS} lc rgb '{COLOURS[way]}' notitle"
        )
    out("plot " + ", ".join(parts))
    return True


# The part on the axis is -log10(1 - part): every step upwards is a tenth of the samples that are
# left.
NINES = ((0, "0"), (0.30103, "50%%"), (1, "90%%"), (2, "99%%"), (3, "99.9%%"))


def distribution(what, kind, title, folder, out):
    found = [
        r
        for r in rows(folder, "cdf.csv")
        if r["what"] == what and r["kind"] == kind and float(r["part"]) < 0.9995
    ]
    if not found:
        return False
    _, found = on_fewest(found)
    kernels = distinct(r["kernel"] for r in found)
    curves = []
    for way in WAYS:
        for kernel in kernels:
            lines = [
                f"{float(r['ns']) / 1000} {r['part']}"
                for r in found
                if r["way"] == way and r["kernel"] == kernel
            ]
            if lines:
                name = f"cdf_{what}_{way}_{kernels.index(kernel)}"
                block(out, name, lines)
                curves.append((name, way, kernel, kernels.index(kernel)))
    out("reset")
    out(f'set title "{title}"')
    out('set xlabel "us (1000 instructions)"')
    out('set ylabel "part of the samples at most so late"')
    out("set logscale x")
    out("set yrange [0:3.1]")
    out("set ytics (" + ", ".join(f'"{label}" {at}' for at, label in NINES) + ")")
    out("set grid xtics ytics lc rgb '#dddddd'")
    out("set key top left Left reverse samplen 2 opaque")
    out(
        "plot "
        + ", ".join(
            f"${name} using 1:(-log10(1-$2)) with lines lw 2 dt {n + 1} lc rgb '{COLOURS[way]}' "
            f'title "{WAYS[way]}, {escaped(kernel)}"'
            for name, way, kernel, n in curves
        )
    )
    return True


DRAWINGS = (
    waits,
    partial(
        distribution,
        "storm",
        "done",
        "Short SCX tasks among FIFO tasks and hogs: wake-up to work done",
    ),
    cost,
    handback,
    partial(
        distribution,
        "latency",
        "done",
        "SCX tasks among FIFO and DEADLINE tasks: wake-up to work done",
    ),
    partial(
        distribution,
        "sub",
        "run",
        "A sub-scheduler's tasks beside a bad neighbour: wake-up to run",
    ),
)


def main(argv):
    if argv[2:] not in (["svg"], ["png"], ["svg", "waits"], ["png", "waits"]):
        print("usage: plot.py DIR svg|png [waits]", file=sys.stderr)
        return 2
    folder, form = argv[1:3]
    drawings = DRAWINGS[:1] if argv[3:] else DRAWINGS
    script = []
    try:
        parts = sum(draw(folder, script.append) for draw in drawings)
    except (OSError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not parts:
        print(f"error: {folder}: no figures to draw", file=sys.stderr)
        return 2
    size = "900,400" if argv[3:] else "1400,1350"
    terminal = {
        "svg": f"svg size {size} dynamic font 'sans,13' background rgb 'white'",
        "png": f"pngcairo size {size} font 'sans,11'",
    }[form]
    print(f"set terminal {terminal}")
    # One alone has the margins that its title and labels need.
    if parts > 1:
        layout = f"layout {(parts + 1) // 2},2 margins 0.07,0.97,0.08,0.95 spacing 0.08,0.13"
        script = [f"set multiplot {layout}", *script, "unset multiplot"]
    print("\n".join(script))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
