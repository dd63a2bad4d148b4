"""guest/watch.py --run-dir DIR --console FILE [LIMITS] -- QEMU-COMMAND...

Runs QEMU for guest/boot until it ends or reaches a limit, and says how the guest fared. The
command's output (QEMU's standard output) goes live to standard output and to DIR/output.log; the
kernel console is FILE, written by QEMU. The guest leaves "started" and "status" in DIR.

Limits, in seconds, 0 for none:
  --timeout      the whole run
  --boot-limit   until "started"
  --silence      no output on either channel

Exit status and DIR/outcome.json {"outcome", "status", "boot_seconds", "seconds"}:
    exited       the command's own exit status
    timeout      124  stopped at the time limit
    silent       124  stopped for silence
    no-boot      125  the command never started
    died         125  the guest ended while the command ran: a panic, or QEMU
    interrupted  130  Ctrl-C, or asked to end
QEMU never outlives this process.
"""
import argparse
import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
import time

# What the kernel says when it dies, most telling first.
DEATHS = [
    re.compile(r"Kernel panic - not syncing.*"),
    re.compile(r"Oops:.*"),
    re.compile(r"BUG:.*"),
    re.compile(r"general protection fault.*"),
]
LAST_LINES = 15
DRAIN_SECONDS = 15  # from the command's end to QEMU's


class Interrupted(Exception):
    pass


def interrupt(_signum, _frame):
    # Only once: the way out must not be interrupted.
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
    raise Interrupted


