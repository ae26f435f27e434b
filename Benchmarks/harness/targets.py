"""What the project has set itself, and whether it is met; and thresholds, below which it must not fall again."""

import tomllib
from dataclasses import dataclass

from programs import RELAY, SERVER

TLS = f"{SERVER} TLS"
HAPROXY = "haproxy + relay"


@dataclass
class Target:
    """A figure and its bound. The figure is None where it was not measured."""

    number: int
    text: str
    figure: float | None
    bound: str  # ">= 0.9", "<= 3" or "0.85 to 1.15"
    unit: str = ""
    spread: list = ()
    faults: bool = False  # answers were wrong or missing: the figure says nothing

    @property
    def verdict(self):
        if self.faults:
            return "faults"
        if self.figure is None:
            return "not measured"
        words = self.bound.split()
        if words[0] == ">=":
            met = self.figure >= float(words[1])
        elif words[0] == "<=":
            met = self.figure <= float(words[1])
        else:
            met = float(words[0]) <= self.figure <= float(words[2])
        return "met" if met else "missed"


def targets(results, binary):
    """All targets, in their order."""
    found = []

    def ratio(number, text, figure, one, other, bound):
        spread = results.ratios(figure, one, other)
        faults = bool(results.faults(*one) or results.faults(*other))
        found.append(Target(number, text, results.ratio(figure, one, other), bound, "x", spread, faults))

    def value(number, text, figure, workload, subject, bound, unit, scale=1.0):
        measured = results.median(workload, subject, figure)
        faults = bool(results.faults(workload, subject))
        found.append(Target(number, text, None if measured is None else measured * scale, bound, unit, faults=faults))

    ratio(1, "plain, 16 clients: req/s of the C relay's", "per_second", ("plain", SERVER), ("plain", RELAY), ">= 0.9")
    ratio(1, "CPU per request of the C relay's", "cpu_us", ("plain", SERVER), ("plain", RELAY), "<= 1.25")
    ratio(
        2, "TLS 1.3, 16 clients: req/s of haproxy + C relay's", "per_second", ("tls", TLS), ("tls", HAPROXY), ">= 1.0"
    )
    ratio(2, "CPU per request of haproxy + C relay's", "cpu_us", ("tls", TLS), ("tls", HAPROXY), "<= 1.0")
    ratio(3, "16 in flight: req/s of the C relay's", "per_second", ("window", SERVER), ("window", RELAY), ">= 0.6")
    ratio(4, "one client: p50 of the C relay's", "p50_us", ("one", SERVER), ("one", RELAY), "<= 1.15")
    ratio(4, "one client: p99 of the C relay's", "p99_us", ("one", SERVER), ("one", RELAY), "<= 1.3")
    ratio(
        5,
        "requests waiting: the device's idle gap (p50) of the C relay's",
        "gap_p50_us",
        ("plain", SERVER),
        ("plain", RELAY),
        "<= 1.2",
    )
    value(6, "memory per idle client, plain", "kib_per_client", "memory", SERVER, "<= 3", "KiB")
    value(6, "memory per idle client, TLS 1.3", "kib_per_client", "memory-tls", TLS, "<= 16", "KiB")
    value(6, "the idle process", "resident_kib", "memory", SERVER, "<= 12", "MiB", 1 / 1024)
    value(7, "allocations per request, plain", "own_allocations", "allocations", SERVER, "<= 0.01", "")
    value(7, "allocations of our own per request, TLS 1.3", "own_allocations", "allocations", TLS, "<= 0.01", "")
    ratio(
        8,
        "full handshakes per second of haproxy's",
        "per_second",
        ("handshakes", TLS),
        ("handshakes", HAPROXY),
        ">= 0.9",
    )
    value(8, "p99 of a client beside 16 handshakes at a time", "p99_us", "storm", TLS, "<= 2", "ms", 1e-3)
    ratio(9, "CPU per request, 4000 clients to 16", "cpu_us", ("many", SERVER), ("plain", SERVER), "0.85 to 1.15")
    found.append(Target(9, "CPU per request, 64 devices to 1", None, "0.85 to 1.15", "x"))
    value(10, "from exec to listening", "listening_ms", "startup", SERVER, "<= 50", "ms")
    found.append(Target(10, "release binary", binary.stat().st_size / 1e6, "<= 12", "MB"))
    ratio(
        11,
        "16 clients polling the same registers of a 10 ms device: answers per second of those with --no-coalesce",
        "per_second",
        ("polling", SERVER),
        ("polling-each", SERVER),
        ">= 10",
    )
    return found


def read_thresholds(path):
    """The thresholds of the file, each a dictionary."""
    return tomllib.loads(path.read_text()).get("threshold", [])


def broken_thresholds(results, thresholds):
    """A sentence for each threshold that is not kept, its tolerance allowed."""
    broken = []
    for each in thresholds:
        one, other = (each["workload"], each["program"]), (each["workload"], each["of"])
        figure, name = (
            results.ratio(each["figure"], one, other),
            f"{each['workload']}: {each['figure']} of {each['program']}",
        )
        if figure is None or results.faults(*one) or results.faults(*other):
            broken.append(f"{name} could not be measured")
        elif "at_least" in each and figure < each["at_least"] * (1 - each["tolerance"]):
            broken.append(f"{name} is {figure:.2f} of {each['of']}'s; at least {each['at_least']} was reached before")
        elif "at_most" in each and figure > each["at_most"] * (1 + each["tolerance"]):
            broken.append(f"{name} is {figure:.2f} of {each['of']}'s; at most {each['at_most']} was needed before")
    return broken
