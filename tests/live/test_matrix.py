#!/usr/bin/env python3
"""Every transport on IPv4 and IPv6, with the released server: who registers is reached, and calls
go and end between any two.  tests/ladder/matrix.ladder plays the same in the simulated world.

test_matrix.py BUILD
"""
import itertools
import socket
import sys

from certificates import SERVER_NAMES, Certificates
from peer import Ahoyd, free_port
from phone import TRANSPORTS, Phone, route_rows, target_of

ENDS = list(itertools.product(TRANSPORTS, (4, 6)))
LISTENERS = {"udp": "udp", "tcp": "tcp", "tls": "tls", "mtls": "tls", "ws": "ws", "wss": "wss"}


class Matrix:
    def __init__(self, build):
        self.certificates = Certificates()
        self.certificates.authority("ca")
        self.certificates.make("server", SERVER_NAMES)
        self.certificates.make("phone", "DNS:phone.example")
        self.ports = {end: free_port(socket.AF_INET if end[1] == 4 else socket.AF_INET6)
                      for end in ENDS}
        for family in (4, 6):
            self.ports["tcp", family] = self.ports["udp", family]
        self.server = Ahoyd(build, "\n".join(self.listen(*end) for end in ENDS) + """
domain("atlanta.example", { auth = "none" })
store "memory:"
workers(2)
""")
        self.calls, self.failed = 0, []

    def listen(self, transport, family):
        host = "127.0.0.1" if family == 4 else "[::1]"
        options = ""
        if transport in ("tls", "wss", "mtls"):
            options = f", {{ {self.certificates.pair()}"
            if transport == "mtls":
                options += (', verify = "required", authorities = '
                            f'"{self.certificates.path("ca.pem")}"')
            options += " }"
        return f'listen("{LISTENERS[transport]}:{host}:{self.ports[transport, family]}"{options})'

    def phone(self, user, transport, family):
        context = None
        if transport in ("tls", "wss", "mtls"):
            context = self.certificates.context("phone" if transport == "mtls" else None)
        return Phone(user, self.ports[transport, family], transport, family, context)

    def cell(self, scene, *ends):
        """Plays one cell and prints it."""
        name = f"{scene.__name__}: " + " > ".join(f"{end[0]} {end[1]}" for end in ends)
        phones = []
        self.calls += 1
        try:
            for end, role in zip(ends, ("alice", "bob")):
                phones.append(self.phone(f"{role}{self.calls}", *end))
            scene(*phones)
            print(name)
        except (AssertionError, OSError, AttributeError) as fault:
            self.failed.append(name)
            print(f"{name}: {fault!r}")
        for phone in phones:
            phone.close()


def ring(alice, bob, name):
    """Bob registers, Alice calls; his phone rings."""
    bob.register()
    dialog = {"id": f"{name}-{alice.number}", "to": bob.user}
    alice.send("INVITE", f"sip:{bob.user}@atlanta.example", dialog)
    invite = bob.read("INVITE")
    assert invite.startswith(f"INVITE {bob.contact} ".encode()), invite
    bob.answer(invite, 180)
    alice.read(100)
    alice.read(180)
    return dialog, invite


# R3261-18-1, R3261-18.1.1-6
def register(phone):
    answer = phone.register()
    assert target_of(answer) == phone.contact, answer


# R3261-18-1, R3261-18.1.1-6
def call(alice, bob):
    dialog, invite = ring(alice, bob, "call")
    bob.answer(invite, 200)
    answer = alice.read(200)
    rows = route_rows(answer)
    alice.send("ACK", target_of(answer), dialog, rows, bob.user)
    bob.read("ACK")
    alice.send("INFO", target_of(answer), dialog, rows, bob.user, 2)
    bob.answer(bob.read("INFO"), 200)
    alice.read(200)
    bob.send("BYE", target_of(invite), {"id": dialog["id"], "to": alice.user},
             route_rows(invite, reverse=False), alice.user, 3)
    alice.answer(alice.read("BYE"), 200)
    bob.read(200)


# R3261-18-1, R3261-18.1.1-6
def cancel(alice, bob):
    dialog, invite = ring(alice, bob, "cancel")
    alice.send("CANCEL", f"sip:{bob.user}@atlanta.example", dialog, again=True)
    bob.answer(bob.read("CANCEL"), 200)
    bob.answer(invite, 487)
    bob.read("ACK")
    alice.read(200)
    alice.read(487)
    alice.send("ACK", f"sip:{bob.user}@atlanta.example", dialog, (), bob.user, again=True)


def main():
    matrix = Matrix(sys.argv[1])
    with matrix.server:
        for end in ENDS:
            matrix.cell(register, end)
        for scene, alice, bob in itertools.product((call, cancel), ENDS, ENDS):
            matrix.cell(scene, alice, bob)
    print(f"{matrix.calls} cells, {len(matrix.failed)} of them failed: " + "; ".join(matrix.failed))
    return 1 if matrix.failed else 0


if __name__ == "__main__":
    sys.exit(main())
