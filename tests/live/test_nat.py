#!/usr/bin/env python3
"""Two phones of ours, each behind a NAT: checks of ICE open a way from one to the other, ahoyd on
its own port tells each how it is seen (RFC 5626 8), and each hears the other's tone.

test_nat.py BUILD
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import threading
import unittest

from homes import SECONDS, Homes
from nat import PUBLIC, enter
from peer import until

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"


class Nat(Homes):
    def phone(self, home, verb, name, hz, *more, transport="tcp"):
        phone = home.start(
            AHOY, verb, "--user", f"{name}@atlanta.example", "--password-file", "password",
            "--server", f"sip:{PUBLIC};transport={transport}", "--play", f"tone:{hz}", "--record",
            f"{name}.wav", "--stun", f"{PUBLIC}:5060", "--json", "--trace", f"{name}.trace", *more,
            cwd=self.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(phone.stdout.close)
        phone.told, phone.seen = [], 0
        phone.reader = threading.Thread(target=self.hear, args=[phone])
        phone.reader.start()
        self.addCleanup(phone.reader.join)
        self.addCleanup(phone.wait)
        self.addCleanup(phone.kill)
        return phone

    def hear(self, phone):
        for line in phone.stdout:
            phone.told.append(json.loads(line))

    def look_for(self, phone, kind):
        """The next thing of that kind that it says, if it has."""
        is_over = not phone.reader.is_alive()
        while phone.seen < len(phone.told):
            phone.seen += 1
            if phone.told[phone.seen - 1]["news"] == kind:
                return phone.told[phone.seen - 1]
        if is_over:
            self.fail(f"it ended before it said {kind}: {phone.told}")
        return None

    def wait_for_one(self, phones, kind):
        """Which of them says it first, and what."""
        found = []

        def looks():
            found.extend((phone, news) for phone in phones if (news := self.look_for(phone, kind)))
            return found
        until(looks, kind, 120)
        return found[0]

    def wait_for(self, phone, kind):
        return self.wait_for_one([phone], kind)[1]

    def expect_way_found(self, alice, bob, loser):
        """Sound goes through the NATs again, as |loser| says; then alice hangs up."""
        self.wait_for(loser, "way-found")
        until(lambda count=self.internet.direct: self.internet.direct > count + 100, "sound")
        alice.send_signal(signal.SIGINT)
        for phone in (alice, bob):
            self.wait_for(phone, "heard")
            self.assertEqual(phone.wait(), 0)

    def test_two_nats(self):
        self.build(BUILD)
        alice, bob = self.call("--for", f"{SECONDS}s")
        self.expect_sound(alice, bob)
        self.assertGreater(self.internet.direct, SECONDS * 50)
        trace = (self.path / "alice.trace").read_text()
        for home in self.internet.homes.values():
            self.assertIn(f"{home.outside} ", trace)
            self.assertIn(f"typ srflx raddr {home.inside}", trace)

    def test_who_is_not_registered(self):
        """A caller whom only his own way leads to hears that it is over."""
        self.build(BUILD)
        for transport in ("udp", "tcp"):
            alice, bob = self.call(transport=transport)
            self.wait_for(alice, "answered")
            bob.send_signal(signal.SIGINT)
            self.wait_for(alice, "ended")
            for phone in (alice, bob):
                self.assertEqual(phone.wait(), 0)

    def test_further_interface(self):
        """What does not get through the NATs goes by a network that both are on (5.1.1.1)."""
        self.build(BUILD, has_link=True)
        self.internet.is_cut = True
        alice, bob = self.call("--for", f"{SECONDS}s")
        self.expect_sound(alice, bob)
        self.assertGreater(self.internet.linked, SECONDS * 50)

    def test_interface_goes(self):
        """An address that sound goes by is taken away: another way is found at once."""
        self.build(BUILD, has_link=True)
        self.internet.is_cut = True
        alice, bob = self.call()
        until(lambda: self.internet.linked > 100, "sound by the link")
        self.internet.is_cut = False
        next(iter(self.internet.homes.values())).run("addr del 172.16.0.2/24 dev cable")
        self.expect_way_found(alice, bob, alice)

    def test_lost(self):
        """The network fails for longer than consent lasts (RFC 7675): who notices it first says so,
        and the way is found again when it is there, by other words (RFC 8445 9)."""
        self.build(BUILD)
        alice, bob = self.call()
        self.wait_for(alice, "answered")
        until(lambda: self.internet.direct > 100, "sound")
        self.internet.is_cut = True
        loser, _ = self.wait_for_one([alice, bob], "way-lost")
        self.internet.is_cut = False
        self.expect_way_found(alice, bob, loser)
        trace = (self.path / "alice.trace").read_text()
        self.assertGreaterEqual(len(set(re.findall("a=ice-ufrag:(.*)", trace))), 4)


if __name__ == "__main__":
    enter()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
