"""How each program is started: the load, the device, and those in between that are compared."""

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from processes import Failure, Process, address_after, busy_seconds, free_address

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build-bench"
LOGS = BUILD / "logs"
PEERS = BUILD / "peers"
CERTIFICATES = BUILD / "certificates"
LEAF = CERTIFICATES / "server-leaf.crt"
NOTHING = "nothing between"
RELAY = "C relay"
SERVER = "tcp-multiplexer"


@dataclass
class Place:
    """What runs where. The load has a processor of its own, everything else shares the other one."""

    server: Path
    load_processor: int
    processor: int

    def binary(self, name):
        return BUILD / "bin" / name


class Device:
    """The device, and what it counts."""

    def __init__(self, place, *options):
        self.address = free_address()
        command = [place.binary("bench-device"), "--listen", self.address, *options]
        self.process = Process(command, place.processor, LOGS / "device.log", readable=True)
        self.process.wait_until_listening(self.address)

    def counts(self):
        """What was counted since the last call."""
        os.kill(self.process.pid, signal.SIGUSR1)
        return json.loads(self.process.read_line())


class Load:
    """The load generator, and what it measures."""

    def __init__(self, place, address, *options, tls=False, urgent=False):
        command = [place.binary("bench-load"), "--target", address, *options]
        if tls:
            command += ["--ca", CERTIFICATES / "ca.crt"]
            command += ["--certificate", CERTIFICATES / "client.crt", "--key", CERTIFICATES / "client.key"]
        self.process = Process(command, place.load_processor, LOGS / "load.log", readable=True, urgent=urgent)

    def wait_for(self, word):
        line = self.process.read_line()
        if line != word:
            raise Failure(f"The load generator says {line}, not {word}.")

    def result(self):
        return json.loads(self.process.read_line())

    def result_after(self, *words):
        for word in words:
            self.wait_for(word)
        return self.result()

    def go_on(self):
        """Lets clients begin that have been held."""
        self.process.process.stdin.write("\n")
        self.process.process.stdin.flush()

    def finish(self):
        """Lets idle clients go."""
        self.process.process.stdin.close()
        self.process.process.stdin = None
        return self.result()


@dataclass
class Moment:
    """What was used up to now, in seconds, by one thing after the other."""

    subject: float
    device: float
    ours: float  # all of it that is none of the others'
    used: float  # of the two processors, by whomever
    time: float

    @staticmethod
    def now(place, running, device, load):
        # This one first and quickly: what is used meanwhile is missing in it.
        subject = running.processor_seconds()
        moment = time.monotonic()
        device, load = device.processor_seconds(), load.processor_seconds()
        used = busy_seconds(place.load_processor) + busy_seconds(place.processor)
        return Moment(subject, device, subject + device + load + sum(os.times()[:2]), used, moment)

    def busy_until(self, later):
        """How much of their processor program and device used, until the later moment."""
        return (later.subject - self.subject + later.device - self.device) / (later.time - self.time)

    def disturbance(self, later):
        """How much of the two processors was used by programs that are none of ours, until the later moment."""
        others = later.used - self.used - (later.ours - self.ours)
        return max(0, others) / (2 * (later.time - self.time))


@dataclass
class Subject:
    """A program under test, or several that work together: what starts them is told where clients and device are."""

    name: str
    start: object
    tls: bool = False
    unbuilt: object = lambda: None  # why it cannot be started


class Running:
    """A subject that runs, once for each device."""

    def __init__(self, place, subject, device, in_flight=1, count=1, **more):
        self.address = free_address()
        starts = []
        for number in range(count):
            listen = address_after(self.address, number)
            processes = subject.start(place, listen, address_after(device.address, number), in_flight, **more)
            starts.append((listen, processes))
        self.processes = [process for _, processes in starts for process in processes]
        if not self.processes:
            self.address = device.address
        # The last one of each is what clients connect to.
        waits = [processes[-1].wait_until_listening(listen) for listen, processes in starts if processes]
        self.listening_after = max(waits, default=0)

    def processor_seconds(self):
        return sum(process.processor_seconds() for process in self.processes)

    def memory(self):
        return sum(process.memory() for process in self.processes)

    def resident(self):
        return sum(process.resident() for process in self.processes)

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def _relay(place, listen, device, in_flight):
    command = [place.binary("bench-relay"), "--listen", listen, "--device", device, "--max-in-flight", in_flight]
    return [Process(command, place.processor, LOGS / "relay.log")]


