"""What is measured: each workload runs one program once and says what it saw, as a dictionary of figures."""

import re
import time
from dataclasses import dataclass, field
from statistics import median

from processes import Failure, stop_all
from programs import BUILD, NOTHING, RELAY, SERVER, SUBJECTS, Device, Load, Moment, Running, server_help

PLAIN = [RELAY, SERVER, "modbus-proxy"]
TLS = ["haproxy + relay", f"{SERVER} TLS", "nginx + relay", "stunnel + relay", "socat + relay"]
# What the slowest of them can keep up with, too.
RATE = 4000
# How many devices "many devices" are; each is served by a process of its own.
DEVICES = 64
# How long the device of the fairness workloads takes, in seconds.
SLOW = 0.005


@dataclass
class Workload:
    """One kind of load, and the programs that get it; the first one is what the others are compared with."""

    name: str
    title: str
    subjects: list
    measure: object
    load: list = field(default_factory=list)
    crowd: list = field(default_factory=list)
    device: list = field(default_factory=list)
    in_flight: int = 1
    devices: int = 1
    server_options: list = field(default_factory=list)
    # An option of the server without which this cannot be measured.
    needs: str = ""


def _start(place, workload, subject, device, **more):
    if subject.name.startswith(SERVER):
        more["options"] = workload.server_options
    return Running(place, subject, device, workload.in_flight, workload.devices, **more)


def _checked(result):
    """Every answer must have come and be right, or the figures say nothing."""
    wrong = {name: result[name] for name in ("exceptions", "wrong", "closed", "unanswered") if result[name]}
    return {**result, "faults": wrong}


def _named(**results):
    """The faults of several results, each with the name of its result."""
    return {f"{who} {name}": count for who, result in results.items() for name, count in result["faults"].items()}


def load(place, workload, subject, seconds):
    """Requests, and what each of them costs."""
    device = Device(place, "--devices", workload.devices, *workload.device)
    running = _start(place, workload, subject, device)
    # It looks instead of sleeping: waking it would be the dearest thing that the program under test does.
    options = ["--spin", *workload.load, "--seconds", seconds, "--warmup", min(0.5, seconds / 4)]
    generator = Load(place, running.address, "--targets", workload.devices, *options, tls=subject.tls)
    programs = (running, device.process, generator.process)
    generator.wait_for("begin")
    begin = Moment.now(place, *programs)
    device.counts()
    generator.wait_for("end")
    end = Moment.now(place, *programs)
    counts = device.counts()
    result = _checked(generator.result())
    figures = {
        **result,
        "cpu_us": (end.subject - begin.subject) / max(result["answered"], 1) * 1e6,
        "gap_p50_us": counts["gap_p50_us"],
        "gap_p99_us": counts["gap_p99_us"],
        "most_in_flight": counts["most_in_flight"],
        "busy_percent": begin.busy_until(end) * 100,
    }
    if "--rate" not in workload.load:
        # The kernel's ticks, which tell of others, see nothing or too much of what runs every so often.
        figures["disturbance"] = begin.disturbance(end)
    return figures


def limits(place, workload, subject, seconds):
    """Load generator and device by themselves, each with a processor to itself."""
    # The device has nothing to share its processor with: it need not let it sleep.
    device = Device(place, "--spin", *workload.device)
    generator = Load(place, device.address, "--spin", *workload.load, "--seconds", seconds)
    return _checked(generator.result_after("begin", "end"))


def memory(place, workload, subject, seconds):
    """What each further client costs that has asked once and is idle, and the process before any came, in KiB."""
    few, many = 100, 1000
    device = Device(place)
    running = _start(place, workload, subject, device)
    # It may still be doing what it does at its start.
    time.sleep(0.5)
    alone = running.resident()
    first = Load(place, running.address, "--idle", "--clients", few, tls=subject.tls)
    first.wait_for("ready")
    before = running.memory()
    further = Load(place, running.address, "--idle", "--clients", many - few, tls=subject.tls)
    further.wait_for("ready")
    per_client = (running.memory() - before) / (many - few)
    for each in (further, first):
        if _checked(each.finish())["faults"]:
            raise Failure("Idle clients were not left alone.")
    return {"kib_per_client": per_client, "resident_kib": alone}


