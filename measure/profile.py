"""measure/profile.py OPERATIONS NAME=SYMBOLS:BLOCKS NAME=SYMBOLS:BLOCKS [--top N]: where two
kernels' instructions differ.

For each of two kernels: SYMBOLS is the output of `nm -n vmlinux`, BLOCKS what measure/count.c wrote
while OPERATIONS were done. Prints the N (default 15) functions that differ most. BPF programs have
no symbol here: they are one line, user space is another.
"""
import bisect
import sys
from collections import defaultdict

KERNEL, BPF = 0xFFFFFFFF80000000, 0xFFFFFFFFA0000000


def symbols(path):
    found = []
    for line in open(path):
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tTwW":
            found.append((int(fields[0], 16), fields[2]))
    found.sort(key=lambda s: s[0])
    if not found:
        sys.exit(f"error: {path}: no symbols")
    return [a for a, _ in found], [n for _, n in found]


def count(path, addresses, names):
    """-> {function: instructions}"""
    total = defaultdict(int)
    for line in open(path):
        address, n, times = line.split()
        address = int(address, 16)
        if KERNEL <= address < BPF:
            at = bisect.bisect(addresses, address) - 1
            name = names[at] if at >= 0 else "(kernel)"
        else:
            name = "(BPF)" if address >= 1 << 63 else "(user)"
        total[name] += int(n) * int(times)
    return total


def per_operation(paths, operations):
    nm, blocks = paths.split(":")
    return {name: total / operations for name, total in count(blocks, *symbols(nm)).items()}


def report(names, profiles, top, out):
    a, b = profiles
    out(
        f"{'instructions per operation, by function':50}{names[0]:>10}{names[1]:>10}{'difference':>12}"
    )
    out(
        f"{'all':50}{sum(a.values()):10.1f}{sum(b.values()):10.1f}{sum(b.values()) - sum(a.values()):+12.1f}"
    )
    rows = [(b.get(f, 0) - a.get(f, 0), f) for f in set(a) | set(b)]
    rows.sort(key=lambda r: (-abs(r[0]), r[1]))
    shown = [r for r in rows[:top] if abs(r[0]) >= 0.05]
    for difference, f in shown:
        out(f"  {f:48}{a.get(f, 0):10.1f}{b.get(f, 0):10.1f}{difference:+12.1f}")
    rest = sum(r[0] for r in rows) - sum(r[0] for r in shown)
    out(f"  {'all others':48}{'':20}{rest:+12.1f}")


def main(argv):
    args, top = argv[1:], 15
    if "--top" in args:
        at = args.index("--top")
        top = int(args[at + 1])
        del args[at : at + 2]
    if len(args) != 3 or not all("=" in a and a.count(":") == 1 for a in args[1:]):
        print(
            "usage: profile.py OPERATIONS NAME=SYMBOLS:BLOCKS NAME=SYMBOLS:BLOCKS [--top N]",
            file=sys.stderr,
        )
        return 2
    pairs = [a.split("=", 1) for a in args[1:]]
    report([p[0] for p in pairs], [per_operation(p[1], int(args[0])) for p in pairs], top, print)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
