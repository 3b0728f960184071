#!/usr/bin/env python3
"""Many workers, connections that are another worker's: whole calls over TCP, each phone reached by
the connection that it opened, whichever worker accepted it (RFC 3261 18.2.1: a connection is found
by its source address).

test_workers.py BUILD [--calls 24]
"""
import argparse
import re
import select
import socket
import sys
import time

from peer import PATIENCE, Ahoyd, free_port, header, status_of


class Phone:
    """A phone as baresip is: it registers a port on which it would listen, but in calls names the
    port of its own connection."""

    def __init__(self, port, user):
        self.connection = socket.create_connection(("127.0.0.1", port))
        self.contact = f"sip:{user}@127.0.0.1:{self.connection.getsockname()[1]};transport=tcp"
        self.user, self.buffer, self.number = user, b"", 0

    def send(self, method, uri, call, to_tag="", routes=(), cseq=1, contact=None):
        self.number += 1
        to = f"<sip:{call['to']}@atlanta.example>" + (f";tag={to_tag}" if to_tag else "")
        rows = [f"{method} {uri} SIP/2.0",
                f"Via: SIP/2.0/TCP {self.contact.split('@')[1].split(';')[0]};"
                f"branch=z9hG4bK{self.user}{call['id']}{self.number};rport",
                f"From: <sip:{self.user}@atlanta.example>;tag={self.user}", f"To: {to}",
                f"Call-ID: {call['id']}", f"CSeq: {cseq} {method}", "Max-Forwards: 70",
                f"Contact: <{contact or self.contact}>", *[f"Route: {route}" for route in routes]]
        self.connection.sendall(("\r\n".join(rows) + "\r\nContent-Length: 0\r\n\r\n").encode())

    def answer(self, request, status):
        """Answers a request from the other side."""
        rows = [row for row in request.decode().split("\r\n")
                if re.match(r"(Via|From|Call-ID|CSeq|Record-Route):", row)]
        to = header(request, "To")
        to += "" if ";tag=" in to else f";tag={self.user}"
        self.connection.sendall(("\r\n".join(
            [f"SIP/2.0 {status} Fine", *rows, f"To: {to}", f"Contact: <{self.contact}>",
             "Content-Length: 0"]) + "\r\n\r\n").encode())

    def read(self, what):
        """The next message that is |what|: a status, or a method; provisional ones pass."""
        deadline = time.monotonic() + PATIENCE
        while True:
            while b"\r\n\r\n" in self.buffer:
                message, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
                if status_of(message) == what or message.startswith(f"{what} ".encode()):
                    return message
                if not 100 <= status_of(message) < 200:
                    raise AssertionError(f"{self.user} got, instead of {what}:\n{message.decode()}")
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.connection], [], [], left)[0]:
                raise AssertionError(f"{self.user} waited for {what} in vain")
            self.buffer += self.connection.recv(65536)

    def register(self):
        self.send("REGISTER", "sip:atlanta.example", {"id": f"reg-{self.contact}", "to": self.user},
                  contact=f"sip:{self.user}@127.0.0.1:9;transport=tcp")
        self.read(200)


def call(alice, bob, name):
    """INVITE, 200, ACK, BYE, 200: the ACK and the BYE go to the port that Bob's Contact names."""
    dialog = {"id": name, "to": bob.user}
    alice.send("INVITE", f"sip:{bob.user}@atlanta.example", dialog)
    bob.answer(bob.read("INVITE"), 200)
    answer = alice.read(200)
    routes = re.findall(r"\r\nRecord-Route: ([^\r]*)", answer.decode())
    target = re.search(r"<(.*)>", header(answer, "Contact")).group(1)
    alice.send("ACK", target, dialog, bob.user, routes)
    bob.read("ACK")
    alice.send("BYE", target, dialog, bob.user, routes, cseq=2)
    bob.answer(bob.read("BYE"), 200)
    alice.read(200)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--calls", type=int, default=24)
    options = parser.parse_args()
    port = free_port()
    config = f"""listen "tcp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
workers(3)
"""
    with Ahoyd(options.build, config) as server:
        phones = [Phone(port, f"phone{number}") for number in range(6)]
        for phone in phones:
            phone.register()
        for number in range(options.calls):
            try:
                caller, distance = number % 6, 1 + number // 6 % 5
                call(phones[caller], phones[(caller + distance) % 6], f"call-{number}")
            except AssertionError as fault:
                print(f"call {number}: {fault}\n{server.log()}")
                return 1
    print(f"{options.calls} calls over TCP through 3 workers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