def storm(place, workload, subject, seconds):
    """An established client that asks every 5 ms, while 16 others at a time make handshakes."""
    device = Device(place)
    running = _start(place, workload, subject, device)
    options = ["--rate", 200, "--seconds", seconds, "--warmup", 1]
    quiet = Load(place, running.address, *options, tls=subject.tls, urgent=True)
    options = [*SIXTEEN, "--connects", "--seconds", seconds + 1, "--warmup", 0.5]
    others = Load(place, running.address, *options, tls=subject.tls)
    result = _checked(quiet.result_after("begin", "end"))
    handshakes = _checked(others.result_after("begin", "end"))
    faults = _named(quiet=result, handshakes=handshakes)
    return {**result, "faults": faults, "handshakes": handshakes["per_second"]}


def startup(place, workload, subject, seconds):
    """From exec to listening, in milliseconds: the median of several starts, the first one left out."""
    device = Device(place)
    times = []
    for _ in range(6):
        running = _start(place, workload, subject, device)
        times.append(running.listening_after * 1000)
        running.stop()
    return {"listening_ms": median(times[1:])}


def fairness(place, workload, subject, seconds):
    """A client that asks now and then, alone and beside others that always have requests waiting.

    Its delay is what its requests took longer than alone, in units of what the device needs for one.
    """
    device = Device(place, "--delay", SLOW)
    running = _start(place, workload, subject, device)

    def ask(seconds):
        options = ["--seconds", seconds, "--warmup", 0.2, *workload.load]
        client = Load(place, running.address, *options, tls=subject.tls, urgent=True)
        return _checked(client.result_after("begin", "end"))

    alone = ask(seconds / 2)
    # What it is compared with must not be late itself.
    if alone["p50_us"] > 2 * SLOW * 1e6:
        raise Failure(f"A client alone waits {alone['p50_us'] / 1000:.1f} ms for a device that takes {SLOW * 1000} ms.")
    crowd = Load(place, running.address, *workload.crowd, "--warmup", 0.5, "--seconds", seconds + 1, tls=subject.tls)
    crowd.wait_for("begin")
    beside = ask(seconds)
    others = _checked(crowd.result_after("end"))
    return {
        **beside,
        "faults": _named(alone=alone, beside=beside, crowd=others),
        "alone_p50_us": alone["p50_us"],
        "alone_max_us": alone["max_us"],
        "crowd_per_second": others["per_second"],
        "delay_p50": (beside["p50_us"] - alone["p50_us"]) / (SLOW * 1e6),
        "delay_max": (beside["max_us"] - alone["p50_us"]) / (SLOW * 1e6),
    }


def allocations(place, workload, subject, seconds):
    """Calls of malloc and its kin per request, once everything is warm."""
    device = Device(place)
    counter = BUILD / "allocations"
    counter.write_bytes(bytes(16))
    environment = {"LD_PRELOAD": str(place.binary("bench-allocations.so")), "BENCH_ALLOCATIONS": str(counter)}
    running = _start(place, workload, subject, device, environment=environment)
    generator = Load(place, running.address, "--clients", 16, "--seconds", seconds, "--warmup", 1, tls=subject.tls)
    generator.wait_for("begin")
    before = _counts(counter)
    generator.wait_for("end")
    after = _counts(counter)
    result = _checked(generator.result())
    own, others = ((now - then) / max(result["answered"], 1) for now, then in zip(after, before))
    return {"own_allocations": own, "other_allocations": others, "faults": result["faults"]}


def _counts(path):
    data = path.read_bytes()
    return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:16], "little")


def look_for_lies(place):
    """Ends it all if the load generator does not see a wrong answer."""
    device = Device(place, "--lie", 1000)
    result = Load(place, device.address, "--depth", 16, "--seconds", 0.2).result_after("begin", "end")
    stop_all()
    if not result["wrong"]:
        raise Failure("The load generator does not see wrong answers.")


SIXTEEN = ["--clients", 16]
SIXTY_FOUR = ["--clients", 64, "--rate", RATE]
SERVERS = [SERVER, f"{SERVER} TLS"]

