"""What is known of a scenario: BUILD/torture/NAME.

result.json    "of": all that the result depends on, by which it is recognized later; "attempts":
               for each time that just this was run, its exit status, seconds, and the last line
               that it said
attempt-N/     what suite/run left of an attempt, and its output in "log"
A result of something else is not looked at, and removed when the scenario is run.
"""
import json
import os
import shutil


class Result:
    def __init__(self, folder, of):
        self.folder, self.of, self.attempts = folder, of, []
        try:
            with open(os.path.join(folder, "result.json")) as f:
                known = json.load(f)
        except (FileNotFoundError, ValueError):
            return
        if known["of"] == of:
            self.attempts = known["attempts"]

    def attempt(self, number):
        return os.path.join(self.folder, f"attempt-{number}")

    def begin(self):
        """-> an empty folder for one attempt more"""
        if not self.attempts:
            shutil.rmtree(self.folder, ignore_errors=True)
        folder = self.attempt(len(self.attempts) + 1)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def end(self, status, seconds):
        """That attempt has ended: written down in one piece, so that what is there is whole."""
        conclusion = last_line(os.path.join(self.attempt(len(self.attempts) + 1), "log"))
        self.attempts.append({"status": status, "seconds": seconds, "conclusion": conclusion})
        path = os.path.join(self.folder, "result.json")
        with open(path + ".new", "w") as f:
            json.dump({"of": self.of, "attempts": self.attempts}, f, indent=1)
            f.write("\n")
        os.rename(path + ".new", path)

    @property
    def ran(self):
        return bool(self.attempts)

    @property
    def stands(self):
        """There is no reason to run it again: the last attempt passed."""
        return self.ran and self.attempts[-1]["status"] == 0

    @property
    def failed(self):
        """-> numbers of the attempts that did not pass"""
        return [n for n, a in enumerate(self.attempts, 1) if a["status"] != 0]

    @property
    def good(self):
        """All attempts passed: what passes only now and then is not good."""
        return self.ran and not self.failed

    @property
    def verdict(self):
        times = len(self.attempts)
        if not self.ran:
            return "not run"
        if self.good:
            return "passed"
        if len(self.failed) < times:
            return f"FLAKY: {times - len(self.failed)} of {times} attempts passed"
        return "FAILED" if times == 1 else f"FAILED all {times} attempts"

    @property
    def seconds(self):
        return self.attempts[-1]["seconds"] if self.ran else 0

    @property
    def conclusion(self):
        return self.attempts[-1]["conclusion"] if self.ran else "not run"


def last_line(path):
    try:
        with open(path, errors="replace") as f:
            lines = f.read().splitlines()
    except FileNotFoundError:
        lines = []
    return lines[-1] if lines else "no output"
