#!/usr/bin/env python3
"""Sound with a phone that others made: baresip and ahoy call each other, through ahoyd and without
it; each plays a tone, and the recordings of both are measured.

test_baresip.py BUILD
"""
import json
import pathlib
import re
import subprocess
import sys
import time
import unittest

from ahoy_phone import AhoyPhone
from baresip import ALICE_HZ, Baresip
from certificates import SERVER_NAMES, Certificates
from peer import PATIENCE, Ahoyd, free_port
from sound import LEVEL_DBOV, measure

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
BOB_HZ = 660  # Alice's phone is baresip, Bob's is ahoy.
SECONDS = 3                  # Of sound: that half a second and another one are there.


class Calls(unittest.TestCase):
    way = "udp"  # By which all meet the server.

    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.certificates.authority("ca")
        cls.certificates.make("server", SERVER_NAMES)

    def setUp(self):
        self.port = free_port()
        pair = f", {{ {self.certificates.pair()} }}" if self.way == "tls" else ""
        self.server = Ahoyd(BUILD, f"""listen("{self.way}:127.0.0.1:{self.port}"{pair})
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "password").write_text("none\n")

    def baresip(self, codec, mux, direct=False):
        baresip = Baresip(self.path / "alice", None if direct else self.port, codec, mux, self.way,
                          self.certificates.path("ca.pem"))
        self.addCleanup(baresip.close)
        return baresip

    def ahoy(self, verb, *more):
        return AhoyPhone(
            self, AHOY, verb, "--user", "bob@atlanta.example", "--password-file", "password",
            "--server", f"sip:127.0.0.1:{self.port};transport={self.way}", "--authorities",
            self.certificates.path("ca.pem"), "--play", f"tone:{BOB_HZ}", "--record", "bob.wav",
            *more)

    def expect(self, hz, dbov, wanted_hz):
        self.assertAlmostEqual(hz, wanted_hz, delta=wanted_hz / 100)
        self.assertAlmostEqual(dbov, LEVEL_DBOV, delta=1)

    def expect_sound(self, baresip, heard, codec):
        self.assertEqual(heard["codec"].lower().split("/")[0], codec.split("/")[0])
        self.assertLess(heard["loss"], 0.05)
        self.expect(heard["heard_hz"], heard["heard_dbov"], ALICE_HZ)
        self.expect(*measure(self.path / "bob.wav"), ALICE_HZ)
        self.expect(*measure(baresip.recording()), BOB_HZ)

    def answered(self, codec, mux, direct):
        """baresip calls `ahoy answer`."""
        own = free_port()
        bob = self.ahoy("answer", "--once", "--ring", "0", "--listen", f"127.0.0.1:{own}")
        bob.wait_for("registered")
        baresip = self.baresip(codec, mux, direct)
        baresip.command("dial", f"sip:bob@127.0.0.1:{own}" if direct
                        else "sip:bob@atlanta.example")
        bob.wait_for("answered")
        time.sleep(SECONDS)
        baresip.command("hangup")
        self.expect_sound(baresip, bob.wait_for("heard"), codec)

    def called(self, codec="pcmu"):
        """ahoy calls baresip, and dials."""
        baresip = self.baresip(codec, "yes")
        bob = self.ahoy("call", "sip:alice@atlanta.example", "--for", f"{SECONDS}s", "--digits",
                        "15#")
        heard = bob.wait_for("heard")
        self.assertEqual(heard["codec"].lower().split("/")[0], codec.split("/")[0])
        self.expect(heard["heard_hz"], heard["heard_dbov"], ALICE_HZ)
        digits = re.findall(r"received event: '(.)' \(end=1\)", baresip.log())
        self.assertEqual("".join(digits), "15#", baresip.log())


class Tcp(Calls):
    way = "tcp"

    def test_call(self):
        self.called()


class Tls(Calls):
    way = "tls"

    def test_answer(self):
        self.answered("pcmu", "yes", direct=False)

    def test_call(self):
        self.called()


class Sound(Calls):
    def test_pcmu(self):
        self.answered("pcmu", "no", direct=False)

    def test_pcma(self):
        self.answered("pcma", "yes", direct=False)

    def test_g722(self):
        self.answered("g722/16000", "no", direct=False)

    def test_opus(self):
        self.answered("opus/48000/2", "no", direct=False)

    def test_call_opus(self):
        """Its events have no other clock than 8000 Hz."""
        self.called("opus/48000/2")

    def test_direct(self):
        self.answered("pcma", "no", direct=True)

    def test_call(self):
        self.called()

    def test_message(self):
        """A text to baresip (RFC 3428); its menu knows no way to send one."""
        baresip = self.baresip("pcmu", "no")
        done = subprocess.run(
            [AHOY, "message", "--user", "bob@atlanta.example", "--password-file", "password",
             "--server", f"sip:127.0.0.1:{self.port}", "alice@atlanta.example", "three four"],
            cwd=self.path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "delivered: 200 OK\n"), done.stderr)
        baresip.wait_for(r"three four[^\n]*\n.*message\.wav")  # What it would play for a new text.

    def test_options(self):
        """Each asks what the other can do (RFC 3261 11)."""
        baresip = self.baresip("pcmu", "no")
        bob = self.ahoy("answer")
        bob.wait_for("registered")
        baresip.command("options", "sip:bob@atlanta.example")
        baresip.wait_for("OPTIONS of sip:bob@atlanta.example")
        done = subprocess.run(
            [AHOY, "options", "--user", "bob@atlanta.example", "--password-file", "password",
             "--server", f"sip:127.0.0.1:{self.port}", "alice@atlanta.example", "--json"],
            cwd=self.path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("INVITE", json.loads(done.stdout)["allow"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
