"""Requests at a steady pace, to see how long a server lets them wait, whatever its store does."""
import json
import re
import threading
import time

from phone import Phone

EVERY = 0.005  # Seconds: 200 a second.


class Pulse:
    """OPTIONS, which need no store, and every tenth time a REGISTER, whose answer may wait for it;
    use it in a with statement.  |longest|: seconds until an OPTIONS was answered."""

    def __init__(self, port):
        self.phone = Phone("pulse", port, "udp")
        self.sent, self.longest, self.number = {}, 0, 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        self.phone.close()

    def run(self):
        due = time.monotonic()
        while not self.ends.is_set():
            self.number += 1
            due += EVERY
            call = {"id": f"pulse{self.number}-{self.phone.number}-", "to": "pulse"}
            if self.number % 10 == 0:
                self.phone.send("REGISTER", "sip:atlanta.example", call)
            self.sent[self.number] = time.monotonic()
            self.phone.send("OPTIONS", "sip:atlanta.example", call, cseq=self.number)
            self.read_until(due)
        self.read_until(time.monotonic() + 0.5)
        self.longest = max([self.longest, *(time.monotonic() - at for at in self.sent.values())])

    def read_until(self, deadline):
        while (left := deadline - time.monotonic()) > 0:
            self.phone.connection.settimeout(left)
            try:
                self.take(self.phone.way.read())
            except TimeoutError:
                return

    def take(self, answer):
        number = re.search(rb"\r\nCSeq: (\d+) OPTIONS\r\n", answer)
        sent = self.sent.pop(int(number.group(1)), None) if number else None
        if sent is not None:
            self.longest = max(self.longest, time.monotonic() - sent)


def longest_wait_ms(node):
    """By the clock of the server, since it was started."""
    return json.loads(node.ctl("--json", "counters").stdout)["longest_wait_us"] / 1000


def show_waits(test, node, port, phases):
    """Pulses while each of |phases|, (what, begin, end), has begun: prints how long messages
    waited.  Who waits for a database waits for seconds, and a busy machine may take longer than
    what is asked (10 ms), so a second is what is held against it."""
    for what, begin, end in phases:
        begin()
        try:
            with Pulse(port) as pulse:
                time.sleep(3)
        finally:
            end()
        waited_ms = longest_wait_ms(node)
        print(f"the store {what}: {pulse.number} OPTIONS, the longest answered after "
              f"{1000 * pulse.longest:.1f} ms; the longest wait of a message so far "
              f"{waited_ms:.1f} ms", flush=True)
        test.assertLess(pulse.longest, 1)
        test.assertLess(waited_ms, 1000)
