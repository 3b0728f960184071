#!/usr/bin/env python3
"""Sound that comes after our offer and before any description of the other side's: R3264-5.1-12.

test_early.py BUILD
"""
import pathlib
import re
import socket
import struct
import sys
import time
import unittest

from ahoy_phone import AhoyPhone, hears
from peer import Ahoyd, free_port
from phone import Phone
from sound import measure

AHOY = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoy"
PERIOD = bytes.fromhex("1e0b0b1e9e8b8b9e")  # 1 kHz at 0 dBm0, -6.15 dBov: ITU-T G.711 table 6.
PACKETS, FRAME_S = 150, 0.02


def speak(port, payload_type=0):
    """Three seconds of the tone to the offer's |port|, from a port that nobody was told of."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.bind(("127.0.0.1", 0))
        begin = time.monotonic()
        for i in range(PACKETS):
            head = struct.pack("!BBHII", 0x80, payload_type, 1000 + i, 160 * i, 77)
            way.sendto(head + 20 * PERIOD, ("127.0.0.1", port))
            time.sleep(max(0, begin + (i + 1) * FRAME_S - time.monotonic()))


class Early(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = Ahoyd(sys.argv[1], f"""listen "udp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
""")
        self.addCleanup(self.server.__exit__)
        self.path = self.server.path
        (self.path / "none").write_text("none\n")
        self.bob = Phone("bob", self.port, "udp")
        self.addCleanup(self.bob.connection.close)
        self.bob.register()

    def call(self, *more, payload_type=0):
        """Alice calls bob, who rings, speaks and declines; her news."""
        alice = AhoyPhone(self, AHOY, "call", "bob@atlanta.example", "--user",
                          "alice@atlanta.example", "--password-file", "none", "--server",
                          f"sip:127.0.0.1:{self.port}", *more)
        invite = self.bob.read("INVITE")
        self.bob.answer(invite, 180)
        speak(int(re.search(rb"\nm=audio (\d+) ", invite)[1]), payload_type)
        self.bob.answer(invite, 486)
        self.bob.read("ACK")
        self.assertEqual(alice.end(), 3, alice.errors)
        return {row["news"]: row for row in alice.news}

    def test_heard(self):
        hears(self.hear)

    def hear(self):
        heard = self.call("--record", "early.wav")["heard"]
        self.assertEqual(heard["codec"], "PCMU/8000")
        self.assertAlmostEqual(heard["heard_hz"], 1000, delta=5)
        self.assertAlmostEqual(heard["heard_dbov"], -6.15, delta=1)
        self.assertEqual(heard["sent"], 0)
        self.assertAlmostEqual(measure(self.path / "early.wav")[0], 1000, delta=5)

    def test_not_offered(self):
        """By a number that was not offered, and where sound is to be secured, there is none."""
        self.assertNotIn("heard", self.call(payload_type=3))
        self.assertNotIn("heard", self.call("--codec", "pcma"))
        self.assertNotIn("heard", self.call("--srtp", "dtls"))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
