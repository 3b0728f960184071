#!/usr/bin/env python3
"""ahoyctl ladder on traces that are made up: of one server, and of two whose clocks differ.

test_ladder.py BUILD
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from peer import PATIENCE

CTL = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoyctl"
ALICE, ONE, TWO, BOB = ("192.0.2.7:5062", "192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.9:5064")
LEAD_US = 7000000  # By how much the second server's clock is before the first one's.


def line(us, direction, local, remote, start, **more):
    return {"us": us, "worker": 0, "dir": direction, "transport": "udp", "local": local,
            "remote": remote, "start": start, "call_id": "call", "cseq": "1 INVITE",
            "from": "alice@atlanta.example", "size": 500, **more}


INVITE = "INVITE sip:bob@biloxi.example SIP/2.0"
FIRST = [line(1000, "in", ONE, ALICE, INVITE),
         line(1200, "out", ONE, ALICE, "SIP/2.0 100 Trying"),
         line(2000, "out", ONE, TWO, INVITE),
         line(502000, "out", ONE, TWO, INVITE),  # A retransmission.
         line(504100, "in", ONE, TWO, "SIP/2.0 180 Ringing"),
         line(504200, "out", ONE, ALICE, "SIP/2.0 180 Ringing"),
         line(509000, "out", ONE, ALICE, "SIP/2.0 407 Proxy Authentication Required")]
SECOND = [line(9000, "in", TWO, BOB, "REGISTER sip:biloxi.example SIP/2.0", call_id="other",
               cseq="1 REGISTER", **{"from": "bob@biloxi.example"}),
          line(LEAD_US + 2500, "in", TWO, ONE, INVITE, forwarded=True),
          line(LEAD_US + 3000, "out", TWO, BOB, INVITE),
          line(LEAD_US + 502500, "in", TWO, ONE, INVITE, forwarded=True),
          line(LEAD_US + 503500, "in", TWO, BOB, "SIP/2.0 180 Ringing"),
          line(LEAD_US + 503600, "out", TWO, ONE, "SIP/2.0 180 Ringing")]

TOGETHER = """\
            alice                        one                         two                         bob
     0.0 ms   |--------- INVITE --------->|                           |                           |
     0.2 ms   |<------ 100 Trying --------|                           |                           |
     1.0 ms   |                           |--------- INVITE --------->|                           |
     2.0 ms   |                           |                           |--------- INVITE --------->|
   501.0 ms   |                           |--------- INVITE --------->|                           |
   502.5 ms   |                           |                           |<------ 180 Ringing -------|
   502.6 ms   |                           |<------ 180 Ringing -------|                           |
   503.2 ms   |<------ 180 Ringing -------|                           |                           |
   508.0 ms   |<---------- 407 -----------|                           |                           |
"""
ALONE = """\
       192.0.2.1:5060                             ahoyd                                  bob
     0.0 ms   |-------------- INVITE -------------->|                                     |
     0.5 ms   |                                     |-------------- INVITE -------------->|
   500.0 ms   |-------------- INVITE -------------->|                                     |
   501.0 ms   |                                     |<----------- 180 Ringing ------------|
   501.1 ms   |<----------- 180 Ringing ------------|                                     |
"""


class Ladder(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ahoyctl-ladder-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.write("one.trace", FIRST)
        self.write("two.trace", SECOND)

    def write(self, name, lines):
        (self.path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))

    def run_ctl(self, *arguments):
        return subprocess.run([CTL, *arguments], cwd=self.path, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def assert_drawn(self, picture, *arguments):
        result = self.run_ctl(*arguments)
        self.assertEqual((result.stdout, result.stderr, result.returncode), (picture, "", 0))

    def test_one_server(self):
        """The proxy that brings Alice's call is not Alice."""
        self.assert_drawn(ALONE, "ladder", "two.trace")
        self.assert_drawn(ALONE, "ladder", "two.trace", "call")

    def test_two_servers_with_clocks_of_their_own(self):
        self.assert_drawn(TOGETHER, "--with", "two.trace", "ladder", "one.trace")
        self.assert_drawn(TOGETHER, "--with", "two.trace", "ladder", "one.trace", "call")

    def test_what_is_lost_between_them(self):
        """Of the first INVITE the second server has seen nothing: it is there all the same, and the
        clocks are known by what came back."""
        self.write("two.trace", [one for one in SECOND if one["us"] > LEAD_US + 3000])
        result = self.run_ctl("--with", "two.trace", "ladder", "one.trace")
        self.assertEqual(result.stdout.count(" INVITE "), 3)
        self.assertEqual(result.stdout.count(" 180 Ringing "), 3)
        times = re.findall(r"^ *([0-9.]+) ms", result.stdout, re.MULTILINE)
        self.assertEqual(times, ["0.0", "0.2", "1.0", "501.0", "503.0", "503.1", "503.2", "508.0"])

    def test_what_cannot_be_drawn(self):
        for arguments, code in ((("ladder", "none.trace"), 1), (("ladder", "one.trace", "no"), 1),
                                (("--with", "none.trace", "ladder", "one.trace"), 1),
                                (("--with", "a", "--with", "b", "--with", "c", "--with", "d",
                                  "ladder", "one.trace"), 2)):
            result = self.run_ctl(*arguments)
            self.assertEqual((result.returncode, result.stdout), (code, ""), arguments)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        (self.path / "bad.trace").write_text('[1]\n7\n{"us": \n' + json.dumps(FIRST[0]) + "\n")
        result = self.run_ctl("ladder", "bad.trace")
        self.assertEqual((result.returncode, len(result.stderr.splitlines())), (0, 3))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
