#!/usr/bin/env python3
"""Two phones of ours behind NATs between which nothing gets through: a relay of coturn carries the
sound (RFC 8656), and it is said where there is none to be had.

test_turn.py BUILD
"""
import json
import pathlib
import signal
import subprocess
import sys
import unittest

from coturn import PASSWORD, USER, Coturn
from homes import ALICE_HZ, BOB_HZ, SECONDS, Homes
from nat import PUBLIC, enter
from peer import until
from sound import share

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
PORT = 3478
STUN = ("--stun", f"{PUBLIC}:5060")  # The permission that a relay needs is for an address.


class Turn(Homes):
    def setUp(self):
        self.build(BUILD)
        self.internet.is_cut = True
        self.write_secret(PASSWORD)

    def write_secret(self, text):
        (self.path / "secret").write_text(f"{text}\n")
        (self.path / "secret").chmod(0o600)

    def coturn(self, *more):
        turn = Coturn(PUBLIC, PORT, *more)
        self.addCleanup(turn.close)
        return turn

    def phone(self, home, verb, name, hz, *more):
        errors = open(self.path / f"{name}.err", "w+")
        self.addCleanup(errors.close)
        phone = home.start(
            AHOY, verb, "--user", f"{name}@atlanta.example", "--password-file", "password",
            "--server", f"sip:{PUBLIC};transport=tcp", "--play", f"tone:{hz}", "--record",
            f"{name}.wav", "--json", "--trace", f"{name}.trace", *more,
            cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            text=True)
        self.addCleanup(phone.wait)
        self.addCleanup(phone.kill)
        self.addCleanup(phone.stdout.close)
        return phone

    def relay(self):
        return ("--turn", f"turn:{PUBLIC}:{PORT}", "--turn-user", USER, "--turn-password-file",
                "secret")

    def wait_for(self, phone, kind):
        told = []
        for line in phone.stdout:
            told.append(json.loads(line))
            if told[-1]["news"] == kind:
                return told[-1]
        self.fail(f"it ended before it said {kind}: {told}")

    def start(self, for_alice, for_bob, *more):
        return self.call(*for_alice, *more, for_bob=for_bob)

    def expect_sound(self, alice, bob):
        super().expect_sound(alice, bob)
        for name in ("alice", "bob"):
            self.assertEqual((self.path / f"{name}.err").read_text(), "")

    def test_both(self):
        """Both have one; nothing else gets through.  They are told, and given back."""
        turn = self.coturn()
        alice, bob = self.start(self.relay(), self.relay(), "--for", f"{SECONDS}s")
        self.expect_sound(alice, bob)
        self.assertEqual(self.internet.direct, 0)
        trace = (self.path / "alice.trace").read_text()
        for home in self.internet.homes.values():
            self.assertRegex(trace, f"{PUBLIC} [0-9]+ typ relay raddr {home.outside} rport [0-9]+")
        until(lambda: turn.given_back() >= 2, "both relays given back")

    def test_one(self):
        """One is enough, whoever has it."""
        self.coturn()
        for relays in ((self.relay(), STUN), (STUN, self.relay())):
            with self.subTest(relays=relays):
                self.expect_sound(*self.start(*relays, "--for", f"{SECONDS}s"))

    def test_account(self):
        """The same by the file of accounts."""
        self.coturn()
        folder = self.path / "ahoy"
        folder.mkdir()
        (folder / "relay.secret").write_text(f"{PASSWORD}\n")
        (folder / "relay.secret").chmod(0o644)
        (folder / "account").write_text(
            f"user alice@atlanta.example\npassword-file ../secret\n"
            f"server sip:{PUBLIC};transport=tcp\n"
            f"turn {PUBLIC}\nturn-user {USER}\nturn-password-file relay.secret\n")
        near, far = self.internet.homes.values()
        env = {"XDG_CONFIG_HOME": str(self.path), "PATH": "/usr/bin"}
        command = (AHOY, "call", "sip:bob@atlanta.example", "--srtp", "dtls", "--play",
                   f"tone:{ALICE_HZ}", "--record", "alice.wav", "--json", "--for", f"{SECONDS}s")
        refused = near.start(*command, cwd=self.path, env=env, stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
        self.assertIn("relay.secret: others can read this password", refused.communicate()[1])
        self.assertEqual(refused.returncode, 2)
        (folder / "relay.secret").chmod(0o600)
        bob = self.phone(far, "answer", "bob", BOB_HZ, "--once", "--ring", "0", *STUN)
        self.wait_for(bob, "registered")
        alice = near.start(*command, cwd=self.path, env=env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, text=True)
        self.addCleanup(alice.wait)
        self.addCleanup(alice.kill)
        self.addCleanup(alice.stdout.close)
        self.wait_for(alice, "heard")
        self.assertGreater(share(self.path / "alice.wav", BOB_HZ), 0.7)

    def test_stale(self):
        """Nonces that last for two seconds."""
        self.coturn("--stale-nonce=2", "--max-allocate-lifetime", "6")
        self.expect_sound(*self.start(self.relay(), self.relay(), "--for", "8s"))

    def test_not_needed(self):
        """Where the NATs let them through the relay is given back in the call."""
        turn = self.coturn()
        self.internet.is_cut = False
        alice, bob = self.start(self.relay(), self.relay())
        self.wait_for(alice, "answered")
        until(lambda: turn.given_back() >= 2, "both relays given back")
        self.assertGreater(self.internet.direct, 50)
        alice.send_signal(signal.SIGINT)
        self.wait_for(alice, "heard")
        self.assertEqual(alice.wait(), 0)

    def expect_word(self, word):
        """It is said why there is none, and the call goes by another way."""
        self.internet.is_cut = False
        alice, bob = self.start((*self.relay(), *STUN), STUN, "--for", f"{SECONDS}s")
        super().expect_sound(alice, bob)
        self.assertEqual((self.path / "alice.err").read_text(), f"ahoy: no relay: {word}\n")

    def test_wrong_password(self):
        self.coturn()
        self.write_secret("openbarley")
        self.expect_word("the server does not take this name and password")

    def test_silence(self):
        self.expect_word("the server does not answer")

    def test_quota(self):
        self.coturn("--user-quota", "1")
        alice, bob = self.start(self.relay(), (*self.relay(), *STUN), "--for", f"{SECONDS}s")
        self.wait_for(alice, "heard")
        self.assertEqual((self.path / "bob.err").read_text(),
                         "ahoy: no relay: the server gives this user no more\n")
        self.assertGreater(share(self.path / "alice.wav", BOB_HZ), 0.7)


if __name__ == "__main__":
    enter()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
