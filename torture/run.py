"""torture/run.py: the verb `torture`; ROOT, BUILD and perhaps TREE come from lib/common.sh.

Builds the kernels, runs the scenarios, some at a time, and has torture/report.py say how they went.
Its help and exit status are in the header of commands/torture.
"""
import argparse
import concurrent.futures
import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time

import report
import scenario
from report import duration
from result import Result

ROOT, BUILD = os.environ["ROOT"], os.environ["BUILD"]
INTERRUPTED = 130


def info(text):
    print(text, file=sys.stderr, flush=True)


def stop(_signum, _frame):
    sys.exit(INTERRUPTED)


def sum_of(*paths):
    """-> a name for their contents; "" when there are none"""
    digest = hashlib.sha256()
    for path in paths:
        if not os.path.exists(path):
            return ""
        with open(path, "rb") as f:
            digest.update(f.read())
    return digest.hexdigest()[:16]


def in_folder(*parts):
    folder = os.path.join(ROOT, *parts)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


class Torture:
    def __init__(self, tree, jobs):
        self.tree, self.jobs = tree, jobs
        self.unbuilt = {}  # kernel: status of its build
        self.children, self.stopping = set(), False
        self.children_lock = threading.Lock()

    # --- what a result is of

    def git(self, *arguments):
        return output_of("git", "-C", self.tree, *arguments)

    def sources(self, *folders):
        names = [self.git("rev-parse", "--short=16", f"HEAD:{folder}") for folder in folders]
        changed = ["git", "-C", self.tree, "diff", "--quiet", "HEAD", "--", *folders]
        return " ".join(names + ["changed"] * (subprocess.run(changed).returncode != 0))

    def identity(self, s):
        """-> all that the result of a scenario depends on: the kernel's image, which is the same
        for the same code and configuration; its options; and what runs: a script with its tools,
        one selftest (its object), or the suite."""
        files = s.files()
        objects = os.path.join(BUILD, "selftests", s.kernel, "build", "obj", "sched_ext")
        image = os.path.join(self.kernel_out(s.kernel), "arch", "x86", "boot", "bzImage")
        of = {"image": sum_of(image), "options": f"{s.kernel} {' '.join(s.options())}"}
        if s.left_out:
            of["left out"] = sum_of(files["--except"])
        if s.script:
            libraries = [
                os.path.join(ROOT, "torture", "in-guest", "lib.sh"),
                os.path.join(ROOT, "guest", "lib.sh"),
            ]
            load = os.path.join(ROOT, "demo", "load.c")
            scheduler = in_folder("measure", "sched")
            of["script"] = sum_of(*libraries, files["--script"], load, *scheduler)
            of["tools"] = self.sources("tools/sched_ext")
        elif s.only:
            of["selftest"] = sum_of(os.path.join(objects, s.only + ".o"))
        else:
            of["suite"] = self.sources("tools/testing/selftests/sched_ext", "tools/sched_ext")
        return of

    def result(self, s):
        return Result(os.path.join(BUILD, "torture", s.name), self.identity(s))

    # --- children, which end with this process

    def call(self, command, **options):
        """-> its exit status"""
        with self.children_lock:
            if self.stopping:
                return INTERRUPTED
            child = subprocess.Popen([str(word) for word in command], **options)
            self.children.add(child)
        status = child.wait()
        with self.children_lock:
            self.children.discard(child)
        if self.stopping or -status in (signal.SIGINT, signal.SIGTERM):
            return INTERRUPTED
        return status if status >= 0 else 128 - status

    def end_children(self):
        with self.children_lock:
            self.stopping = True
            for child in self.children:
                child.terminate()

    def lock(self, name):
        """-> a file that no other run holds; None when this one is to end"""
        path = os.path.join(BUILD, "locks", f"torture-{name}.lock")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = open(path, "w")
        said = False
        while not self.stopping:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                if not said:
                    info(f"waiting for another run that holds {path}")
                    said = True
                time.sleep(0.2)
        return None

    # --- kernels

    def kernel_out(self, kernel):
        return os.path.join(BUILD, "kernel", kernel)

    def build(self, kernel):
        out, fragments = self.kernel_out(kernel), [] if kernel == "main" else [kernel]
        status = self.call([f"{ROOT}/kernel/build", self.tree, out, *fragments])
        if status == 0:
            command = [f"{ROOT}/suite/build", out, self.tree]
            status = self.call(command, stdout=subprocess.DEVNULL)
        if status == INTERRUPTED:
            sys.exit(INTERRUPTED)
        self.unbuilt[kernel] = status

    # --- scenarios

    def run_all(self, scenarios):
        total = duration(sum(s.seconds for s in scenarios) // self.jobs)
        log = f"{BUILD}/torture/NAME/attempt-N/log"
        info(f"==> {len(scenarios)} scenarios, about {total} in all; the log of each: {log}")
        if self.jobs > 1:
            # Those that take longest first, so that in the end no guest is alone for long.
            scenarios = sorted(scenarios, key=lambda s: -s.seconds)
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            try:
                futures = [pool.submit(self.run, s) for s in scenarios]
                for future in concurrent.futures.as_completed(futures):
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.end_children()
                raise

    def run(self, s):
        # A scenario at a time, so that two runs with other scenarios don't wait for each other.
        held = self.lock(s.name)
        if not held:
            return
        with held:
            info(f"==> {s.name} (about {duration(s.seconds)})")
            start = time.monotonic()
            result = self.result(s)  # of what is run, whatever changes meanwhile
            folder = result.begin()
            with open(os.path.join(folder, "log"), "w") as log:
                status = self.run_in(s, folder, log)
            if status == INTERRUPTED:
                return
            seconds = round(time.monotonic() - start)
            result.end(status, seconds)
            how = f"NOT GOOD (status {status}) " if status else ""
            info(f"    {s.name}: {how}after {duration(seconds)}: {result.conclusion}")

    def run_in(self, s, folder, log):
        """-> status of an attempt whose results go to folder, and what it says to log"""
        out, command = self.kernel_out(s.kernel), s.command()
        if self.unbuilt[s.kernel]:
            print(f"error: the kernel {s.kernel} does not build", file=log)
            return 125
        if s.script:
            tools = os.path.join(folder, "tools")
            with open(tools, "w") as f:
                build = [f"{ROOT}/torture/build", out, self.tree]
                if status := self.call(build, stdout=f, stderr=log):
                    return status
            with open(tools) as f:
                command += ["--env", f"TOOLS={f.read().strip()}"]
        # what failed once has failed: to run it again would tell nothing
        suite = [f"{ROOT}/suite/run", out, self.tree, "--no-rerun", "--results", folder, *command]
        return self.call(suite, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    # --- report

    def about(self):
        base = """
            source "$0/lib/common.sh" && source "$0/series/git.sh" && locate_series "$1" &&
            git -C "$1" log -1 --format=%s "$base"
        """
        enter = f"{ROOT}/toolroot/enter"
        emulator = output_of(enter, "qemu-system-x86_64", "--version")
        return {
            "tree": self.git("rev-parse", "HEAD^{tree}"),
            "commit": self.git("log", "-1", "--abbrev=12", "--format=%h %s"),
            "base": output_of("bash", "-c", base, ROOT, self.tree),
            "compiler": output_of(enter, "gcc", "--version").split("\n")[0],
            "emulator": emulator.split("\n")[0],
            "machine": f"{os.cpu_count()} CPUs, {self.jobs} guests at a time",
        }

    def report(self, all_scenarios, asked, keep):
        rows = [report.Row(s, self.result(s)) for s in all_scenarios]
        text = "".join(f"{line}\n" for line in report.markdown(rows, self.about()))
        places = [f"{BUILD}/results/torture.md"]
        if keep:
            places.append(f"{ROOT}/reports/TORTURE.md")
        for place in places:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w") as f:
                f.write(text)
        with open(f"{BUILD}/results/torture.ktap", "w") as f:
            f.writelines(f"{line}\n" for line in report.ktap_lines(rows))
        mine = [row for row in rows if row.scenario in asked]
        print("\n".join(report.table(mine)))
        info(f"report: {places[0]}")
        return 0 if all(row.result.good for row in mine) else 1


def number(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def arguments():
    p = argparse.ArgumentParser(prog="./workbench torture", add_help=False, allow_abbrev=False)
    for option in ("list", "report", "again", "keep"):
        p.add_argument(f"--{option}", action="store_true")
    p.add_argument("-j", type=number, default=1)
    p.add_argument("names", nargs="*")
    p.error = lambda message: die(f"{message}; './workbench help torture' lists the options")
    return p.parse_intermixed_args()


def die(message):
    info(f"error: {message}")
    sys.exit(2)


def main():
    a = arguments()
    try:
        scenarios = scenario.read()
        asked = scenario.choose(scenarios, a.names)
    except scenario.Wrong as e:
        die(e)
    if a.list:
        print("\n".join(report.listing(scenarios)))
        return 0
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) != signal.SIG_IGN:
            signal.signal(signum, stop)

    torture = Torture(os.environ.get("TREE") or os.path.join(BUILD, "tree"), a.j)
    try:
        if status := torture.call([f"{ROOT}/commands/tree", "--keep"]):
            return status
        if not a.report:
            for kernel in dict.fromkeys(s.kernel for s in asked):
                torture.build(kernel)
            todo = []
            for s in asked:
                if not a.again and torture.result(s).stands:
                    info(f"    {s.name}: passed already, for the same tree, kernel and scenario")
                else:
                    todo.append(s)
            if todo:
                torture.run_all(todo)
        held = torture.lock("report")
        with held:
            return torture.report(scenarios, asked, a.keep)
    finally:
        torture.end_children()


if __name__ == "__main__":
    sys.exit(main())
