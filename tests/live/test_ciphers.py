#!/usr/bin/env python3
"""What the server shakes hands for, as testssl would ask: every version with every cipher suite
that this machine's OpenSSL can offer, for both kinds of keys; and what a sound TLS server does not
do (RFC 9325): compress, renegotiate, take a suite without forward secrecy or AEAD.

test_ciphers.py BUILD
"""
import re
import subprocess
import sys
import unittest

from certificates import EC, SERVER_NAMES, Certificates
from peer import PATIENCE, Ahoyd, free_port

BUILD = sys.argv[1]
RSA = ("rsa:2048",)
SIGNS = {"ec": "ECDSA", "rsa": "RSA"}
VERSIONS = {"TLSv1": "-tls1", "TLSv1.1": "-tls1_1", "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3"}
# What is taken: forward secret and AEAD, as RFC 9325 4.2 asks, and all of TLS 1.3 that OpenSSL has
# by default.
SOUND = re.compile(r"ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM-SHA(256|384)|CHACHA20-POLY1305)|"
                   r"TLS_(AES_(128|256)_GCM_SHA(256|384)|CHACHA20_POLY1305_SHA256)")
OFFERED = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.certificates.authority("ca")
        cls.certificates.make("ec", SERVER_NAMES, key=EC)
        cls.certificates.make("rsa", SERVER_NAMES, key=RSA)
        cls.ports = {key: free_port() for key in ("ec", "rsa")}
        cls.server = Ahoyd(BUILD, "\n".join(
            f'listen("tls:127.0.0.1:{port}", {{ {cls.certificates.pair(key)} }})'
            for key, port in cls.ports.items()) + """
domain("atlanta.example", { auth = "none" })
store "memory:"
""")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def suites(self, version):
        """The names of all suites that this OpenSSL can offer in |version|."""
        listed = subprocess.run(
            [self.certificates.openssl_path, "ciphers", "-s", VERSIONS[version], OFFERED],
            capture_output=True, text=True, check=False).stdout.strip()
        return [name for name in listed.split(":") if name]

    def shake(self, key, *options, text=b""):
        """What s_client prints; whether hands were shaken."""
        done = subprocess.run(
            [self.certificates.openssl_path, "s_client", "-connect",
             f"127.0.0.1:{self.ports[key]}", "-CAfile", self.certificates.path("ca.pem"),
             "-verify_return_error", *options],
            input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
            check=False)
        output = done.stdout.decode(errors="replace")
        return output, done.returncode == 0 and "Cipher is (NONE)" not in output


class Ciphers(Case):
    def test_each_version_with_each_suite(self):
        taken = set()
        for version, option in VERSIONS.items():
            name = "-ciphersuites" if version == "TLSv1.3" else "-cipher"
            for suite in self.suites(version):
                offer = suite if version == "TLSv1.3" else f"{suite}:@SECLEVEL=0"
                verdicts = []
                for key in self.ports:
                    _, shaken = self.shake(key, option, name, offer)
                    fits = version == "TLSv1.3" or f"-{SIGNS[key]}-" in suite
                    sound = SOUND.fullmatch(suite) and version in ("TLSv1.2", "TLSv1.3") and fits
                    verdicts.append(f"{key} {'taken' if shaken else 'refused'}")
                    self.assertEqual(shaken, bool(sound), (version, suite, key))
                    if shaken:
                        taken.add((version, suite))
                print(f"{version:8}{suite:32}{', '.join(verdicts)}")
        # Those that RFC 9325 4.2 recommends, and the one that RFC 8446 9.1 demands.
        self.assertIn(("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"), taken)
        self.assertIn(("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"), taken)
        self.assertIn(("TLSv1.3", "TLS_AES_128_GCM_SHA256"), taken)

    def test_old_versions_with_all_that_they_have(self):
        for version in ("TLSv1", "TLSv1.1"):
            for key in self.ports:
                output, shaken = self.shake(key, VERSIONS[version], "-cipher", OFFERED)
                self.assertFalse(shaken)
                self.assertIn("alert protocol version", output)  # The server said so.

    def test_the_best_is_agreed_on(self):
        output, shaken = self.shake("ec")
        self.assertTrue(shaken)
        self.assertRegex(output, r"New, TLSv1\.3, Cipher is TLS_(AES|CHACHA20)")
        self.assertRegex(output, r"Server Temp Key: X25519")

    def test_weak_groups_and_signatures_are_refused(self):
        for options in (("-groups", "P-521"), ("-sigalgs", "ECDSA+SHA1"),
                        ("-groups", "ffdhe2048")):
            self.assertFalse(self.shake("ec", *options)[1], options)
        for group in ("X25519", "P-256", "P-384"):
            self.assertTrue(self.shake("ec", "-groups", group)[1], group)


class Session(Case):
    def test_nothing_is_compressed(self):
        for option in ("-tls1_2", "-tls1_3"):
            output, shaken = self.shake("ec", option, "-comp")
            self.assertTrue(shaken)
            self.assertIn("Compression: NONE", output)

    def test_secure_renegotiation_is_known_and_none_is_done(self):
        output, shaken = self.shake("ec", "-tls1_2")
        self.assertTrue(shaken)
        self.assertIn("Secure Renegotiation IS supported", output)
        output, _ = self.shake("ec", "-tls1_2", text=b"R\n")  # s_client asks for one.
        self.assertIn("RENEGOTIATING", output)
        self.assertIn("no renegotiation", output)

    def test_sessions_are_resumed(self):
        for number, option in enumerate(("-tls1_2", "-tls1_3")):
            path = self.certificates.path(f"session{number}")
            # TLS 1.3 gives its ticket behind the handshake: with the first answer.
            options = (b"OPTIONS sip:atlanta.example SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKr"
                       b"\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: resumed\r\n"
                       b"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
            self.shake_open(option, "-sess_out", path, text=options)
            output, shaken = self.shake("ec", option, "-sess_in", path)
            self.assertTrue(shaken)
            self.assertIn("Reused, TLS", output)
            # Another listener's ticket is none of ours: its certificate is another.
            self.assertIn("New, TLS", self.shake("rsa", option, "-sess_in", path)[0])

    def shake_open(self, *options, text):
        """Shakes hands, and stays until the server has answered |text|."""
        process = subprocess.Popen(
            [self.certificates.openssl_path, "s_client", "-connect",
             f"127.0.0.1:{self.ports['ec']}", "-quiet", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdin.write(text)
        process.stdin.flush()
        self.assertIn(b"SIP/2.0 200", process.stdout.readline())
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        process.wait(PATIENCE)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
