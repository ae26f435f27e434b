"""Starts programs on a processor of their choice, reads their time and memory, and ends them, and nothing else."""

import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
_running = []


class Failure(Exception):
    """What went wrong, in a sentence."""


def _end_with_parent():
    # A harness that is killed leaves nothing behind.
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


class Process:
    """One program. Its words go to a log file, unless they are to be read."""

    def __init__(self, command, processor, log, readable=False, urgent=False, environment=None):
        def prepare():
            _end_with_parent()
            os.sched_setaffinity(0, {processor})
            if urgent:
                try:
                    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
                except PermissionError:
                    pass

        self.command = [str(word) for word in command]
        self.log = Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.started = time.monotonic()
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

    def wait_until_listening(self, port, limit=10):
        """Waits until it listens on the port and says how long that took since its start, in seconds."""
        while time.monotonic() - self.started < limit:
            if is_listening(port):
                return time.monotonic() - self.started
            if self.process.poll() is not None:
                raise Failure(f"{self.command[0]} ended with {self.process.returncode}: {self.last_words()}")
            time.sleep(0.0005)
        raise Failure(f"{self.command[0]} does not listen on port {port}: {self.last_words()}")

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
    own = user + system
    if fields[17] == "1":
        # In nanoseconds: with a process for each client, what is cut off of each adds up. It tells of one thread only.
        own = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return own, ended_user + ended_system


def _smaps(pid, field):
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def is_listening(port):
    """Reads a table and does not connect: the device has room for one connection only."""
    wanted = f":{port:04X} "
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            fields = line.split(maxsplit=4)
            if fields[3] == "0A" and f"{fields[1]} ".endswith(wanted):
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


def free_port():
    """A port below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
