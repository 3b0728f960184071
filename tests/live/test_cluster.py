#!/usr/bin/env python3
"""Three servers that share their bindings in a Redis Cluster of three masters and three replicas:
what one answers all know, a phone is reached through the node that it is connected to, and what
docs/cluster.md promises holds while masters and nodes die, or nothing answers any more.

test_cluster.py BUILD
"""
import json
import signal
import socket
import sys
import threading
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, header, status_of
from phone import NAMES, TRANSPORTS, Phone, route_rows
from pulse import show_waits
from redis_cluster import RedisCluster

BUILD = sys.argv[1]
SOON = 5  # Seconds until new registrations are taken again.
NOWHERE = "203.0.113.9:9;transport=tcp"  # What Contacts name: nobody is there.


class AnyUdp:
    """A phone that any node may call: it answers whoever asked, and asks its own node."""

    def __init__(self, _, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.server = self.source = ("127.0.0.1", port)

    def send(self, message):
        self.socket.sendto(message, self.source if message.startswith(b"SIP/") else self.server)

    def read(self):
        message, self.source = self.socket.recvfrom(65536)
        return message


TRANSPORTS["any"], NAMES["any"] = AnyUdp, "udp"


def config(port, cluster):
    return f"""listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
domain("biloxi.example")
store "{cluster.url("?wait=1&wait_ms=500")}"
node "sip:127.0.0.1:{port};transport=tcp"
workers(2)
"""


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.redis = RedisCluster("a-password")
        cls.addClassCleanup(cls.redis.close)
        cls.ports = [free_port() for _ in range(3)]
        cls.nodes = []
        for port in cls.ports:
            cls.nodes.append(Ahoyd(BUILD, config(port, cls.redis)))
            cls.addClassCleanup(cls.nodes[-1].__exit__)

    def phone(self, user, node, transport="any", **how):
        phone = Phone(user, self.ports[node], transport, **how)
        self.addCleanup(phone.close)
        return phone

    def known(self, node):
        rows = json.loads(self.nodes[node].ctl("--json", "registrations").stdout)
        return {row["aor"].split("@")[0] for row in rows}

    def wait(self, holds, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)

    def wait_known(self, user, nodes=(0, 1, 2)):
        self.wait(lambda: all(user in self.known(node) for node in nodes))

    def call(self, alice, bob, name, user="bob"):
        """Calls and hangs up, all within PATIENCE of each message; returns when the phone rang."""
        dialog = {"id": name, "to": user}
        begin = time.monotonic()
        alice.send("INVITE", f"sip:{user}@atlanta.example", dialog)
        invite = bob.read("INVITE")
        took = time.monotonic() - begin
        bob.answer(invite, 200)
        rows = route_rows(alice.read(200))
        alice.send("ACK", bob.contact, dialog, rows, bob.user)
        bob.read("ACK")
        alice.send("BYE", bob.contact, dialog, rows, bob.user, 2)
        bob.answer(bob.read("BYE"), 200)
        alice.read(200)
        return took

    def try_register(self, phone):
        """One REGISTER: its status, 0 where none came within three seconds, and its answer."""
        phone.send("REGISTER", "sip:atlanta.example",
                   {"id": f"try-{phone.number}-{phone.branch}", "to": phone.user})
        phone.connection.settimeout(3)
        try:
            answer = phone.way.read()
        except TimeoutError:
            return 0, b""
        return status_of(answer), answer

    def test_1_all_nodes_know_what_one_answered(self):
        bob, alice = self.phone("bob", 0), self.phone("alice", 1)
        bob.register()
        self.wait_known("bob")
        self.call(alice, bob, "other-node")
        bob.register(contact="Contact: *\r\nExpires: 0")
        self.wait(lambda: not any("bob" in self.known(node) for node in range(3)))
        # Two nodes change the same address-of-record: one after the other, and both count.
        first, second = self.phone("carol", 0), self.phone("carol", 2)
        for _ in range(20):
            for phone in (first, second):
                phone.send("REGISTER", "sip:atlanta.example",
                           {"id": f"both-{phone.number}-{phone.branch}", "to": "carol"})
            first.read(200)
            second.read(200)
        self.wait(lambda: all(self.contacts(node, "carol") == 2 for node in range(3)))

    def contacts(self, node, user):
        rows = json.loads(self.nodes[node].ctl("--json", "registrations").stdout)
        return sum(len(row["contacts"]) for row in rows if row["aor"].startswith(f"{user}@"))

    def test_2_users_and_aliases_are_everywhere(self):
        add = self.nodes[0].ctl("user", "add", "dora@biloxi.example", input="secret\nsecret\n")
        self.assertEqual(add.returncode, 0, add.stderr)
        alias = self.nodes[1].ctl("user", "alias", "add", "100@biloxi.example",
                                  "dora@biloxi.example")
        self.assertEqual(alias.returncode, 0, alias.stderr)
        self.wait(lambda: all("100" in self.nodes[node].ctl("user", "alias", "list").stdout
                              for node in range(3)))
        self.nodes[2].ctl("user", "remove", "dora@biloxi.example")
        self.wait(lambda: not any("dora" in self.nodes[node].ctl("user", "list").stdout or
                                  "100" in self.nodes[node].ctl("user", "alias", "list").stdout
                                  for node in range(3)))

    # RFC 3327 5.3: a Path leads to the node that has the flow.
    def test_3_a_phone_is_reached_through_the_node_that_it_is_connected_to(self):
        alice = self.phone("alice", 1)
        bob = self.phone("bob", 0, "tcp", contact=NOWHERE)
        answer = bob.register(("Supported: path, outbound",),
                              f'Contact: <{bob.contact}>;reg-id=1;+sip.instance="<urn:uuid:1>"')
        self.assertEqual(header(answer, "Flow-Timer"), "120")
        self.assertEqual(header(answer, "Path"), "")  # No phone is shown it.
        self.wait_known("bob")
        for number in range(4):
            self.call(alice, bob, f"flow-{number}")
        self.call(self.phone("alice", 0), bob, "own-node")
        bob.close()
        time.sleep(0.2)
        alice.send("INVITE", "sip:bob@atlanta.example", {"id": "gone", "to": "bob"})
        self.assertIn(status_of(alice.way.read()), (100, 430, 480))

    # MOVED, ASK and TRYAGAIN, as the cluster is mended while it serves.
    def test_3_slots_move_while_phones_register(self):
        phones = [self.phone(f"r{number}", number % 3) for number in range(60)]
        moving = self.redis.move_slots(1500)
        rounds = 0
        while moving.poll() is None or rounds == 0:
            for phone in phones:
                phone.register()
            rounds += 1
        self.assertEqual(moving.returncode, 0)
        self.wait(lambda: all({phone.user for phone in phones} <= self.known(node)
                              for node in range(3)))
        print(f"{rounds * len(phones)} REGISTERs answered 200 while 1500 slots moved")

    def test_4_a_master_dies(self):
        users = [self.phone(f"m{number}", number % 3) for number in range(12)]
        for phone in users:
            phone.register()
        for phone in users:
            self.wait_known(phone.user)
        alice = self.phone("alice", 1)
        self.redis.kill(self.redis.master_of(f"ahoy:b:{users[0].user}@atlanta.example"))
        killed = time.monotonic()
        for phone in users:  # What is known is served, and nobody waits.
            self.assertLess(self.call(alice, phone, f"m-{phone.user}", phone.user), 1)
        self.assertLess(time.monotonic() - killed, SOON)
        late = self.phone("m0", 2)
        while self.try_register(late)[0] != 200:
            self.assertLess(time.monotonic() - killed, SOON)
        print(f"registered again {time.monotonic() - killed:.1f} s after a master died")
        for phone in users:  # wait=1: what was answered 200 is with the replica too.
            self.wait_known(phone.user)
        self.wait(lambda: all(self.contacts(node, "m0") == 2 for node in range(3)))
        time.sleep(0.5)
        for node in range(3):
            self.assertLessEqual({phone.user for phone in users}, self.known(node))

    def test_5_a_node_dies(self):
        bob, alice = self.phone("n-bob", 0), self.phone("alice", 1)
        bob.register()
        self.wait_known("n-bob")
        self.nodes[0].kill()
        self.assertLess(self.call(alice, bob, "node-died", "n-bob"), 1)
        begin = time.monotonic()
        self.phone("n-bob", 2).register()
        self.assertLess(time.monotonic() - begin, SOON)
        self.nodes[0].start()
        self.assertIn("n-bob", self.known(0))  # It reads all before it serves.

    def test_6_nothing_answers(self):
        bob, alice, late = self.phone("s-bob", 0), self.phone("alice", 1), self.phone("late", 2)
        bob.register()
        self.wait_known("s-bob")
        self.redis.signal(signal.SIGSTOP)
        self.addCleanup(self.redis.signal, signal.SIGCONT)
        time.sleep(0.1)
        late.send("REGISTER", "sip:atlanta.example", {"id": "late", "to": "late"})
        for number in range(5):
            self.assertLess(self.call(alice, bob, f"silent-{number}", "s-bob"), 1)
        answer = late.read(503)
        self.assertTrue(header(answer, "Retry-After").isdigit(), answer)
        self.redis.signal(signal.SIGCONT)
        resumed = time.monotonic()
        while self.try_register(late)[0] != 200:
            self.assertLess(time.monotonic() - resumed, PATIENCE)

    def test_6_no_worker_waits(self):
        def hold(number):
            return lambda: self.redis.signal(number)
        stutters = threading.Event()

        def stutter():
            while not stutters.wait(0.1):
                self.redis.signal(signal.SIGSTOP)
                time.sleep(0.4)
                self.redis.signal(signal.SIGCONT)
        slow, port = threading.Thread(target=stutter), free_port()
        with Ahoyd(BUILD, config(port, self.redis)) as node:
            show_waits(self, node, port, [
                ("answers", lambda: None, lambda: None),
                ("is slow", slow.start, lambda: (stutters.set(), slow.join())),
                ("is silent", hold(signal.SIGSTOP), hold(signal.SIGCONT))])

    def test_7_no_secret_is_told(self):
        for node in self.nodes:
            self.assertNotIn("a-password", node.log())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
