#!/usr/bin/env python3
"""Secured sound with a phone that others made: baresip and ahoy call each other through ahoyd, by
TLS; each plays a tone, and the recordings of both are measured.

test_secured.py BUILD
"""
import pathlib
import sys
import time
import unittest

from ahoy_phone import AhoyPhone, without
from baresip import ALICE_HZ, Baresip
from certificates import SERVER_NAMES, Certificates
from peer import Ahoyd, free_port
from sound import share

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
BOB_HZ = 660  # Alice's phone is baresip, Bob's is ahoy.
SECONDS = 2   # Of sound.
SUITE = "AES_CM_128_HMAC_SHA1_80"  # What baresip would rather have.
OPTIONAL, KEYS = ("srtp", "srtp"), ("srtp", "srtp-mand")
HANDSHAKE = ("dtls_srtp", "dtls_srtp")


class Secured(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.certificates.authority("ca")
        cls.certificates.make("server", SERVER_NAMES)

    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(BUILD, f"""listen("tls:127.0.0.1:{self.port}",
    {{ {self.certificates.pair()} }})
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "password").write_text("none\n")

    def baresip(self, security, nat=None):
        baresip = Baresip(self.path / "alice", self.port, mux="yes",
                          authority=self.certificates.path("ca.pem"), security=security, nat=nat,
                          way="tls")
        self.addCleanup(baresip.close)
        return baresip

    def ahoy(self, verb, srtp, *more, program=AHOY):
        return AhoyPhone(
            self, program, verb, "--user", "bob@atlanta.example", "--password-file", "password",
            "--server", f"sip:127.0.0.1:{self.port};transport=tls", "--authorities",
            self.certificates.path("ca.pem"), "--play", f"tone:{BOB_HZ}", "--record", "bob.wav",
            "--srtp", srtp, *more)

    def expect_sound(self, baresip, heard, suite):
        self.assertEqual(heard.get("srtp"), suite, heard)
        self.assertGreater(share(self.path / "bob.wav", ALICE_HZ), 0.7)
        self.assertGreater(share(baresip.recording(), BOB_HZ), 0.7)

    def answered(self, security, srtp, suite, way=None):
        """baresip calls `ahoy answer`."""
        bob = self.ahoy("answer", srtp, "--once", "--ring", "0")
        bob.wait_for("registered")
        baresip = self.baresip(security, way)
        baresip.command("dial", "sip:bob@atlanta.example")
        bob.wait_for("answered")
        time.sleep(SECONDS)
        baresip.command("hangup")
        self.expect_sound(baresip, bob.wait_for("heard"), suite)

    def called(self, security, srtp, suite):
        """`ahoy call` calls baresip."""
        baresip = self.baresip(security)
        bob = self.ahoy("call", srtp, "sip:alice@atlanta.example", "--for", f"{SECONDS}s")
        self.expect_sound(baresip, bob.wait_for("heard"), suite)

    def test_keys_answered(self):
        self.answered(KEYS, "optional", SUITE)

    def test_keys_called(self):
        self.called(KEYS, "sdes", SUITE)

    def test_handshake(self):
        """By DTLS: what baresip says first comes before its answer."""
        self.called(HANDSHAKE, "dtls", SUITE)

    def test_ice(self):
        """By DTLS, once baresip's checks have shown a way."""
        self.answered(HANDSHAKE, "optional", SUITE, "ice")

    def test_optional(self):
        """Both would rather be secured, and neither insists: RFC 8643."""
        self.called(OPTIONAL, "optional", SUITE)

    def test_no_library(self):
        """What secures is opened when it is needed; where it is not there, that is said, and
        nothing goes in plain."""
        baresip = self.baresip(KEYS)
        bob = self.ahoy("call", "sdes", "sip:alice@atlanta.example", "--for", "1s",
                        program=without(AHOY, b"libsrtp2.so.1", self.path))
        self.assertEqual(bob.end(), 0)
        self.assertIn("nothing can be secured: libsrtp2.so.0: ", bob.errors)
        self.assertNotIn("heard", bob.kinds())

    def test_plain(self):
        """A phone that knows nothing of it is not called by who insists, and by others in plain."""
        baresip = self.baresip(None)
        bob = self.ahoy("call", "sdes", "sip:alice@atlanta.example")
        self.assertEqual(bob.wait_for("refused")["status"], 488)
        bob = self.ahoy("call", "optional", "sip:alice@atlanta.example", "--for", f"{SECONDS}s")
        self.expect_sound(baresip, bob.wait_for("heard"), None)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
