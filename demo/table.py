"""demo/table.py FILE: prints demo/in-guest's output as a table, a column for each mode of the
scheduler.

Counters are totals over the run. Exit status 1 when FILE does not hold a whole run; the line says
what is missing. """
import re
import sys

TITLES = {"plain": "scx_qmap", "immed": "scx_qmap -I"}
# scx_qmap's counters and the load's figures, in words. Others appear under their own name.
WORDS = {
    "enq": "tasks enqueued",
    "dsp": "tasks dispatched",
    "delta": "waiting when it ended",
    "deq": "taken out of the queues (ops.dequeue)",
    "enq_ddsp": "run at once (idle CPU)",
    "core": "taken out to run",
    "reenq": "handed back, all",
    "reenq/cpu0": "handed back, all/of CPU 0",
    "immed": "handed back: CPU not free",
    "preempted": "handed back: preempted",
    "kfunc": "handed back: scheduler asked",
    "stressed": "sent to a busy CPU on purpose",
    "wakeups": "sleepers: wake-ups",
    "late_p50_us": "sleepers: wake-up to run, p50 (us)",
    "late_p99_us": "sleepers: wake-up to run, p99 (us)",
    "late_max_us": "sleepers: wake-up to run, max (us)",
    "SCX_EV_BYPASS_DURATION": "SCX_EV_BYPASS_DURATION (ns)",
    "fifo_bursts": "FIFO task: bursts of 10 ms",
}
HIDDEN = re.compile(r"exp_|stressed$")  # never used here, zero each time


def die(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(1)


def read(path):
    """-> {mode: {part: [line]}}, modes in order"""
    modes, lines = {}, []
    for line in open(path, errors="replace"):
        line = line.rstrip()
        if line.startswith("==== "):
            _, part, mode = line.split()
            lines = modes.setdefault(mode, {}).setdefault(part, [])
        elif line.startswith("error: "):
            die(line.removeprefix("error: "))
        else:
            lines.append(line)
    if not modes:
        die(f"{path}: the demo ended before a scheduler was loaded")
    for mode, parts in modes.items():
        for part in ("load", "events", "scheduler"):
            if not parts.get(part):
                die(f"{path}: the part '{part}' of mode '{mode}' is missing: the demo ended early")
    return modes


def counters(lines):
    """scx_qmap's last block of statistics: every KEY=VALUE of it"""
    starts = [n for n, line in enumerate(lines) if line.startswith("stats")]
    if not starts:
        die("scx_qmap printed no statistics")
    block = []
    for line in lines[starts[-1] :]:
        if line.startswith("cpuperf") or line.startswith("EXIT"):
            break
        block += re.findall(r"(\S+)=(\S+)", line)
    return {k: v for k, v in block if not HIDDEN.match(k)}


def pairs(lines):
    return dict(line.split()[:2] for line in lines if len(line.split()) >= 2)


def main():
    if len(sys.argv) != 2:
        print("usage: table.py FILE", file=sys.stderr)
        return 2
    modes = read(sys.argv[1])
    load = {m: pairs(p["load"]) for m, p in modes.items()}
    first = next(iter(load.values()))
    setup = {k: first.pop(k, "?") for k in ("cpus", "hogs", "sleepers", "seconds")}
    sections = (
        ("The scheduler's counters", {m: counters(p["scheduler"]) for m, p in modes.items()}),
        (
            "The kernel's events (/sys/kernel/sched_ext/root/events)",
            {m: pairs(p["events"]) for m, p in modes.items()},
        ),
        ("The load", {m: {k: v for k, v in f.items() if k not in setup} for m, f in load.items()}),
    )
    print(
        f"{setup['seconds']} s on {setup['cpus']} CPUs under: {setup['hogs']} CPU hogs, "
        f"{setup['sleepers']} short sleepers, a FIFO task that takes a CPU for 10 ms of every 40 ms"
    )
    for title, columns in sections:
        keys = list(dict.fromkeys(k for values in columns.values() for k in values))
        print(f"\n{title:56}" + "".join(f"{TITLES.get(m, m):>14}" for m in columns))
        for key in keys:
            print(
                f"  {WORDS.get(key, key):54}"
                + "".join(f"{c.get(key, '-'):>14}" for c in columns.values())
            )
    print(
        "\nTimes in a guest depend on what else the machine does, and more so when it is emulated; compare the counts."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
