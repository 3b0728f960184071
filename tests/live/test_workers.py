#!/usr/bin/env python3
"""Many workers, connections that are another worker's: whole calls over TCP, each phone reached by
the connection that it opened, whichever worker accepted it (RFC 3261 18.2.1: a connection is found
by its source address).

test_workers.py BUILD [--calls 24]
"""
import argparse
import sys

from peer import Ahoyd, free_port
from phone import Phone, route_rows, target_of


def call(alice, bob, name):
    """INVITE, 200, ACK, BYE, 200: the ACK and the BYE go to the port that Bob's Contact names."""
    dialog = {"id": name, "to": bob.user}
    alice.send("INVITE", f"sip:{bob.user}@atlanta.example", dialog)
    bob.answer(bob.read("INVITE"), 200)
    answer = alice.read(200)
    alice.send("ACK", target_of(answer), dialog, route_rows(answer), bob.user)
    bob.read("ACK")
    alice.send("BYE", target_of(answer), dialog, route_rows(answer), bob.user, cseq=2)
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
        phones = [Phone(f"phone{number}", port) for number in range(6)]
        for phone in phones:  # As baresip does: of a port on which it would listen.
            phone.register(contact=f"Contact: <sip:{phone.user}@127.0.0.1:9;transport=tcp>")
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
