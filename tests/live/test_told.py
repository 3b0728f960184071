#!/usr/bin/env python3
"""`ahoy watch` of what servers of others tell: presence (RFC 3856), calls (RFC 4235), waiting
messages (RFC 3842).  The notifier is a few lines here.

test_told.py BUILD
"""
import json
import pathlib
import socket
import subprocess
import sys
import unittest

from peer import PATIENCE, header, status_of

AHOY = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoy"
PIDF = """<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:bob@biloxi.example">
 <tuple id="a"><status><basic>{}</basic></status><contact>sip:bob@192.0.2.4</contact>
  <note>caf\u00e9 &#x9b;7m</note></tuple>
</presence>"""
CALLS = """<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full"
             entity="sip:bob@biloxi.example"><dialog id="1" direction="initiator">
 <state>{}</state><remote><identity>sip:carol@chicago.example</identity></remote></dialog>
</dialog-info>"""
MESSAGES = "Messages-Waiting: yes\r\nMessage-Account: sip:bob@vm.example\r\nVoice-Message: {}/8\r\n"


class Notifier:
    """Grants every SUBSCRIBE, and tells what it is given."""

    def __init__(self, case):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)
        self.port = self.socket.getsockname()[1]
        self.cseq = 0
        case.addCleanup(self.socket.close)

    def accept(self):
        """The SUBSCRIBE, which is answered."""
        self.wish, self.peer = self.socket.recvfrom(65536)
        assert self.wish.startswith(b"SUBSCRIBE ")
        rows = "".join(f"{name}: {header(self.wish, name)}\r\n" for name in
                       ("Via", "From", "Call-ID", "CSeq", "Expires"))
        self.to = header(self.wish, "To")
        self.to += "" if ";tag=" in self.to else ";tag=n"
        self.socket.sendto(f"SIP/2.0 200 OK\r\n{rows}To: {self.to}\r\n{self.contact()}"
                           "Content-Length: 0\r\n\r\n".encode(), self.peer)
        return self.wish

    def contact(self):
        return f"Contact: <sip:127.0.0.1:{self.port}>\r\n"

    def tell(self, body, state="active;expires=600"):
        """A NOTIFY; returns the status that it is answered by."""
        self.cseq += 1
        uri = header(self.wish, "Contact").strip("<>")
        kind = header(self.wish, "Accept")
        self.socket.sendto(
            f"NOTIFY {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self.port}"
            f";branch=z9hG4bKn{self.cseq}\r\nMax-Forwards: 70\r\nFrom: {self.to}\r\n"
            f"To: {header(self.wish, 'From')}\r\nCall-ID: {header(self.wish, 'Call-ID')}\r\n"
            f"CSeq: {self.cseq} NOTIFY\r\n{self.contact()}Event: {header(self.wish, 'Event')}\r\n"
            f"Subscription-State: {state}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body.encode())}\r\n\r\n{body}".encode(), self.peer)
        while not (status := status_of(self.socket.recv(65536))):
            pass  # A SUBSCRIBE again, until our answer has come.
        return status


class Told(unittest.TestCase):
    def watch(self, what, notifier, *more):
        watcher = subprocess.Popen(
            [AHOY, "watch", what, "bob@biloxi.example", "--server",
             f"sip:127.0.0.1:{notifier.port}", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(watcher.stdout.close)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.kill)
        return watcher

    def end(self, watcher, notifier):
        watcher.terminate()
        notifier.accept()
        self.assertEqual(notifier.tell("", "terminated;reason=timeout"), 200)
        self.assertEqual(watcher.wait(PATIENCE), 0)

    # R3856-6.5-1, R3856-6.5-2, R4235-3.5-1, R4235-3.5-2
    def test_packages(self):
        for what, kind, body, values, told in (
                ("presence", "application/pidf+xml", PIDF, ("open", "closed"),
                 {"state": "{}", "about": "sip:bob@192.0.2.4", "note": "caf\u00e9 \x9b7m"}),
                ("dialog", "application/dialog-info+xml", CALLS, ("trying", "confirmed"),
                 {"state": "{}", "about": "sip:carol@chicago.example", "note": "initiator"}),
                ("message-summary", "application/simple-message-summary", MESSAGES, ("2", "3"),
                 {"state": "{} new, 8 old", "about": "Voice-Message", "note": ""})):
            notifier = Notifier(self)
            watcher = self.watch(what, notifier, "--json")
            wish = notifier.accept()
            self.assertEqual(header(wish, "Event"), what)
            self.assertEqual(header(wish, "Accept"), kind)
            for value in values:
                self.assertEqual(notifier.tell(body.format(value)), 200)
                while (news := json.loads(watcher.stdout.readline()))["news"] != "notified":
                    pass
                self.assertEqual(news["document"], body.format(value))
                self.assertEqual(news["told"][-1],
                                 {**told, "state": told["state"].format(value)})
            self.end(watcher, notifier)

    def test_for_people(self):
        """In words; what cannot be read, as it came.  Neither steers the terminal."""
        notifier = Notifier(self)
        watcher = self.watch("presence", notifier)
        notifier.accept()
        for body in (PIDF.format("open"), "<presence>\033[7m"):
            self.assertEqual(notifier.tell(body), 200)
        self.end(watcher, notifier)
        said = watcher.stdout.read()
        self.assertIn("told (active):\n  open  sip:bob@192.0.2.4  (caf\u00e9 \\xc2\\x9b7m)\n", said)
        self.assertIn("told (active):\n  <presence>\\x1b[7m\n", said)

    def test_unknown(self):
        result = subprocess.run([AHOY, "watch", "weather", "bob@biloxi.example"], text=True,
                                capture_output=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("weather", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
