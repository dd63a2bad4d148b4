"""The scenarios of torture/scenarios.toml as objects; that file says what their fields are."""
import os
import tomllib
from dataclasses import MISSING, dataclass, field, fields

HERE = os.path.dirname(os.path.abspath(__file__))


class Wrong(Exception):
    """What is wrong with the list, or with what was asked of it."""


@dataclass(frozen=True)
class Scenario:
    name: str
    group: str
    what: str
    seconds: int
    kernel: str = "main"
    smp: str = "4"
    note: str = ""
    only: str = ""
    # "except" and "script" in the file; the one is no name in Python
    left_out: str = ""
    script: str = ""
    env: dict = field(default_factory=dict)
    silence: int = 0
    timeout: int = 0
    append: list = field(default_factory=list)

    def options(self):
        """-> those of suite/run, with the names of files as the scenario has them"""
        words = ["--smp", self.smp]
        for option, value in (
            ("--only", self.only),
            ("--except", self.left_out),
            ("--script", self.script),
            *(("--env", f"{name}={value}") for name, value in self.env.items()),
            ("--silence", self.silence),
            ("--timeout", self.timeout),
            *(("--append", word) for word in self.append),
        ):
            if value:
                words += [option, str(value)]
        return words

    def files(self):
        """-> what a name of a file in options() stands for"""
        return {
            "--except": os.path.join(HERE, self.left_out),
            "--script": os.path.join(HERE, "in-guest", self.script),
        }

    def command(self):
        """-> options() with paths"""
        words, files = self.options(), self.files()
        for at, word in enumerate(words):
            if word in files:
                words[at + 1] = files[word]
        return words


def read(path=os.path.join(HERE, "scenarios.toml")):
    """-> [Scenario]; raises Wrong"""
    try:
        with open(path, "rb") as f:
            tables = tomllib.load(f)
    except (OSError, tomllib.TOMLDecodeError) as e:
        raise Wrong(f"{path}: {e}") from None
    needed = {f.name for f in fields(Scenario) if f.default is f.default_factory is MISSING}
    types = {f.name: f.type for f in fields(Scenario)}
    found = []
    for name, table in tables.items():
        given = {"left_out" if key == "except" else key: value for key, value in table.items()}
        given["name"] = name
        if missing := needed - given.keys():
            raise Wrong(f"{path}: {name} has no {', '.join(sorted(missing))}")
        for key, value in given.items():
            if key not in types or type(value) is not types[key]:
                raise Wrong(f"{path}: {name}: {key} = {value!r} is not understood")
        found.append(Scenario(**given))
    return found


def choose(scenarios, names):
    """-> those of these names, all when there are none; raises Wrong"""
    by_name = {s.name: s for s in scenarios}
    for name in names:
        if name not in by_name:
            raise Wrong(f"no scenario is named '{name}'; there are: {' '.join(by_name)}")
    return [by_name[name] for name in names] or scenarios
