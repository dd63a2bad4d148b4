"""Line hashes and patches, for series/prove and series/to-for-7.1.

A line hash is the first 12 hex digits of the SHA-256 of a line without its newline
(base/*/PATH.lines holds one per line of PATH). It lets a program show what stands in a tree that is
not at hand.
"""
import hashlib
import os
import re
import sys


def die(message, status=2):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(status)


def line_hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:12]


class Covered:
    """The hash list of one file; fragment: it is only a part of the file, at an unknown place."""

    def __init__(self, hashes, fragment, blob=None, certainty="EXACT"):
        self.hashes = hashes
        self.fragment = fragment
        self.blob = blob
        self.certainty = certainty
        self.offset = None  # of a fragment, once a hunk has shown where it stands
        self.ours = False  # made by the series itself


def read_base(folder):
    """{path: Covered} from folder/FILES and its .lines files."""
    files = {}
    with open(os.path.join(folder, "FILES"), encoding="utf-8") as listing:
        for line in listing:
            if line.startswith("#"):
                continue
            path, count, blob, certainty = (line.split() + ["EXACT"])[:4]
            with open(os.path.join(folder, path + ".lines"), encoding="ascii") as lines:
                hashes = lines.read().split()
            if len(hashes) != int(count):
                die(f"{folder}/{path}.lines has {len(hashes)} lines, FILES says {count}")
            files[path] = Covered(hashes, blob.startswith("fragment:"), blob, certainty)
    return files


def read_uncovered(folder):
    """{path: reason} from folder/UNCOVERED: the files that the patches may touch without hashes."""
    name = os.path.join(folder, "UNCOVERED")
    files = {}
    if not os.path.exists(name):
        return files
    with open(name, encoding="utf-8") as listing:
        for number, line in enumerate(listing, 1):
            if line.startswith("#") or not line.strip():
                continue
            path, _, reason = line.strip().partition(" ")
            if not reason.strip():
                die(f"{name}:{number}: {path} has no reason")
            files[path] = reason.strip()
    return files


class Hunk:
    """Starts and counts as in the @@ line; lines are (mark, text) with mark ' ', '-' or '+'."""

    def __init__(self, header, old_start, old_count, new_start, new_count):
        self.header = header
        self.old_start, self.old_count = old_start, old_count
        self.new_start, self.new_count = new_start, new_count
        self.lines = []

    def old(self):
        return [text for mark, text in self.lines if mark != "+"]

    def new(self):
        return [text for mark, text in self.lines if mark != "-"]

    def trailing_context(self):
        count = 0
        for mark, _ in reversed(self.lines):
            if mark != " ":
                break
            count += 1
        return count


class FilePatch:
    def __init__(self, path):
        self.path = path
        self.created = False
        self.refused = None  # why this kind of change is not handled
        self.hunks = []


HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def read_patch(name):
    """The FilePatches of one patch file, as git apply would read them.

    Refuses what it does not understand.
    """
    files, hunk = [], None
    with open(name, encoding="utf-8", newline="\n") as patch:
        lines = patch.read().split("\n")
    for number, line in enumerate(lines, 1):
        if hunk and (hunk.old_left or hunk.new_left):
            mark, text = (line[0], line[1:]) if line else (" ", "")
            if mark not in " +-":
                die(f"{name}:{number}: not a line of a hunk: {line!r}", 1)
            hunk.lines.append((mark, text))
            hunk.old_left -= mark != "+"
            hunk.new_left -= mark != "-"
            if hunk.old_left < 0 or hunk.new_left < 0:
                die(f"{name}:{number}: more lines than the hunk's header says", 1)
            continue
        if line.startswith("diff --git "):
            path = line.split(" b/", 1)[1]
            files.append(FilePatch(path))
            hunk = None
        elif not files:
            continue
        elif line.startswith("new file mode "):
            files[-1].created = True
        elif line.startswith(
            ("deleted file", "rename ", "copy ", "GIT binary", "old mode", "\\ No newline")
        ):
            files[-1].refused = line
        elif found := HUNK.match(line):
            numbers = (int(n) if n is not None else 1 for n in found.groups())
            old, old_count, new, new_count = numbers
            hunk = Hunk(found.group(0), old, old_count, new, new_count)
            hunk.old_left, hunk.new_left = old_count, new_count
            files[-1].hunks.append(hunk)
    if hunk and (hunk.old_left or hunk.new_left):
        die(f"{name}: ends within a hunk", 1)
    if not files:
        die(f"{name}: holds no diff", 1)
    return files


def topics():
    """The topics of the series, in order."""
    name = os.path.join(os.path.dirname(os.path.realpath(__file__)), "topics")
    with open(name, encoding="utf-8") as listing:
        return [line.split()[0] for line in listing if line.strip() and not line.startswith("#")]


def patch_names(folder, topic=None):
    """The patches in folder in order, without cover letters.

    Those of its topics, or of one, or, if it has no topics, its own.
    """
    if not os.path.isdir(folder):
        die(f"{folder}: there is no such directory")

    def of(place):
        if not os.path.isdir(place):
            return []
        names = [n for n in os.listdir(place) if re.match(r"\d{4}-.*\.patch$", n)]
        return [os.path.join(place, n) for n in sorted(names) if not n.startswith("0000-")]

    if topic:
        return of(os.path.join(folder, topic))
    in_topics = [name for topic in topics() for name in of(os.path.join(folder, topic))]
    if in_topics and of(folder):
        die(f"{of(folder)[0]} is in no topic; series/topics names them")
    return in_topics or of(folder)
