#!/usr/bin/env python3
"""A REGISTER that was answered 200 survives kill -9 (the promise about data).

Many addresses-of-record register over UDP without a pause; the server is killed at random moments
and started again; then every binding that was answered 200 must be there, no older than its answer.

test_kill9.py BUILD [--rounds 20] [--longest 0.3] [--seed N]
"""
import argparse
import json
import random
import select
import socket
import sys
import time

from peer import Ahoyd, free_port, header, status_of

USERS = 300
WINDOW = 60  # Requests that wait for an answer at once.


class Load:
    """Registers users over and over, and remembers what was answered 200."""

    def __init__(self, port, chance):
        self.server = ("127.0.0.1", port)
        self.chance = chance
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.cseq = [0] * USERS     # The last one sent.
        self.kept = [0] * USERS     # The last one that was answered 200.
        self.waiting = {}
        self.answers = 0

    def send(self, user):
        self.cseq[user] += 1
        cseq = self.cseq[user]
        self.waiting[user] = time.monotonic()
        # The contact's port tells which REGISTER it came with.
        text = (f"REGISTER sip:atlanta.example SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK-{user}-{cseq}\r\n"
                f"From: <sip:u{user}@atlanta.example>;tag=t{user}\r\n"
                f"To: <sip:u{user}@atlanta.example>\r\nCall-ID: kill-{user}\r\n"
                f"CSeq: {cseq} REGISTER\r\nContact: <sip:u{user}@127.0.0.1:{self.port}>\r\n"
                f"Expires: 3600\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        self.socket.sendto(text.encode(), self.server)

    def take(self, message):
        user = int(header(message, "Call-ID").split("-")[1])
        cseq = int(header(message, "CSeq").split()[0])
        if status_of(message) != 200:
            raise SystemExit(f"a REGISTER was refused:\n{message.decode()}")
        self.answers += 1
        self.kept[user] = max(self.kept[user], cseq)
        if cseq == self.cseq[user]:
            self.waiting.pop(user, None)

    def run(self, seconds):
        """Keeps the window full for that long, whatever happens to the server."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            free = [user for user in self.chance.sample(range(USERS), 20)
                    if user not in self.waiting]
            for user in free[:WINDOW - len(self.waiting)]:
                self.send(user)
            self.read(0.001)

    def read(self, patience):
        while select.select([self.socket], [], [], patience)[0]:
            try:
                self.take(self.socket.recv(65536))
            except ConnectionRefusedError:
                pass
            patience = 0

    def forget_waiting(self):
        """What was not answered before the end may or may not have been kept."""
        self.read(0.01)
        self.waiting.clear()


def missing(server, load):
    """The users whose binding is gone, or older than what was answered."""
    answer = server.ctl("--json", "registrations")
    if answer.returncode != 0:
        raise SystemExit(f"ahoyctl failed: {answer.stderr}")
    found = {row["aor"]: max(contact["cseq"] for contact in row["contacts"])
             for row in json.loads(answer.stdout)}
    return [user for user in range(USERS)
            if load.kept[user] > found.get(f"u{user}@atlanta.example", 0)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=0.3,
                        help="a server lives for at most so many seconds")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    port = free_port()
    config = f"""listen "udp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "sqlite:ahoy.db"
workers(1)
"""
    lost = 0
    with Ahoyd(options.build, config) as server:
        load = Load(port, chance)
        for number in range(options.rounds):
            load.run(chance.uniform(0.01, options.longest))
            server.kill()
            load.forget_waiting()
            server.start()
            gone = missing(server, load)
            if gone:
                print(f"round {number}: lost {gone[:10]}")
                lost += len(gone)
        print(f"{options.rounds} kills, {load.answers} REGISTERs answered 200, {lost} lost")
    return 0 if lost == 0 and load.answers > options.rounds else 1


if __name__ == "__main__":
    sys.exit(main())