def _server(place, listen, device, in_flight, tls=False, options=(), environment=None, wrapper=()):
    command = [*wrapper, place.server, "server", "-p", "modbus", "-t", device, *options]
    if in_flight > 1:
        command += ["--max-in-flight", in_flight]
    if tls:
        command += ["--tls-listen", listen, "--client-ca", CERTIFICATES / "ca.crt"]
        command += ["--tls-certificate", LEAF, "--tls-key", CERTIFICATES / "server.key"]
    else:
        command += ["--listen", listen]
    return [Process(command, place.processor, LOGS / "server.log", environment=environment)]


def _server_tls(place, listen, device, in_flight, **more):
    return _server(place, listen, device, in_flight, tls=True, **more)


def _modbus_proxy(place, listen, device, in_flight):
    # The command as it is, on the faster event loop; without a log line per request.
    program = (
        "import logging, uvloop; uvloop.install(); import modbus_proxy as m; m.DEFAULT_LOG_CONFIG['root']['level'] = "
    )
    program += "'WARNING'; m.main()"
    command = [PEERS / "venv/bin/python", "-c", program, "-b", f"tcp://{listen}", "--modbus", f"tcp://{device}"]
    return [Process(command, place.processor, LOGS / "modbus-proxy.log")]


def _terminated(make_command):
    """A TLS terminator in front of the C relay."""

    def start(place, listen, device, in_flight):
        between = free_address()
        (relay,) = _relay(place, between, device, in_flight)
        relay.wait_until_listening(between)
        command, name = make_command(listen, between)
        return [relay, Process(command, place.processor, LOGS / f"{name}.log", environment=peer_environment())]

    return start


def write_leaf():
    """The server's certificate alone: a root that is sent along, the load generator has to decode each time."""
    text = (CERTIFICATES / "server.crt").read_text()
    end = "-----END CERTIFICATE-----\n"
    LEAF.write_text(text.partition(end)[0] + end)


def _configuration(name, text):
    path = BUILD / "configurations" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _server_pem():
    """Certificates and key in one file, as haproxy and socat want them."""
    text = LEAF.read_text() + (CERTIFICATES / "server.key").read_text()
    path = _configuration("server.pem", text)
    path.chmod(0o600)
    return path


# None of them lets clients resume a session, as we do not: making tickets would cost them a third of their handshakes.


def _haproxy(listen, relay):
    text = f"""
global
    maxconn 8000
    nbthread 1
    tune.ssl.cachesize 0
    ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets
defaults
    mode tcp
    timeout connect 5s
    timeout client 10m
    timeout server 10m
frontend clients
    bind {listen} ssl crt {_server_pem()} ca-file {CERTIFICATES}/ca.crt verify required
    default_backend relay
backend relay
    server relay {relay}
"""
    return [peer_binary("haproxy"), "-db", "-f", _configuration("haproxy.cfg", text)], "haproxy"


def _stunnel(listen, relay):
    text = f"""
foreground = yes
pid =
debug = warning
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[relay]
accept = {listen}
connect = {relay}
cert = {LEAF}
key = {CERTIFICATES}/server.key
CAfile = {CERTIFICATES}/ca.crt
verifyChain = yes
requireCert = yes
sslVersionMin = TLSv1.3
sessionResume = no
"""
    return [peer_binary("stunnel4"), _configuration("stunnel.conf", text)], "stunnel"


