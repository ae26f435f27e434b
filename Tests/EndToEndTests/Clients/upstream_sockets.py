"""Looks all the time how many sockets a process holds whose other end is some port.

Says on its output:
  looking
  most N distinct M samples S     at the end of its input: N at once at most, M different ones in all
"""

import argparse
import os
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--pid", type=int, required=True)
parser.add_argument("--port", type=int, required=True)
options = parser.parse_args()


def held():
    """The inodes of the sockets that the process has open."""
    found = set()
    for descriptor in os.listdir(f"/proc/{options.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{options.pid}/fd/{descriptor}")
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def upstream():
    """The inodes and local ports of sockets whose other end is the port, in whatever state."""
    with open(f"/proc/{options.pid}/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return {row[9]: row[1] for row in rows if int(row[2].split(":")[1], 16) == options.port and row[9] != "0"}


most, samples, distinct = 0, 0, set()
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.buffer.read(), ended.set()), daemon=True).start()
print("looking", flush=True)
while not ended.is_set():
    before, rows = held(), upstream()
    mine = {inode for inode in before if inode in rows}
    # The table is not read in one moment: only who is still there was there together with the others.
    if len(mine) > 1:
        mine &= held()
    most = max(most, len(mine))
    distinct |= {rows[inode] for inode in mine}
    samples += 1
    time.sleep(0.0005)
print(f"most {most} distinct {len(distinct)} samples {samples}", flush=True)
