"""Starts programs on a processor of their choice, reads their time and memory, and ends them, and nothing else."""

import ctypes
import functools
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
_running = []


class Failure(Exception):
    """What went wrong, in a sentence."""


@functools.cache
def may_be_urgent():
    """Whether real-time priority is allowed here."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, *before)
    return True


def _end_with_parent():
    # A harness that is killed leaves nothing behind.
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Process:
    """One program. Its words go to a log file, unless they are to be read."""

    def __init__(self, command, processor, log, readable=False, urgent=False, environment=None):
        exec_moment, tell_moment = os.pipe()

        def prepare():
            _end_with_parent()
            os.sched_setaffinity(0, {processor})
            if urgent and may_be_urgent():
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            # The last thing before exec: how long we take until here is not the program's time.
            os.write(tell_moment, b"%d" % time.monotonic_ns())

        self.command = [str(word) for word in command]
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "wb") as errors:
            # A session of its own keeps the terminal's Ctrl-C away: we end it ourselves.
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE if readable else subprocess.DEVNULL,
                stdout=subprocess.PIPE if readable else errors,
                stderr=errors,
                text=True,
                start_new_session=True,
                preexec_fn=prepare,
                env={**os.environ, **(environment or {})},
            )
        self.pid = self.process.pid
        self.started = int(os.read(exec_moment, 32)) / 1e9
        os.close(exec_moment)
        os.close(tell_moment)
        _running.append(self)

    def read_line(self):
        """The next line of its output, without its end."""
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait(timeout=10)
            raise Failure(f"{self.command[0]} ended with status {status}: {self.last_words()}")
        return line.rstrip("\n")

    def last_words(self):
        return " ".join(self.log.read_text(errors="replace").split()[-60:])

    def family(self):
        """Its process id and those of its children."""
        found, open_ids = [], [self.pid]
        while open_ids:
            pid = open_ids.pop()
            found.append(pid)
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            except OSError:
                children = ""
            open_ids += [int(child) for child in children.split()]
        return found

    def processor_seconds(self):
        """User and system time of it and its children, ended ones included."""
        total = 0.0
        for pid in self.family():
            try:
                own, ended = _processor_seconds(pid)
            except OSError:
                continue
            total += own + ended
        return total

    def memory(self):
        """KiB of memory, pages that are shared with others counted in part."""
        return sum(_smaps(pid, "Pss") for pid in self.family())

    def resident(self):
        """KiB of memory, shared pages and all."""
        return sum(_smaps(pid, "Rss") for pid in self.family())

    def wait_until_listening(self, address, limit=30):
        """Waits until it listens there and says how long that took since exec, in seconds."""
        while time.monotonic() - self.started < limit:
            if is_listening(address):
                return time.monotonic() - self.started
            if self.process.poll() is not None:
                raise Failure(f"{self.command[0]} ended with {self.process.returncode}: {self.last_words()}")
            time.sleep(0.0005)
        raise Failure(f"{self.command[0]} does not listen on {address}: {self.last_words()}")

    def stop(self):
        """Asks it to end, and ends it if it does not."""
        if self not in _running:
            return
        for each in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            try:
                # Its own group holds the children that it has made.
                os.killpg(self.pid, each)
                self.process.wait(timeout=5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        _running.remove(self)


def stop_all():
    """Ends what still runs, the last one first."""
    for process in list(reversed(_running)):
        process.stop()


def _processor_seconds(pid):
    """Of a process, and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, ended_user, ended_system = (int(field) / TICK for field in fields[11:15])
    # In nanoseconds, but only of threads that have not ended: neither figure is ever too large.
    threads = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            threads += int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
        except OSError:
            continue
    return max(user + system, threads / 1e9), ended_user + ended_system


def _smaps(pid, field):
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def is_listening(address):
    """Reads a table and does not connect: the device has room for one connection only."""
    host, _, port = address.rpartition(":")
    number = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    wanted = f"{number:08X}:{int(port):04X}"
    with open("/proc/net/tcp") as table:
        next(table)
        for line in table:
            _, local, _, state, _ = line.split(maxsplit=4)
            # Those that listen come first; of the others there may be thousands.
            if state != "0A":
                return False
            if local == wanted:
                return True
    return False


def busy_seconds(processor):
    """For how long this processor has done something, whoever it was for."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{processor}":
            # All but idle and waiting; the guests' are counted in user's and nice's.
            return sum(int(field) for place, field in enumerate(fields[:8]) if place not in (3, 4)) / TICK
    return 0


def free_address():
    """An address whose port is below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                # On all addresses: some programs listen on several.
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            return f"127.0.0.1:{port}"


def address_after(address, count):
    """So many addresses further, at the same port."""
    host, _, port = address.rpartition(":")
    number = int.from_bytes(socket.inet_aton(host), "big") + count
    return f"{socket.inet_ntoa(number.to_bytes(4, 'big'))}:{port}"