def die_with_parent():
    """In the child: be killed when this process is, even by SIGKILL."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)


def stat_of(pid):
    """-> (state, parent, process group, start time) of a process, None when there is none"""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return fields[0], int(fields[1]), int(fields[2]), fields[19]
    except (OSError, IndexError):
        return None


def ignores_hangup(pid):
    try:
        with open(f"/proc/{pid}/status") as f:
            ignored = next(line.split()[1] for line in f if line.startswith("SigIgn:"))
    except (OSError, StopIteration):
        return False
    return bool(int(ignored, 16) & 1 << (signal.SIGHUP - 1))


def callers():
    """The scripts that led to this process: {pid: start time}.

    They share its process group, as one command of the user's. A script that is sent SIGTERM ends
    at once and tells nobody, so the only way to end with it is to look. What was started with nohup
    is to outlive whoever did so.
    """
    found, (_, pid, group, _) = {}, stat_of(os.getpid())
    outlives = ignores_hangup(os.getpid())
    while (st := stat_of(pid)) and st[2] == group and ignores_hangup(pid) == outlives:
        found[pid] = st[3]
        pid = st[1]
    return found


def alive(pid, start):
    st = stat_of(pid)
    return st is not None and st[3] == start and st[0] not in "ZX"


def kill(qemu, own_group):
    if qemu.poll() is None:
        try:
            if own_group:
                os.killpg(qemu.pid, signal.SIGKILL)
            else:
                qemu.kill()
        except ProcessLookupError:
            pass
        qemu.wait()


def text_lines(path):
    try:
        with open(path, errors="replace") as f:
            # QEMU's firmware may write escape sequences; the kernel ends lines with \r\n.
            return [re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]|\r", "", line.rstrip("\n")) for line in f]
    except FileNotFoundError:
        return []


class Guest:
    def __init__(self, args):
        self.args = args
        self.start = time.monotonic()
        self.boot_seconds = None
        self.qemu = None
        self.callers = callers()

    def path(self, name):
        return os.path.join(self.args.run_dir, name)

    def status(self):
        try:
            with open(self.path("status")) as f:
                return int(f.read())
        except FileNotFoundError:
            return None

    def run(self):
        """-> the outcome's name"""
        a = self.args
        with open(self.path("output.log"), "wb") as log, open(self.path("qemu.err"), "wb") as err:
            self.qemu = subprocess.Popen(
                a.command,
                stdin=None if a.interactive else subprocess.DEVNULL,
                stdout=None if a.interactive else subprocess.PIPE,
                stderr=err,
                # An interactive guest needs the terminal's foreground group, which is this
                # process's.
                start_new_session=not a.interactive,
                preexec_fn=die_with_parent,
            )
            try:
                return self.follow(log)
            finally:
                kill(self.qemu, own_group=not a.interactive)

    def follow(self, log):
        a = self.args
        out = self.qemu.stdout
        last_output, console_size, ended = self.start, 0, None
        while True:
            if out:
                ready = select.select([out], [], [], 0.2)[0]
                data = os.read(out.fileno(), 65536) if ready else b""
                if data:
                    log.write(data)
                    log.flush()
                    try:
                        sys.stdout.buffer.write(data)
                        sys.stdout.buffer.flush()
                    except BrokenPipeError:
                        raise Interrupted from None
                    last_output = time.monotonic()
                elif ready:
                    out = None  # QEMU has closed it
            else:
                time.sleep(0.05)
            if self.qemu.poll() is not None and not out:
                break

            if not all(alive(*c) for c in self.callers.items()):
                raise Interrupted
            now = time.monotonic()
            size = os.stat(a.console).st_size if os.path.exists(a.console) else 0
            if size != console_size:
                console_size, last_output = size, now
            if self.boot_seconds is None and os.path.exists(self.path("started")):
                self.boot_seconds = now - self.start
            if ended is None and os.path.exists(self.path("status")):
                ended = now
            if ended is not None:
                # The command has ended; that the guest hangs while it goes down changes nothing.
                if now - ended > DRAIN_SECONDS:
                    break
            elif a.timeout and now - self.start > a.timeout:
                return "timeout" if self.boot_seconds is not None else "no-boot"
            elif self.boot_seconds is None:
                if a.boot_limit and now - self.start > a.boot_limit:
                    return "no-boot"
            elif a.silence and now - last_output > a.silence:
                return "silent"
        if self.status() is not None:
            return "exited"
        return "died" if os.path.exists(self.path("started")) else "no-boot"

    def why(self, outcome):
        """One line that says what happened, from what is known."""
        a = self.args
        seconds = time.monotonic() - self.start
        stopped = "the guest was stopped"
        if outcome == "timeout":
            return f"the command did not end within {a.timeout} s; {stopped} (--timeout)"
        if outcome == "silent":
            return f"the guest printed nothing for {a.silence} s and was stopped (--silence)"
        if outcome == "interrupted":
            return f"interrupted; {stopped}"
        console = text_lines(a.console)
        errors = [line for line in text_lines(self.path("qemu.err")) if line.strip()]
        what = f"the guest died {seconds:.0f} s after its start, while the command ran"
        if outcome == "no-boot":
            what = "the guest did not boot"
        for pattern in DEATHS:
            for line in console:
                if m := pattern.search(line):
                    hint = ""
                    if "Unable to mount root" in line:
                        hint = "; does the kernel have 9p over virtio built in?"
                    return f"{what}: {m.group(0)}{hint}"
        if self.qemu.returncode and self.qemu.returncode > 0:
            error = errors[-1] if errors else "no message"
            return f"{what}: QEMU ended with status {self.qemu.returncode}: {error}"
        if outcome == "no-boot" and seconds > min(a.boot_limit or seconds, a.timeout or seconds):
            said = f"the last of {len(console)} lines" if console else "not a line"
            hint = "ACCEL=tcg avoids KVM, --boot-limit S waits longer"
            return f"{what} within {seconds:.0f} s; the kernel printed {said} ({hint})"
        return f"{what}: QEMU ended, and the kernel did not say why"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--run-dir", required=True)
    p.add_argument("--console", required=True)
    p.add_argument("--timeout", type=int, default=0)
    p.add_argument("--boot-limit", type=int, default=0)
    p.add_argument("--silence", type=int, default=0)
    p.add_argument("--interactive", action="store_true")
    p.add_argument("command", nargs="+")
    args = p.parse_args()
    for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN:  # nohup
            signal.signal(s, interrupt)

    guest = Guest(args)
    try:
        outcome = guest.run()
    except Interrupted:
        outcome = "interrupted"
    if outcome == "exited":
        status = guest.status()
    else:
        status = {"timeout": 124, "silent": 124, "interrupted": 130}.get(outcome, 125)
    result = {
        "outcome": outcome,
        "status": status,
        "boot_seconds": guest.boot_seconds and round(guest.boot_seconds, 1),
        "seconds": round(time.monotonic() - guest.start, 1),
    }
    with open(guest.path("outcome.json"), "w") as f:
        json.dump(result, f)
        f.write("\n")

    if outcome != "exited":
        print(f"error: {guest.why(outcome)}", file=sys.stderr)
        lines = text_lines(args.console)
        said = "; its last lines:" if lines else " (empty)"
        print(f"kernel console: {args.console}{said}", file=sys.stderr)
        for line in lines[-LAST_LINES:]:
            print(f"    | {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
