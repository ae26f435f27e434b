"""Listens as a service manager does: service_manager.py PATH [PORT ...], until its input ends.

  listening
  told WORDS at=MICROSECONDS   for each message, its lines side by side, by the clock that it goes by
  reached N                    how many of the ports can be connected to when READY comes
"""

import os
import socket
import sys
import threading
import time

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print("listening", flush=True)


def reaches(port):
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def listen():
    while True:
        message = server.recv(65536).decode()
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        # Before it is told: whoever waits for that line may close the ports.
        if message.startswith("READY=1"):
            print("reached", sum(map(reaches, sys.argv[2:])), flush=True)
        print("told", *message.splitlines(), f"at={now}", flush=True)


threading.Thread(target=listen, daemon=True).start()
sys.stdin.read()
os.unlink(sys.argv[1])
