"""A phone of ours in each of two homes behind NATs, and a server that both reach: what the tests of
NATs and of relays have in common.  Theirs is how a phone is started and listened to."""
import unittest

from nat import PUBLIC, Internet
from peer import Ahoyd
from sound import share

ALICE_HZ, BOB_HZ = 440, 660
SECONDS = 3


class Homes(unittest.TestCase):
    def build(self, folder, **how):
        self.internet = Internet(**how)
        self.internet.__enter__()
        self.addCleanup(self.internet.__exit__)
        self.server = Ahoyd(folder, f"""listen "udp:{PUBLIC}:5060" listen "tcp:{PUBLIC}:5060"
domain("atlanta.example", {{ auth = "none", insecure = true }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "password").write_text("none\n")

    def call(self, *for_alice, for_bob=(), **how):
        """alice calls bob, who answers once."""
        near, far = self.internet.homes.values()
        bob = self.phone(far, "answer", "bob", BOB_HZ, "--once", "--ring", "0", *for_bob)
        self.wait_for(bob, "registered")
        alice = self.phone(near, "call", "alice", ALICE_HZ, "sip:bob@atlanta.example", "--srtp",
                           "dtls", *for_alice, **how)
        return alice, bob

    def expect_sound(self, alice, bob):
        for phone, name, hz in ((alice, "alice", BOB_HZ), (bob, "bob", ALICE_HZ)):
            heard = self.wait_for(phone, "heard")
            self.assertIn("srtp", heard)
            self.assertGreater(share(self.path / f"{name}.wav", hz), 0.7)
            self.assertEqual(phone.wait(), 0)
