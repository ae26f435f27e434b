"""What the project has set itself, and whether it is met."""

from dataclasses import dataclass

from programs import NOTHING, RELAY, SERVER

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
    beside: str = ""  # what helps to judge it

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


def targets(results):
    """All targets, in their order; number 0 is what the benchmark itself must reach."""
    found = []

    def ratio(number, text, figure, one, other, bound, beside=""):
        spread = results.ratios(figure, one, other)
        faults = bool(results.faults(*one) or results.faults(*other))
        found.append(Target(number, text, results.ratio(figure, one, other), bound, "x", spread, faults, beside))

    def value(number, text, figure, workload, subject, bound, unit="", scale=1.0, beside=""):
        spread = [each * scale for each in results.values(workload, subject, figure)]
        measured = results.median(workload, subject, figure)
        faults = bool(results.faults(workload, subject))
        found.append(
            Target(number, text, None if measured is None else measured * scale, bound, unit, spread, faults, beside)
        )

    def relays_own(figure, workload, other):
        measured = results.ratio(figure, (workload, RELAY), (other, RELAY))
        return "" if measured is None else f"the C relay's: {measured:.2f}"

    def told(words, workload, subject, figure, scale=1.0):
        measured = results.median(workload, subject, figure)
        return "" if measured is None else f"{words} {measured * scale:,.2f}"

    for text, workload in (("16 clients", "limits"), ("1 client with 16 in flight", "limits-one")):
        text = f"load generator and device by themselves, {text}: 1000 req/s"
        value(0, text, "per_second", workload, NOTHING, ">= 200", scale=1e-3)

    plain, relay = ("plain", SERVER), ("plain", RELAY)
    ratio(1, "plain, 16 clients: req/s of the C relay's", "per_second", plain, relay, ">= 0.9")
    ratio(1, "CPU per request of the C relay's", "cpu_us", plain, relay, "<= 1.25")
    tls, haproxy = ("tls", TLS), ("tls", HAPROXY)
    ratio(2, "TLS 1.3, 16 clients: req/s of haproxy + C relay's", "per_second", tls, haproxy, ">= 1.0")
    ratio(2, "CPU per request of haproxy + C relay's", "cpu_us", tls, haproxy, "<= 1.0")
    ratio(3, "16 in flight: req/s of the C relay's", "per_second", ("window", SERVER), ("window", RELAY), ">= 0.6")
    ratio(4, "one client: p50 of the C relay's", "p50_us", ("one", SERVER), ("one", RELAY), "<= 1.15")
    ratio(4, "one client: p99 of the C relay's", "p99_us", ("one", SERVER), ("one", RELAY), "<= 1.3")
    # With a device that takes its time, everything in between has slept meanwhile.
    slow = results.ratio("gap_p50_us", ("waiting", SERVER), ("waiting", RELAY))
    slow = "" if slow is None else f"with a 1 ms device: {slow:.2f}"
    ratio(
        5, "requests waiting: the device's idle gap (p50) of the C relay's", "gap_p50_us", plain, relay, "<= 1.2", slow
    )
    value(6, "memory per idle client, plain", "kib_per_client", "memory", SERVER, "<= 3", "KiB")
    value(6, "memory per idle client, TLS 1.3", "kib_per_client", "memory-tls", TLS, "<= 16", "KiB")
    value(6, "the idle process", "resident_kib", "memory", SERVER, "<= 12", "MiB", 1 / 1024)
    value(7, "allocations per request, plain", "own_allocations", "allocations", SERVER, "<= 0.01")
    value(7, "allocations of our own per request, TLS 1.3", "own_allocations", "allocations", TLS, "<= 0.01")
    handshakes, theirs = ("handshakes", TLS), ("handshakes", HAPROXY)
    ratio(8, "full handshakes per second of haproxy's", "per_second", handshakes, theirs, ">= 0.9")
    # Few handshakes would not disturb anybody.
    rate = ", ".join(
        words
        for words in (
            told("handshakes/s meanwhile:", "storm", TLS, "handshakes"),
            told("haproxy's:", "storm", HAPROXY, "handshakes"),
        )
        if words
    )
    value(8, "p99 of a client beside 16 handshakes at a time", "p99_us", "storm", TLS, "<= 2", "ms", 1e-3, rate)
    for text, workload, other in (
        ("4000 clients to 16", "many", "plain"),
        ("64 devices to 1, 64 clients at a fixed rate", "spread-64", "spread-1"),
        ("64 devices to 1, 16 clients each in a closed loop", "devices", "plain"),
    ):
        ratio(
            9,
            f"CPU per request, {text}",
            "cpu_us",
            (workload, SERVER),
            (other, SERVER),
            "0.85 to 1.15",
            relays_own("cpu_us", workload, other),
        )
    value(10, "from exec to listening", "listening_ms", "startup", SERVER, "<= 50", "ms")
    binary = results.binary
    wrong = [f"not {word}" for word in ("static", "stripped") if not binary[word]]
    text = "release binary, Swift's runtime in it, stripped"
    found.append(Target(10, text, binary["megabytes"], "<= 18", "MB", faults=bool(wrong), beside=", ".join(wrong)))
    each = ("polling-each", SERVER)
    ratio(
        11,
        "16 clients polling the same of a 10 ms device: answers per second of those with --no-coalesce",
        "per_second",
        ("polling", SERVER),
        each,
        ">= 10",
    )
    ratio(11, "the same with --max-age 500ms", "per_second", ("polling-aged", SERVER), each, ">= 10")
    # A tenth of a device time is for waking up, here and there.
    for text, workload, bound in (
        ("a client beside one with 64 outstanding: longest delay, in device times", "fairness", "<= 2.1"),
        ("a write beside 8 clients that read, --write-priority: longest delay", "writes-first", "<= 2.1"),
    ):
        usual = told("half are delayed by at most", workload, SERVER, "delay_p50")
        if workload == "writes-first" and usual:
            usual += told("; without the option:", "writes", SERVER, "delay_max")
        value(12, text, "delay_max", workload, SERVER, bound, beside=usual)
    return found