WORKLOADS = [
    Workload(
        "limits", "load generator and device, 16 clients", [NOTHING], limits, SIXTEEN, device=["--connections", 16]
    ),
    Workload("limits-one", "the same, 1 client with 16 in flight", [NOTHING], limits, ["--depth", 16]),
    Workload("plain", "plain, 16 clients", PLAIN, load, SIXTEEN),
    Workload("tls", "TLS 1.3, 16 clients", TLS, load, SIXTEEN),
    Workload("window", "plain, 16 clients, 16 in flight", [RELAY, SERVER], load, SIXTEEN, in_flight=16),
    Workload("waiting", "plain, 16 clients, 1 ms device", [RELAY, SERVER], load, SIXTEEN, device=["--delay", 0.001]),
    Workload("one", "plain, 1 client", PLAIN, load, ["--clients", 1]),
    Workload("one-tls", "TLS 1.3, 1 client", TLS[:2], load, ["--clients", 1]),
    Workload("rate", f"plain, 16 clients, {RATE}/s", PLAIN, load, [*SIXTEEN, "--rate", RATE]),
    Workload("rate-tls", f"TLS 1.3, 16 clients, {RATE}/s", TLS, load, [*SIXTEEN, "--rate", RATE]),
    Workload("many", "plain, 4000 clients", [RELAY, SERVER], load, ["--clients", 4000, "--sources", 8]),
    Workload(
        "devices",
        f"plain, {DEVICES} devices, 16 clients each",
        [RELAY, SERVER],
        load,
        ["--clients", 16 * DEVICES],
        devices=DEVICES,
    ),
    Workload("spread-1", f"plain, 64 clients of 1 device, {RATE}/s", [RELAY, SERVER], load, SIXTY_FOUR),
    Workload(
        "spread-64",
        f"plain, 64 clients of {DEVICES} devices, {RATE}/s",
        [RELAY, SERVER],
        load,
        SIXTY_FOUR,
        devices=DEVICES,
    ),
    Workload("handshakes", "TLS 1.3 handshakes, 16 at a time", TLS, load, [*SIXTEEN, "--connects"]),
    Workload("storm", "TLS 1.3, 1 client beside 16 handshakes", TLS[:2], storm),
    Workload("memory", "idle clients, plain", PLAIN, memory),
    Workload("memory-tls", "idle clients, TLS 1.3", TLS, memory),
    Workload("startup", "start", SERVERS, startup),
    Workload("allocations", "allocations", SERVERS, allocations),
    Workload(
        "polling",
        "16 clients, same registers, 10 ms device",
        [SERVER],
        load,
        [*SIXTEEN, "--same"],
        device=["--delay", 0.01],
        needs="--no-coalesce",
    ),
    Workload(
        "polling-each",
        "the same, --no-coalesce",
        [SERVER],
        load,
        [*SIXTEEN, "--same"],
        device=["--delay", 0.01],
        server_options=["--no-coalesce"],
        needs="--no-coalesce",
    ),
    Workload(
        "polling-aged",
        "the same, --max-age 500ms",
        [SERVER],
        load,
        [*SIXTEEN, "--same"],
        device=["--delay", 0.01],
        server_options=["--max-age", "500ms"],
        needs="--max-age",
    ),
    # Its requests are far enough apart not to wait for each other, and not in step with the device.
    Workload(
        "fairness",
        "1 client beside one with 64 outstanding, 5 ms device",
        [SERVER],
        fairness,
        ["--rate", 37],
        crowd=["--depth", 64],
    ),
    Workload(
        "writes",
        "1 client that writes beside 8 that read, 5 ms device",
        [SERVER],
        fairness,
        ["--rate", 17, "--write"],
        crowd=["--clients", 8],
    ),
    Workload(
        "writes-first",
        "the same, --write-priority",
        [SERVER],
        fairness,
        ["--rate", 17, "--write"],
        crowd=["--clients", 8],
        server_options=["--write-priority"],
        needs="--write-priority",
    ),
]


def measurable(place, chosen):
    """The pairs of workload and subject that can be measured here, and why others cannot."""
    options, pairs, missing = server_help(place), [], {}
    for workload in WORKLOADS:
        if chosen and workload.name not in chosen:
            continue
        if workload.needs and not re.search(rf"(?<![\w-]){workload.needs}(?![\w-])", options):
            missing[workload.title] = f"the server has no {workload.needs}"
            continue
        for name in workload.subjects:
            reason = SUBJECTS[name].unbuilt()
            if reason:
                missing[name] = reason
            else:
                pairs.append((workload, SUBJECTS[name]))
    return pairs, missing
