"""What is measured: each workload runs one program once and says what it saw, as a dictionary of figures."""

from dataclasses import dataclass, field

from processes import Failure, stop_all
from programs import BUILD, RELAY, SERVER, SUBJECTS, Device, Load, Moment, server_help

PLAIN = [RELAY, SERVER, "modbus-proxy"]
TLS = ["haproxy + relay", f"{SERVER} TLS", "nginx + relay", "stunnel + relay", "socat + relay"]
# What the slowest of them can keep up with, too.
RATE = 4000


@dataclass
class Workload:
    """One kind of load, and the programs that get it; the first one is what the others are compared with."""

    name: str
    title: str
    subjects: list
    measure: object
    load: list = field(default_factory=list)
    device: list = field(default_factory=list)
    in_flight: int = 1
    server_options: list = field(default_factory=list)
    # An option of the server without which this cannot be measured.
    needs: str = ""


def _start(place, workload, subject, device, **more):
    if subject.name.startswith(SERVER):
        more["options"] = workload.server_options
    return subject.start(place, device.port, workload.in_flight, **more)


def _checked(result):
    """Every answer must have come and be right, or the figures say nothing."""
    wrong = {name: result[name] for name in ("exceptions", "wrong", "closed", "unanswered") if result[name]}
    return {**result, "faults": wrong}


def load(place, workload, subject, seconds):
    """Requests, and what each of them costs."""
    device = Device(place, *workload.device)
    running = _start(place, workload, subject, device)
    # It looks instead of sleeping: waking it would be the dearest thing that the program under test does.
    options = ["--spin", *workload.load, "--seconds", seconds, "--warmup", min(0.5, seconds / 4)]
    generator = Load(place, running.port, *options, tls=subject.tls)
    ours = (generator.process, device.process)
    generator.wait_for("begin")
    begin = Moment.now(place, running, *ours)
    device.counts()
    generator.wait_for("end")
    end = Moment.now(place, running, *ours)
    counts = device.counts()
    result = _checked(generator.result())
    return {
        **result,
        "cpu_us": (end.subject - begin.subject) / max(result["answered"], 1) * 1e6,
        "gap_p50_us": counts["gap_p50_us"],
        "gap_p99_us": counts["gap_p99_us"],
        "busy_percent": begin.busy_until(end) * 100,
        "disturbance": begin.disturbance(end),
    }


def memory(place, workload, subject, seconds):
    """What each further client costs that has asked once and is idle, and the process before any came, in KiB."""
    few, many = 100, 1000
    device = Device(place)
    running = _start(place, workload, subject, device)
    alone = sum(process.resident() for process in running.processes)
    first = Load(place, running.port, "--idle", "--clients", few, tls=subject.tls)
    first.wait_for("ready")
    before = running.memory()
    further = Load(place, running.port, "--idle", "--clients", many - few, tls=subject.tls)
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
    quiet = Load(place, running.port, "--rate", 200, "--seconds", seconds, "--warmup", 1, tls=subject.tls, urgent=True)
    others = Load(
        place, running.port, "--connects", "--clients", 16, "--seconds", seconds + 1, "--warmup", 0.5, tls=subject.tls
    )
    result = _checked(quiet.result_after("begin", "end"))
    handshakes = others.result_after("begin", "end")
    return {**result, "handshakes": handshakes["per_second"]}


def startup(place, workload, subject, seconds):
    """From exec to listening, in milliseconds."""
    device = Device(place)
    running = _start(place, workload, subject, device)
    return {"listening_ms": running.listening_after * 1000}


def allocations(place, workload, subject, seconds):
    """Calls of malloc and its kin per request, once everything is warm."""
    device = Device(place)
    counter = BUILD / "allocations"
    counter.write_bytes(bytes(16))
    environment = {"LD_PRELOAD": str(place.binary("bench-allocations.so")), "BENCH_ALLOCATIONS": str(counter)}
    running = _start(place, workload, subject, device, environment=environment)
    generator = Load(place, running.port, "--clients", 16, "--seconds", seconds, "--warmup", 1, tls=subject.tls)
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


def own_limits(place, seconds):
    """What load generator and device do by themselves, and whether a wrong answer is seen."""
    lines = []
    for title, room, options in [
        ("1 client, 16 in flight", 1, ["--depth", 16]),
        ("16 clients, 1 in flight", 16, SIXTEEN),
    ]:
        device = Device(place, "--connections", room)
        result = Load(place, device.port, "--spin", *options, "--seconds", seconds).result_after("begin", "end")
        stop_all()
        if _checked(result)["faults"]:
            raise Failure(f"The load generator and the device disagree: {result}")
        lines.append(
            f"load generator and device by themselves, {title}: {result['per_second']:,.0f} req/s, all answers right"
        )
    device = Device(place, "--lie", 1000)
    result = Load(place, device.port, "--depth", 16, "--seconds", 0.2).result_after("begin", "end")
    stop_all()
    if not result["wrong"]:
        raise Failure("The load generator does not see wrong answers.")
    return lines


SIXTEEN = ["--clients", 16]
SERVERS = [SERVER, f"{SERVER} TLS"]

WORKLOADS = [
    Workload("plain", "plain, 16 clients", PLAIN, load, SIXTEEN),
    Workload("tls", "TLS 1.3, 16 clients", TLS, load, SIXTEEN),
    Workload("window", "plain, 16 clients, 16 in flight", [RELAY, SERVER], load, SIXTEEN, in_flight=16),
    Workload("one", "plain, 1 client", PLAIN, load, ["--clients", 1]),
    Workload("one-tls", "TLS 1.3, 1 client", TLS[:2], load, ["--clients", 1]),
    Workload("rate", f"plain, 16 clients, {RATE}/s", PLAIN, load, [*SIXTEEN, "--rate", RATE]),
    Workload("rate-tls", f"TLS 1.3, 16 clients, {RATE}/s", TLS, load, [*SIXTEEN, "--rate", RATE]),
    Workload("many", "plain, 4000 clients", [RELAY, SERVER], load, ["--clients", 4000, "--sources", 8]),
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
        ["--delay", 0.01],
        needs="--no-coalesce",
    ),
    Workload(
        "polling-each",
        "the same, --no-coalesce",
        [SERVER],
        load,
        [*SIXTEEN, "--same"],
        ["--delay", 0.01],
        server_options=["--no-coalesce"],
        needs="--no-coalesce",
    ),
]


def measurable(place, chosen):
    """The pairs of workload and subject that can be measured here, and why others cannot."""
    options, pairs, missing = server_help(place), [], {}
    for workload in WORKLOADS:
        if chosen and workload.name not in chosen:
            continue
        if workload.needs and workload.needs not in options:
            missing[workload.title] = f"the server has no {workload.needs}"
            continue
        for name in workload.subjects:
            reason = SUBJECTS[name].unbuilt()
            if reason:
                missing[name] = reason
            else:
                pairs.append((workload, SUBJECTS[name]))
    return pairs, missing
