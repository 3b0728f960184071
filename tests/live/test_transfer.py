#!/usr/bin/env python3
"""Calls that are handed on, through ahoyd: by baresip and by ahoy, to ahoy; unattended (RFC 5589
6), and attended (7): among phones of ours, and to one that is not.  And calls that somebody asks
for from outside (RFC 5359 2.18).

test_transfer.py BUILD
"""
import pathlib
import subprocess
import sys
import unittest

from ahoy_phone import AhoyPhone
from baresip import ALICE_HZ, Baresip
from peer import PATIENCE, Ahoyd, free_port, need

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
SIPP = pathlib.Path(__file__).resolve().parent / "sipp"
SECONDS = 2  # Of sound after the transfer.


class Transfer(unittest.TestCase):
    def setUp(self):
        self.port, self.elsewhere = free_port(), free_port()
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
trunk("elsewhere", {{ "sip:127.0.0.1:{self.elsewhere}" }})
route {{ domain = "biloxi.example", to = "elsewhere", from = "anyone" }}
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "password").write_text("none\n")

    def ahoy(self, user, verb, *more):
        return AhoyPhone(self, AHOY, verb, "--user", f"{user}@atlanta.example", "--password-file",
                         "password", "--server", f"sip:127.0.0.1:{self.port}", *more)

    def answering(self, user, *more):
        phone = self.ahoy(user, "answer", "--ring", "0", *more)
        phone.wait_for("registered")
        return phone

    def baresip(self):
        baresip = Baresip(self.path / "alice", self.port)
        self.addCleanup(baresip.close)
        return baresip

    def test_sent_by_baresip(self):
        """Bob's phone goes where baresip sends it, and tells how that went."""
        bob = self.answering("bob", "--accept-transfers", "--play", "tone:660")
        carol = self.answering("carol", "--play", "tone:880")
        baresip = self.baresip()
        baresip.command("dial", "sip:bob@atlanta.example")
        bob.wait_for("answered")
        baresip.wait_for("Call established")
        baresip.command("transfer", "sip:carol@atlanta.example")
        asked = bob.wait_for("transfer-asked")
        self.assertEqual(asked["text"], "sip:carol@atlanta.example")
        self.assertIn("bob@atlanta.example", carol.wait_for("incoming")["text"])
        carol.wait_for("answered")
        self.assertIn("carol@atlanta.example", bob.wait_for("answered")["text"])
        self.assertEqual(bob.wait_for("ended")["by"], "the peer")

    def test_declined(self):
        """Nobody sends us anywhere who has not been allowed to."""
        bob = self.answering("bob")
        baresip = self.baresip()
        baresip.command("dial", "sip:bob@atlanta.example")
        bob.wait_for("answered")
        baresip.wait_for("Call established")
        baresip.command("transfer", "sip:carol@atlanta.example")
        baresip.wait_for("603|[Tt]ransfer failed|[Dd]ecline")
        baresip.command("hangup")
        self.assertEqual(bob.wait_for("ended")["by"], "the peer")

    def test_baresip_is_sent(self):
        """baresip goes where ahoy sends it, and its sound with it."""
        carol = self.answering("carol", "--play", "tone:880", "--once")
        baresip = self.baresip()
        bob = self.ahoy("bob", "call", "sip:alice@atlanta.example", "--transfer",
                        "carol@atlanta.example", "--for", "1")
        self.assertEqual(bob.wait_for("transfer-ended")["status"], 200)
        self.assertEqual(bob.process.wait(PATIENCE), 0)
        self.assertIn("alice@atlanta.example", carol.wait_for("incoming")["text"])
        carol.wait_for("answered")
        try:
            carol.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            baresip.command("hangup")
        heard = carol.wait_for("heard")
        self.assertAlmostEqual(heard["heard_hz"], ALICE_HZ, delta=5)

    def test_to_nobody(self):
        bob = self.answering("bob", "--accept-transfers")
        alice = self.ahoy("alice", "call", "bob@atlanta.example", "--transfer",
                          "nobody@atlanta.example")
        self.assertEqual(alice.wait_for("transfer-ended")["status"], 404)
        self.assertEqual(alice.process.wait(PATIENCE), 8)
        self.assertEqual(bob.wait_for("refused")["status"], 404)

    def test_click_to_dial(self):
        """Bob's phone calls Carol because Alice, who is in no call, asks it to; or does not, where
        it is not willing, and says what became of it."""
        bob = self.answering("bob", "--accept-refer", "--play", "tone:660")
        carol = self.answering("carol", "--once")
        alice = self.ahoy("alice", "refer", "bob@atlanta.example", "carol@atlanta.example")
        asked = bob.wait_for("transfer-asked")
        self.assertEqual(asked["text"], "sip:carol@atlanta.example")
        self.assertIn("alice@atlanta.example", asked["from"])
        self.assertIn("bob@atlanta.example", carol.wait_for("incoming")["text"])
        bob.wait_for("answered")
        self.assertEqual(alice.wait_for("transfer-ended")["status"], 200)
        self.assertEqual(alice.process.wait(PATIENCE), 0)
        try:
            carol.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            bob.process.terminate()
        self.assertEqual(carol.process.wait(PATIENCE), 0)
        self.assertAlmostEqual(carol.wait_for("heard")["heard_hz"], 660, delta=5)
        bob.process.wait(PATIENCE)
        unwilling = self.answering("bob", "--accept-transfers")
        alice = self.ahoy("alice", "refer", "bob@atlanta.example", "carol@atlanta.example")
        self.assertEqual(alice.wait_for("transfer-ended")["status"], 403)
        self.assertEqual(alice.process.wait(PATIENCE), 7)
        unwilling.process.terminate()
        alice = self.ahoy("alice", "refer", "nobody@atlanta.example", "carol@atlanta.example")
        self.assertEqual(alice.wait_for("transfer-ended")["status"], 404)
        self.assertEqual(alice.process.wait(PATIENCE), 8)

    def test_attended(self):
        """Alice asks carol, and bob takes her place there."""
        bob = self.answering("bob", "--accept-transfers", "--play", "tone:660")
        carol = self.answering("carol", "--accept-transfers", "--play", "tone:880", "--once")
        alice = self.ahoy("alice", "call", "bob@atlanta.example", "--consult",
                          "carol@atlanta.example", "--for", "1")
        self.assertRegex(bob.wait_for("transfer-asked")["text"],
                         "^sip:carol@atlanta.example;gr=urn:uuid:")  # That phone of hers.
        self.assertEqual(alice.wait_for("transfer-ended")["status"], 200)
        self.assertEqual(alice.process.wait(PATIENCE), 0)
        first = carol.wait_for("incoming")
        second = carol.wait_for("incoming")
        self.assertEqual(second["replaces"], first["call"])
        self.assertIn("bob@atlanta.example", second["text"])
        bob.process.terminate()
        self.assertEqual(carol.process.wait(PATIENCE), 0)

    def test_attended_elsewhere(self):
        """The same, where carol's phone is SIPp; baresip 1.0 knows nothing of RFC 3891."""
        sipp = subprocess.Popen(
            [need("sipp"), "-sf", SIPP / "uas.xml", "-i", "127.0.0.1", "-p", str(self.elsewhere),
             "-m", "2", "-nostdin", "-trace_msg", "-message_file", "messages", "-timeout", "60",
             "-timeout_error"], cwd=self.path, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.addCleanup(sipp.wait)
        self.addCleanup(sipp.kill)
        bob = self.answering("bob", "--accept-transfers")
        alice = self.ahoy("alice", "call", "bob@atlanta.example", "--consult",
                          "carol@biloxi.example", "--for", "1")
        self.assertEqual(alice.wait_for("transfer-ended")["status"], 200)
        self.assertEqual(alice.process.wait(PATIENCE), 0)
        bob.process.terminate()
        self.assertEqual(sipp.wait(PATIENCE), 0)
        messages = (self.path / "messages").read_text()
        for row in [r"Replaces: \S+;to-tag=\S+;from-tag=\S+", "Require: replaces",
                    "Referred-By: <sip:alice@atlanta.example>"]:
            self.assertRegex(messages, f"\n{row}\r?\n")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
