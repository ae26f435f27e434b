"""What must not be lost again: the bounds that "make bench-check" holds. See thresholds.toml."""

import tomllib
from dataclasses import dataclass

from processes import Failure


@dataclass
class Threshold:
    """A figure of a program, by that of another program or workload in the same round, or by itself; and its bound."""

    workload: str
    program: str
    figure: str
    tolerance: float
    of: str = ""
    of_workload: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def one(self):
        return self.workload, self.program

    @property
    def other(self):
        """What it is divided by; None if it stands for itself."""
        if not self.of and not self.of_workload:
            return None
        return self.of_workload or self.workload, self.of or self.program

    def broken(self, results):
        """A sentence if it is not kept, its tolerance allowed."""
        name = f"{self.workload}: {self.figure} of {self.program}"
        if self.other:
            name += f" by that of {self.other[1]} in {self.other[0]}"
            figure = results.ratio(self.figure, self.one, self.other)
        else:
            figure = results.median(*self.one, self.figure)
        faults = results.faults(*self.one) or (self.other and results.faults(*self.other))
        if figure is None or faults:
            return f"{name} could not be measured" + (f": {faults}" if faults else "")
        if self.at_least is not None and figure < self.at_least * (1 - self.tolerance):
            return f"{name} is {figure:.3g}; {self.at_least} less {self.tolerance:.0%} must be kept"
        if self.at_most is not None and figure > self.at_most * (1 + self.tolerance):
            return f"{name} is {figure:.3g}; {self.at_most} and {self.tolerance:.0%} more must do"
        return None


def read_thresholds(path, workloads):
    """The thresholds of the file."""
    try:
        found = [Threshold(**each) for each in tomllib.loads(path.read_text()).get("threshold", [])]
    except (TypeError, tomllib.TOMLDecodeError) as error:
        raise Failure(f"{path}: {error}") from error
    known = {(workload.name, subject) for workload in workloads for subject in workload.subjects}
    for each in found:
        # A misspelt one would never be measured, or bound nothing.
        if each.one not in known or (each.other and each.other not in known):
            raise Failure(f"{path}: {each} speaks of what is not measured.")
        if (each.at_least is None) == (each.at_most is None) or not 0 <= each.tolerance < 1:
            raise Failure(f"{path}: {each} needs at_least or at_most, and a tolerance below 1.")
    if not found:
        raise Failure(f"{path} has no thresholds.")
    return found
