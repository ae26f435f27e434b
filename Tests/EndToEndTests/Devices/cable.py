"""Two hosts and a cable between them: network namespaces, joined by a program that every packet passes.

The namespaces have no names and end with this program, whatever happens to it. The hosts are 10.77.0.1 ("near") and
10.77.0.2 ("far"); each has its own loopback. A program runs on one of them with

  nsenter [--user=/proc/PID/fd/U --preserve-credentials] --net=/proc/PID/fd/N program ...

Says on its output:
  ready near OPTIONS     nsenter's options for the near host
  ready far OPTIONS
  impossible REASON      this machine does not let us, or lacks something

Takes lines on its input, and says "done LINE" for each:
  hole           packets of both directions vanish, and nobody is told
  hole near|far  only those that the near or the far host sends
  pull           the same as hole, and both hosts see that the link has gone
  open           all is well again
  loss PERCENT   this part of the packets vanishes
  delay MS       each packet takes as long as this
"""

import ctypes
import errno
import fcntl
import heapq
import os
import random
import select
import shutil
import struct
import subprocess
import sys
import time

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
TUNSETIFF, TUNSETCARRIER = 0x400454CA, 0x400454E2
IFF_TUN, IFF_NO_PI = 1, 0x1000
libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def become_root_of_a_user_namespace():
    """Without privileges it takes a user namespace to make others."""
    user, group = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER)
    for file, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{file}", "w") as output:
            output.write(text)


def make_host(address):
    """Makes a network namespace, moves into it, and returns its descriptor and that of its end of the cable."""
    unshare(CLONE_NEWNET)
    cable = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(cable, TUNSETIFF, struct.pack("16sH22x", b"cable", IFF_TUN | IFF_NO_PI))
    for command in (
        f"address add {address}/24 dev cable",
        "link set cable up",
        "link set lo up",
    ):
        subprocess.run(["ip", *command.split()], check=True, stdout=subprocess.DEVNULL)
    return os.open("/proc/self/ns/net", os.O_RDONLY), cable


class Cable:
    def __init__(self, ends):
        self.ends = ends
        self.is_open = [True, True]
        self.loss, self.delay = 0, 0
        self.random = random.Random(1)
        self.underway = []
        self.count = 0

    def run(self):
        while True:
            wait = max(0, self.underway[0][0] - time.monotonic()) if self.underway else None
            readable, _, _ = select.select([0, *self.ends], [], [], wait)
            for side, end in enumerate(self.ends):
                if end in readable:
                    self.take(side)
            while self.underway and self.underway[0][0] <= time.monotonic():
                _, _, side, packet = heapq.heappop(self.underway)
                # What is on its way when the cable is cut is lost too.
                if self.is_open[side]:
                    self.give(side, packet)
            if 0 in readable:
                line = sys.stdin.readline()
                if not line:
                    return
                self.obey(line.split())
                say(f"done {line.strip()}")

    def take(self, side):
        try:
            packet = os.read(self.ends[side], 65536)
        except BlockingIOError:
            return
        except OSError as error:
            # Without its carrier an end gives nothing.
            if error.errno == errno.EIO:
                return
            raise
        if self.is_open[side] and self.random.random() >= self.loss:
            self.count += 1
            heapq.heappush(self.underway, (time.monotonic() + self.delay, self.count, side, packet))

    def give(self, side, packet):
        try:
            os.write(self.ends[1 - side], packet)
        except (BlockingIOError, OSError):
            pass

    def obey(self, words):
        match words:
            case ["hole"]:
                self.is_open = [False, False]
            case ["hole", name]:
                self.is_open[("near", "far").index(name)] = False
            case ["pull"]:
                self.is_open = [False, False]
                self.carry(0)
            case ["open"]:
                self.carry(1)
                self.is_open = [True, True]
                self.loss, self.delay = 0, 0
            case ["loss", percent]:
                self.loss = float(percent) / 100
            case ["delay", milliseconds]:
                self.delay = float(milliseconds) / 1000

    def carry(self, carrier):
        for end in self.ends:
            fcntl.ioctl(end, TUNSETCARRIER, struct.pack("i", carrier))


def say(text):
    print(text, flush=True)


def main():
    for tool in ("ip", "nsenter"):
        if not shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            return say(f"impossible: {tool} is missing")
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    user = ""
    try:
        try:
            near = make_host("10.77.0.1")
        except PermissionError:
            become_root_of_a_user_namespace()
            user = f"--user=/proc/{os.getpid()}/fd/{os.open('/proc/self/ns/user', os.O_RDONLY)} --preserve-credentials "
            near = make_host("10.77.0.1")
        far = make_host("10.77.0.2")
        cable = Cable([near[1], far[1]])
        cable.carry(1)
    except (OSError, subprocess.CalledProcessError) as error:
        return say(f"impossible: {error}")
    for name, host in (("near", near), ("far", far)):
        say(f"ready {name} {user}--net=/proc/{os.getpid()}/fd/{host[0]}")
    cable.run()


main()
