"""What clients asked and were told, and what the device was asked, held against each other.

A request is known by its key: what the device sees of it, such as its unit and PDU.
"""

import collections


class Ledger:
    def __init__(self):
        # Writes that clients wait for, and how many of them the device has been asked.
        self.waiting = collections.Counter()
        self.done = collections.Counter()
        # Writes whose clients were told that they may have been done, or have left.
        self.in_doubt = collections.Counter()
        # Reads that were asked at any time: an answer may serve several, and a read may be sent again.
        self.reads = set()
        # What requests of unknown length hide.
        self.hidden = collections.Counter()
        self.told = collections.Counter()
        self.violations = collections.Counter()
        self.examples = []

    def violate(self, what, detail):
        self.violations[what] += 1
        if self.violations[what] <= 3:
            self.examples.append(f"{what}: {detail}")

    def asked(self, key, writes):
        if writes:
            self.waiting[key] += 1
        else:
            self.reads.add(key)

    def hides(self, key):
        self.hidden[key] += 1

    def device_was_asked(self, key, kind="request"):
        """The device was asked this, and has done it."""
        if key in self.reads:
            return
        if self.waiting[key] > self.done[key]:
            self.done[key] += 1
        elif self.in_doubt[key] > 0:
            self.in_doubt[key] -= 1
        elif self.hidden[key] > 0:
            self.hidden[key] -= 1
        else:
            self.violate(f"the device was asked a {kind} that no client can have been told of", show(key))

    def answered(self, key, writes):
        """A client got the device's right answer."""
        self.told["right"] += 1
        if not writes:
            return
        if self.done[key] == 0:
            self.violate("a client was told that a write was done, and it was not", show(key))
        else:
            self.done[key] -= 1
        self.forget(key)

    def refused(self, key, writes, how):
        """A client was told that this was not done."""
        self.told[how] += 1
        if not writes:
            return
        self.forget(key)
        if self.done[key] > self.waiting[key]:
            self.violate(f"a client was told {how}, and the write was done", show(key))
            self.done[key] -= 1

    def doubted(self, key, writes, how):
        """A client was told that this may have been done, or nothing at all."""
        self.told[how] += 1
        if not writes:
            return
        self.forget(key)
        if self.done[key] > self.waiting[key]:
            self.done[key] -= 1
        else:
            self.in_doubt[key] += 1

    def forget(self, key):
        self.waiting[key] -= 1
        if self.waiting[key] == 0:
            del self.waiting[key]
            if self.done[key] == 0:
                del self.done[key]

    def verdict(self):
        """One line, such as "verdict: violations=0 right=17 0x0b=1"."""
        told = " ".join(f"{how}={count}" for how, count in sorted(self.told.items()))
        return f"verdict: violations={self.violations.total()} {told}"


def show(key):
    return key.hex() if isinstance(key, bytes) else str(key)
