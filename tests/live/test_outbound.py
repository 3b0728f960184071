#!/usr/bin/env python3
"""Flows that phones open and calls come down (RFC 5626): two of one instance, one of which dies;
tokens that are forged, or of a flow that is gone; keep-alives between messages.

test_outbound.py BUILD
"""
import select
import socket
import sys
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, header, status_of
from phone import Phone, route_rows

BUILD = sys.argv[1]
COOKIE = bytes.fromhex("2112a442")
NOWHERE = "203.0.113.9:9;transport=tcp"  # What Contacts name: nobody is there.


class Flow(Phone):
    """A phone behind a NAT: only its own connection leads to it."""

    def __init__(self, port, user, flow=1):
        super().__init__(user, port, contact=f"{NOWHERE};ob")
        self.flow = flow

    def register(self, instance="urn:uuid:1"):
        return super().register(
            ("Supported: path, outbound",),
            f'Contact: <{self.contact}>;reg-id={self.flow};+sip.instance="<{instance}>"')


class Outbound(unittest.TestCase):
    def setUp(self):
        self.port, self.port6 = free_port(), free_port(socket.AF_INET6)
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
listen "tcp:127.0.0.1:{self.port}"
listen "udp:[::1]:{self.port6}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
workers(3)
""")
        self.addCleanup(self.server.__exit__)

    def phone(self, user, flow=1):
        phone = Flow(self.port, user, flow)
        self.addCleanup(phone.close)
        return phone

    def call(self, alice, bob, name):
        """Alice calls; Bob answers by that flow of his.  What the caller then goes by."""
        dialog = {"id": name, "to": "bob"}
        alice.send("INVITE", "sip:bob@atlanta.example", dialog)
        bob.answer(bob.read("INVITE"), 200)
        rows = route_rows(alice.read(200))
        self.target = bob.contact
        alice.send("ACK", self.target, dialog, rows, bob.user)
        bob.read("ACK")
        return dialog, rows

    # R5626-6-9, R5626-7-1, R5626-7-3, R5626-7-4
    def test_one_flow_dies_and_the_call_comes_by_the_other(self):
        alice = self.phone("alice")
        for number in range(6):  # Connections and calls of whichever worker.
            first, second = self.phone("bob", 1), self.phone("bob", 2)
            self.assertEqual(header(first.register(), "Require"), "outbound")
            time.sleep(0.01)
            self.assertEqual(header(second.register(), "Flow-Timer"), "120")
            dialog = {"id": f"dies-{number}", "to": "bob"}
            alice.send("INVITE", "sip:bob@atlanta.example", dialog)
            second.read("INVITE")  # The freshest, and no other.
            self.assertTrue(first.is_quiet(0.1))
            begin = time.monotonic()
            second.close()
            first.answer(first.read("INVITE"), 200)
            self.assertLess(time.monotonic() - begin, 5)  # Timer B would be 32 s.
            rows = route_rows(alice.read(200))
            alice.send("ACK", first.contact, dialog, rows, "bob")
            first.read("ACK")
            alice.send("BYE", first.contact, dialog, rows, "bob", 2)
            first.answer(first.read("BYE"), 200)
            alice.read(200)
            # And while it is dead, nobody waits for it.
            alice.send("INVITE", "sip:bob@atlanta.example", {"id": f"dead-{number}", "to": "bob"})
            first.answer(first.read("INVITE"), 486)
            alice.read(486)
            first.close()

    # R5626-6-11: the same flow by a new connection.
    def test_a_flow_is_replaced(self):
        alice, old, new = self.phone("alice"), self.phone("bob"), self.phone("bob")
        old.register()
        self.assertEqual(new.register().count(b"Contact:"), 1)
        self.call(alice, new, "replaced")
        self.assertTrue(old.is_quiet())

    # Section 5.3: both sides named "ob", so both ways go down the flows that they opened.
    def test_requests_of_a_dialog_come_down_the_flow(self):
        alice, bob = self.phone("alice"), self.phone("bob")
        bob.register()
        dialog = {"id": "down", "to": "bob"}
        alice.send("INVITE", "sip:bob@atlanta.example", dialog)
        invite = bob.read("INVITE")
        bob.answer(invite, 200)
        rows = route_rows(alice.read(200))
        self.assertEqual(len(rows), 2)
        alice.send("ACK", bob.contact, dialog, rows, "bob")
        bob.read("ACK")
        back = route_rows(invite, reverse=False)
        bob.send("BYE", alice.contact, {"id": "down", "to": "alice"}, back, "alice", 2)
        alice.answer(alice.read("BYE"), 200)
        bob.read(200)

    def test_a_forged_token_is_refused(self):
        alice, bob = self.phone("alice"), self.phone("bob")
        bob.register()
        dialog, rows = self.call(alice, bob, "forged")
        place = rows[-1].index("@") - 3
        forged = rows[-1][:place] + ("0" if rows[-1][place] != "0" else "1") + rows[-1][place + 1:]
        alice.send("BYE", self.target, dialog, [rows[0], forged], "bob", 2)
        alice.read(403)
        # A token of another call is as bad.
        alice.send("BYE", self.target, {"id": "another", "to": "bob"}, rows, "bob", 2)
        alice.read(403)
        self.assertTrue(bob.is_quiet())

    def test_a_token_of_a_dead_flow(self):
        alice, bob = self.phone("alice"), self.phone("bob")
        bob.register()
        dialog, rows = self.call(alice, bob, "gone")
        bob.close()
        time.sleep(0.3)
        alice.send("BYE", self.target, dialog, rows, "bob", 2)
        alice.read(480)

    # R5626-5.4-1, R5626-8-1, R5626-8-2
    def test_stun_between_messages(self):
        for family, host, port, size in ((socket.AF_INET, "127.0.0.1", self.port, 32),
                                         (socket.AF_INET6, "::1", self.port6, 44)):
            udp = socket.socket(family, socket.SOCK_DGRAM)
            self.addCleanup(udp.close)
            udp.bind((host, 0))
            udp.connect((host, port))
            own = udp.getsockname()
            name = f"[{host}]" if family == socket.AF_INET6 else host
            for number in range(3):
                ping = b"\0\1\0\0" + COOKIE + bytes([number] * 12)
                options = (f"OPTIONS sip:atlanta.example SIP/2.0\r\n"
                           f"Via: SIP/2.0/UDP {name}:{own[1]};branch=z9hG4bKs{number}\r\n"
                           f"From: <sip:a@far.example>;tag=1\r\nTo: <sip:atlanta.example>\r\n"
                           f"Call-ID: stun{number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n")
                self.ask(udp, options.encode(), lambda answer: status_of(answer) == 200)
                pong = self.ask(udp, ping, lambda answer: answer[:1] == b"\1")
                self.assertEqual((pong[:2], pong[4:20], len(pong)), (b"\1\1", ping[4:], size))
                port_of = int.from_bytes(pong[26:28], "big") ^ 0x2112
                address = bytes(a ^ b for a, b in zip(pong[28:], pong[4:]))
                self.assertEqual((address, port_of), (socket.inet_pton(family, host), own[1]))
            udp.send(b"\0\1\0\4" + COOKIE + bytes(12))  # Attack 36.
            self.assertFalse(select.select([udp], [], [], 0.3)[0])

    def ask(self, udp, request, is_answer):
        """What |request| is answered; sent again while it is not, as on any network."""
        for _ in range(2 * PATIENCE):
            udp.send(request)
            while select.select([udp], [], [], 0.5)[0]:
                answer = udp.recv(65536)
                if is_answer(answer):
                    return answer
        raise AssertionError(f"no answer to {request!r}")

    # R5626-5.4-2
    def test_crlf_between_messages(self):
        alice = self.phone("alice")
        alice.connection.sendall(b"\r\n\r\n")
        alice.connection.settimeout(PATIENCE)
        self.assertEqual(alice.connection.recv(16), b"\r\n")
        alice.register()
        alice.connection.sendall(b"\r\n\r\n")
        self.assertEqual(alice.connection.recv(16), b"\r\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
