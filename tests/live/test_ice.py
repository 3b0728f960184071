#!/usr/bin/env python3
"""ICE between two phones of ours: both make checks, ask ahoyd itself how they are seen, and hear
each other's tone.  A call for which there is no way ends, and it is said why.

test_ice.py BUILD
"""
import json
import pathlib
import subprocess
import sys
import unittest

from peer import PATIENCE, Ahoyd, free_port
from phone import Phone
from sound import share

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
ALICE_HZ, BOB_HZ = 440, 660
SECONDS = 2
UNREACHABLE = 6
NOWHERE = """v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
c=IN IP4 127.0.0.1\r
t=0 0\r
a=ice-options:ice2\r
m=audio 9 UDP/TLS/RTP/SAVPF 0\r
a=rtcp-mux\r
a=fingerprint:sha-256 %s\r
a=setup:active\r
a=ice-ufrag:8hhY\r
a=ice-pwd:asd88fgpdd777uzjYhagZg\r
a=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host\r
""" % ":".join(["AB"] * 32)


class Ice(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "password").write_text("none\n")

    def phone(self, verb, name, hz, *more):
        phone = subprocess.Popen(
            [AHOY, verb, "--user", f"{name}@atlanta.example", "--password-file", "password",
             "--server", f"sip:127.0.0.1:{self.port}", "--play", f"tone:{hz}", "--record",
             f"{name}.wav", "--json", "--trace", f"{name}.trace", *more], cwd=self.path,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(phone.wait)
        self.addCleanup(phone.kill)
        self.addCleanup(phone.stdout.close)
        return phone

    def wait_for(self, phone, kind):
        for line in phone.stdout:
            news = json.loads(line)
            if news["news"] == kind:
                return news
        self.fail(f"it ended before it said {kind}")

    def calls(self, *stun):
        bob = self.phone("answer", "bob", BOB_HZ, "--once", "--ring", "0", *stun)
        self.wait_for(bob, "registered")
        alice = self.phone("call", "alice", ALICE_HZ, "sip:bob@atlanta.example", "--srtp", "dtls",
                           "--for", f"{SECONDS}s", *stun)
        for phone, name, hz in ((alice, "alice", BOB_HZ), (bob, "bob", ALICE_HZ)):
            heard = self.wait_for(phone, "heard")
            self.assertIn("srtp", heard)
            self.assertGreater(share(self.path / f"{name}.wav", hz), 0.7)
        trace = (self.path / "alice.trace").read_text()
        self.assertGreaterEqual(trace.count("a=ice-options:ice2"), 2)
        self.assertNotIn("ice-lite", trace)

    def test_calls(self):
        self.calls()

    def test_stun(self):
        """The SIP port of ahoyd answers (RFC 5626 8)."""
        self.calls("--stun", f"127.0.0.1:{self.port}")

    def test_no_way(self):
        """Nobody answers a check: the call is hung up after 39.5 s, and the exit code tells it."""
        bob = Phone("bob", self.port, "udp")
        self.addCleanup(bob.connection.close)
        bob.register()
        alice = self.phone("call", "alice", ALICE_HZ, "sip:bob@atlanta.example", "--srtp", "dtls")
        bob.answer(bob.read("INVITE"), 200, NOWHERE)
        bob.read("ACK")
        bob.answer(bob.read("BYE", 5 * PATIENCE), 200)
        news = [json.loads(line) for line in alice.stdout]
        self.assertEqual([one["news"] for one in news if one["news"] != "heard"][-2:],
                         ["no-way", "ended"])
        self.assertEqual(alice.wait(PATIENCE), UNREACHABLE)

    def test_no_stun(self):
        """A server that does not answer costs two seconds, and no call."""
        self.calls("--stun", f"127.0.0.1:{free_port()}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
