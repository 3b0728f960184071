#!/usr/bin/env python3
"""`ahoy watch reg` against a server with two workers and a store on disk: which of Alice's phones
come and go (RFC 3680), each document read by somebody else's reader of XML.

test_watch.py BUILD
"""
import pathlib
import signal
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

from ahoy_phone import AhoyPhone
from peer import PATIENCE, Ahoyd, free_port
from phone import Phone

BUILD = sys.argv[1]
AHOY = pathlib.Path(BUILD).resolve() / "bin" / "ahoy"
INFO, GRUU = "{urn:ietf:params:xml:ns:reginfo}", "{urn:ietf:params:xml:ns:gruuinfo}"
WATCHERS = 4  # Their Call-IDs are random: all of them are of one worker once in eight runs.


class Watcher(AhoyPhone):
    """`ahoy watch`, and what it is told."""

    def __init__(self, case, *arguments):
        super().__init__(case, AHOY, "watch", "reg", "alice@atlanta.example", "--server",
                         f"sip:127.0.0.1:{case.port}", *arguments)
        self.version = -1

    # R3680-5.1-1, R3680-5.1-2, R3680-5.1-3, R3680-5.1-5
    def told(self):
        """The one registration of the next document, which is checked."""
        document = xml.fromstring(self.wait_for("notified")["document"].encode())
        assert document.tag == INFO + "reginfo" and document.get("state") == "full"
        self.version += 1
        assert document.get("version") == str(self.version)
        [registration] = document
        assert registration.tag == INFO + "registration"
        assert registration.get("aor") == "sip:alice@atlanta.example"
        return registration

    def end(self, wish=signal.SIGINT):
        self.process.send_signal(wish)
        self.wait_for("watch-ended")
        return self.process.wait(PATIENCE)


class Watch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ahoy-watch-")
        self.addCleanup(folder.cleanup)
        self.port, self.path = free_port(), folder.name
        self.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{self.port}"
listen "tcp:127.0.0.1:{self.port}"
domain("atlanta.example", {{ auth = "none", min_expires = 10 }})
store "sqlite:{folder.name}/ahoyd.db"
workers(2)
""")
        self.addCleanup(self.server.__exit__)

    def register(self, phone, cseq, expires, parameters=""):
        phone.send("REGISTER", "sip:atlanta.example", {"id": f"r{phone.number}", "to": "alice"},
                   (), cseq=cseq,
                   contact=f"Contact: <{phone.contact}>;expires={expires}{parameters}")
        phone.read(200)

    def test_two_phones_come_and_go(self):
        desk, soft = Phone("alice", self.port), Phone("alice", self.port, "udp")
        self.addCleanup(desk.close)
        self.addCleanup(soft.close)
        watchers = [Watcher(self) for _ in range(WATCHERS)]
        for watcher in watchers:
            self.assertEqual(watcher.told().get("state"), "init")
        self.register(desk, 1, 300, ';+sip.instance="<urn:uuid:1>";x="<\'&\u00e4]]>"')
        for watcher in watchers:
            registration = watcher.told()
            self.assertEqual(registration.get("state"), "active")
            [contact] = registration
            self.assertEqual(contact.get("event"), "registered")
            self.assertEqual(contact.find(INFO + "uri").text, desk.contact)
            self.assertEqual(contact.find(GRUU + "pub-gruu").get("uri"),
                             "sip:alice@atlanta.example;gr=urn:uuid:1")
            unknown = {row.get("name"): row.text for row in contact.iter(INFO + "unknown-param")}
            self.assertEqual(unknown["x"], '"<\'&\u00e4]]>"')
            watcher.first = contact.get("id")
        self.register(soft, 1, 300)
        self.register(desk, 2, 0)
        events = [set() for _ in watchers]
        for seen, watcher in zip(events, watchers):
            while ("unregistered", "terminated") not in seen:  # Told as one, or one by one.
                for contact in watcher.told():
                    seen.add((contact.get("event"), contact.get("state")))
                    if contact.get("event") == "unregistered":
                        self.assertEqual(contact.get("id"), watcher.first)
            self.assertIn(("registered", "active"), seen)
        for watcher in watchers:
            self.assertEqual(watcher.end(), 0)

    def test_once(self):
        watcher = Watcher(self, "--for", "0")
        self.assertEqual(watcher.told().get("state"), "init")
        self.assertEqual(watcher.process.wait(PATIENCE), 0)

    def test_a_server_that_starts_again(self):
        """What is left of a subscription is nothing; who had it makes another one."""
        watcher = Watcher(self, "--expires", "10")
        watcher.told()
        self.server.kill()
        self.server.start()
        watcher.version = -1
        self.assertEqual(watcher.told().get("state"), "init")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
