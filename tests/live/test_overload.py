#!/usr/bin/env python3
"""More calls than the server can serve: it is stopped while they arrive, so that they have waited
when it goes on.  New ones are refused with a Retry-After, a call that stands goes on, and later all
is as before.  Nothing here fails because a machine is slow.

test_overload.py BUILD
"""
import os
import re
import signal
import socket
import sys
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, header, status_of

BUILD = sys.argv[1]


class Overload(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
overload {{ target = 5 }}
workers(1)
""")
        self.addCleanup(self.server.__exit__)
        self.alice, self.bob = self.open(), self.open()

    def open(self):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(PATIENCE)
        self.addCleanup(udp.close)
        return udp

    def send(self, udp, method, number, to_tag="", rows="", call="call"):
        port = udp.getsockname()[1]
        uri = "sip:atlanta.example" if method == "REGISTER" else "sip:bob@atlanta.example"
        tag = f";tag={to_tag}" if to_tag else ""
        udp.sendto((f"{method} {uri} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{call}{number}{method}\r\n"
                    f"From: <sip:alice@atlanta.example>;tag=a\r\n"
                    f"To: <sip:bob@atlanta.example>{tag}\r\nCall-ID: {call}\r\n"
                    f"CSeq: {number} {method}\r\nMax-Forwards: 70\r\n{rows}"
                    "Content-Length: 0\r\n\r\n").encode(), ("127.0.0.1", self.port))

    def read(self, udp, wanted):
        """The next message that is |wanted|, a status or a method."""
        while True:
            message = udp.recv(65536)
            if message.split(b" ")[0] == str(wanted).encode() or status_of(message) == wanted:
                return message

    def answer(self, udp, request, status):
        rows = [row for row in request.split(b"\r\n")
                if re.match(rb"(Via|Record-Route|From|To|Call-ID|CSeq):", row)]
        rows = [row + b";tag=b" if row.startswith(b"To:") and b"tag=" not in row else row
                for row in rows]
        udp.sendto(f"SIP/2.0 {status} X\r\n".encode() + b"\r\n".join(rows) +
                   b"\r\nContent-Length: 0\r\n\r\n", ("127.0.0.1", self.port))

    def counter(self, name):
        found = re.search(rf"^{name} +(\d+)", self.server.ctl("counters").stdout, re.MULTILINE)
        return int(found.group(1))

    def burst(self, flood, turn):
        """What arrives while the server is stopped, for long enough that it is too long, but not
        so long that the client would have sent again."""
        os.kill(self.server.process.pid, signal.SIGSTOP)
        try:
            # A message that is read before it stops has not waited.
            while not self.server.is_stopped():
                time.sleep(0.001)
            for number in range(100):
                self.send(flood, "OPTIONS", number, call=f"flood{turn}-{number}")
            time.sleep(0.25)
        finally:
            os.kill(self.server.process.pid, signal.SIGCONT)

    def test_new_calls_are_refused_and_others_go_on(self):
        self.send(self.bob, "REGISTER", 1,
                  rows=f"Contact: <sip:bob@127.0.0.1:{self.bob.getsockname()[1]}>\r\n")
        self.read(self.bob, 200)
        self.send(self.alice, "INVITE", 1, rows="Contact: <sip:alice@127.0.0.1>\r\n")
        self.answer(self.bob, self.read(self.bob, "INVITE"), 200)
        self.read(self.alice, 200)
        # R3261-21.5.4-1
        flood = self.open()
        deadline = time.monotonic() + 2 * PATIENCE
        turn = 0
        # Who asks for a counter waits until what came before has been served.
        while self.counter("overload_refused") == 0:
            self.assertLess(time.monotonic(), deadline, "nothing was refused")
            self.burst(flood, turn)
            turn += 1
        refusal = self.read(flood, 503)
        self.assertRegex(header(refusal, "Retry-After"), r"^\d+$")
        # The call goes on, even amid this.
        self.burst(flood, turn)
        self.send(self.alice, "BYE", 2, to_tag="b")
        self.answer(self.bob, self.read(self.bob, "BYE"), 200)
        self.read(self.alice, 200)
        # And when it is over, all is as before.
        deadline = time.monotonic() + PATIENCE
        status, number = 0, 10
        while status != 200:
            self.assertLess(time.monotonic(), deadline, "it has not recovered")
            self.send(self.alice, "REGISTER", number, call="later",
                      rows="Contact: <sip:bob@127.0.0.1:9>\r\n")
            status = status_of(self.alice.recv(65536))
            number += 1
            time.sleep(0.05)

    def drops(self):
        """How many datagrams the kernel had no room for at the server's address."""
        with open("/proc/net/udp", encoding="ascii") as sockets:
            rows = [row.split() for row in sockets]
        return next(int(row[-1]) for row in rows if row[1].endswith(f":{self.port:04X}"))

    def overflow(self, flood):
        """More than the socket holds comes while the server is stopped, and more afterwards."""
        before = self.drops()
        os.kill(self.server.process.pid, signal.SIGSTOP)
        try:
            while not self.server.is_stopped():
                time.sleep(0.001)
            while self.drops() == before:
                for number in range(5000):
                    self.send(flood, "OPTIONS", number, call="overflow")
        finally:
            os.kill(self.server.process.pid, signal.SIGCONT)
        for _ in range(10):
            for number in range(10000):
                self.send(flood, "OPTIONS", number, call="later")
            if self.counter("datagrams_sieved") > 0:
                break

    def test_what_begins_something_is_sieved(self):
        """Decision 177, and afterwards all are heard again."""
        flood = self.open()
        deadline = time.monotonic() + 2 * PATIENCE
        while self.counter("datagrams_sieved") == 0:
            self.assertLess(time.monotonic(), deadline, "nothing was sieved")
            self.overflow(flood)
        self.assertEqual(self.counter("sieves_refused"), 0)
        self.alice.settimeout(0.5)
        status, number = 0, 10
        while status != 200:
            self.assertLess(time.monotonic(), deadline + PATIENCE, "it is deaf")
            number += 1
            self.send(self.alice, "REGISTER", number, call="later",
                      rows="Contact: <sip:bob@127.0.0.1:9>\r\n")
            try:
                status = status_of(self.alice.recv(65536))
            except TimeoutError:
                continue


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