def _nginx(listen, relay):
    folder = BUILD / "configurations" / "nginx"
    folder.mkdir(parents=True, exist_ok=True)
    text = f"""
load_module {PEERS}/root/usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
stream {{
    server {{
        listen {listen} ssl;
        tcp_nodelay on;
        ssl_certificate {LEAF};
        ssl_certificate_key {CERTIFICATES}/server.key;
        ssl_client_certificate {CERTIFICATES}/ca.crt;
        ssl_verify_client on;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        ssl_session_cache off;
        proxy_pass {relay};
    }}
}}
"""
    return [peer_binary("nginx"), "-p", folder, "-e", "stderr", "-c", _configuration("nginx.conf", text)], "nginx"


def _socat(listen, relay):
    host, _, port = listen.rpartition(":")
    clients = f"OPENSSL-LISTEN:{port},bind={host},reuseaddr,fork,nodelay,backlog=1024,cert={_server_pem()}"
    clients += f",cafile={CERTIFICATES}/ca.crt,verify=1,openssl-min-proto-version=TLS1.3"
    return [peer_binary("socat"), clients, f"TCP:{relay},nodelay"], "socat"


def peer_binary(name):
    """The one that was fetched for the benchmark, or the one that the machine has; None if there is none."""
    for folder in ("usr/sbin", "usr/bin"):
        path = PEERS / "root" / folder / name
        if path.exists():
            return path
    return shutil.which(name)


def peer_environment():
    libraries = [
        PEERS / "root/usr/lib" / f"{os.uname().machine}-linux-gnu",
        PEERS / "root/lib" / f"{os.uname().machine}-linux-gnu",
    ]
    return {"LD_LIBRARY_PATH": ":".join(str(folder) for folder in libraries)}


def _needs_peer(name):
    return lambda: None if peer_binary(name) else f"{name} is not there"


def _needs_modbus_proxy():
    return None if (PEERS / "venv/bin/modbus-proxy").exists() else "modbus-proxy is not there"


SUBJECTS = {
    subject.name: subject
    for subject in [
        Subject(NOTHING, lambda place, listen, device, in_flight: []),
        Subject(RELAY, _relay),
        Subject(SERVER, _server),
        Subject("modbus-proxy", _modbus_proxy, unbuilt=_needs_modbus_proxy),
        Subject(f"{SERVER} TLS", _server_tls, tls=True),
        Subject("haproxy + relay", _terminated(_haproxy), tls=True, unbuilt=_needs_peer("haproxy")),
        Subject("nginx + relay", _terminated(_nginx), tls=True, unbuilt=_needs_peer("nginx")),
        Subject("stunnel + relay", _terminated(_stunnel), tls=True, unbuilt=_needs_peer("stunnel4")),
        Subject("socat + relay", _terminated(_socat), tls=True, unbuilt=_needs_peer("socat")),
    ]
}


def server_help(place):
    """The options that the server has."""
    done = subprocess.run([place.server, "server", "--help"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{place.server} does not say what options it has: {done.stderr.strip()}")
    return done.stdout


def versions():
    """The peers that are there, one line each."""

    def first_line(command, pick=0):
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=10,
                env={**os.environ, **peer_environment()},
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        lines = (done.stdout + done.stderr).splitlines()
        return lines[pick] if len(lines) > pick else None

    python = PEERS / "venv/bin/python"
    program = "from importlib.metadata import version as v; "
    program += "print('modbus-proxy', v('modbus-proxy'), 'on uvloop', v('uvloop'))"
    asked = [
        [peer_binary("haproxy"), "-v"],
        [peer_binary("nginx"), "-v"],
        [peer_binary("stunnel4"), "-version"],
        [peer_binary("socat"), "-V"],
        [python, "-c", program],
    ]
    picks = [0, 0, 1, 1, 0]
    found = [first_line([str(word) for word in command], pick) for command, pick in zip(asked, picks) if command[0]]
    return [line for line in found if line]
