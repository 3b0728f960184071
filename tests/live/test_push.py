#!/usr/bin/env python3
"""A phone that sleeps is woken through a real hook, registers and is rung; and a hook that refuses,
is silent, says far too much, or is not there (RFC 8599).

test_push.py BUILD
"""
import http.server
import json
import queue
import re
import socket
import sys
import threading
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, header, status_of

BUILD = sys.argv[1]
AWAKE = 5.2  # Seconds; a phone that registered before may sleep.


class Hook(http.server.ThreadingHTTPServer):
    """Takes each request down, and answers as |way| says."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.way = "204"
        self.asked = queue.Queue()
        self.going = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        way = self.server.way
        if way == "silent":
            self.server.going.wait(PATIENCE)
            return
        self.send_response(200 if way == "long" else int(way))
        if way == "302":
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.server.asked.put((self.path, body))
        try:
            if way == "long":
                self.wfile.write(b"x" * 1000000)
        except OSError:
            pass  # The server has heard enough.

    def do_GET(self):
        self.server.asked.put((self.path, None))
        self.send_error(404)

    def log_message(self, *_):
        pass


class Push(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hook = Hook()
        cls.port = free_port()
        cls.server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{cls.port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
workers(2)
push {{ url = "http://127.0.0.1:{cls.hook.server_port}/wake", providers = {{ "fcm" }}, wait = 3 }}
""")
        cls.phone, cls.caller = cls.open(), cls.open()
        cls.cseq = cls.calls = 0

    @classmethod
    def tearDownClass(cls):
        cls.hook.going.set()
        cls.hook.shutdown()
        cls.hook.server_close()
        cls.server.__exit__()
        cls.phone.close()
        cls.caller.close()

    @staticmethod
    def open():
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(PATIENCE)
        return udp

    def send(self, udp, method, call, rows):
        cls = type(self)
        cls.cseq += 1
        port = udp.getsockname()[1]
        uri = "sip:atlanta.example" if method == "REGISTER" else "sip:bob@atlanta.example"
        udp.sendto((f"{method} {uri} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{cls.cseq}\r\n"
                    f"From: <sip:alice@atlanta.example>;tag=a\r\n"
                    f"To: <sip:bob@atlanta.example>\r\nCall-ID: {call}\r\n"
                    f"CSeq: {cls.cseq} {method}\r\nMax-Forwards: 70\r\n{rows}"
                    "Content-Length: 0\r\n\r\n").encode(), ("127.0.0.1", self.port))

    def read(self, udp, wanted):
        """The next message that is |wanted|, a status or a method."""
        while True:
            message = udp.recv(65536)
            if message.split(b" ")[0] == str(wanted).encode() or status_of(message) == wanted:
                return message

    def register(self):
        port = self.phone.getsockname()[1]
        self.send(self.phone, "REGISTER", "phone",
                  f"Contact: <sip:bob@127.0.0.1:{port};pn-provider=fcm;pn-param=a;"
                  "pn-prid=x%2Fy>\r\n")
        return self.read(self.phone, 200)

    def call(self):
        type(self).calls += 1
        call = f"call{self.calls}"
        self.send(self.caller, "INVITE", call, "Contact: <sip:alice@127.0.0.1>\r\n")
        return call

    def fails(self):
        """The status of a call, and how long that took."""
        begun = time.monotonic()
        call = self.call()
        while True:
            answer = self.caller.recv(65536)
            # An answer that is not acknowledged comes again.
            if header(answer, "Call-ID") == call and status_of(answer) >= 200:
                return status_of(answer), time.monotonic() - begun

    def wakes(self):
        """It is pushed, registers and answers."""
        call = self.call()
        path, asked = self.hook.asked.get(timeout=PATIENCE)
        self.assertEqual(path, "/wake")
        self.assertEqual(asked, {"provider": "fcm", "prid": "x/y", "param": "a",
                                 "aor": "bob@atlanta.example", "method": "INVITE",
                                 "call_id": call})
        self.register()
        invite = self.read(self.phone, "INVITE")
        rows = [row for row in invite.split(b"\r\n")
                if re.match(rb"(Via|Record-Route|From|To|Call-ID|CSeq):", row)]
        self.phone.sendto(b"SIP/2.0 486 Busy Here\r\n" + b"\r\n".join(rows) +
                          b"\r\nContent-Length: 0\r\n\r\n", ("127.0.0.1", self.port))
        self.read(self.caller, 486)

    def test_all_of_it(self):
        answer = self.register()
        self.assertIn(b'Feature-Caps: *;+sip.pns="fcm"', answer)
        time.sleep(AWAKE)
        for way in "500", "302":
            self.hook.way = way
            self.assertEqual(self.fails()[0], 480)
            self.hook.asked.get(timeout=PATIENCE)
        self.assertTrue(self.hook.asked.empty())  # Nobody went where the 302 led.
        self.assertIn("push: the hook answers 500", self.server.log())
        self.hook.way = "silent"
        status, seconds = self.fails()
        self.assertEqual(status, 480)
        self.assertGreater(seconds, 2.5)
        for way in "204", "long":
            self.hook.way = way
            self.wakes()
            time.sleep(AWAKE)
        self.hook.going.set()
        self.hook.shutdown()
        self.hook.server_close()
        self.assertEqual(self.fails()[0], 480)
        counters = self.server.ctl("counters").stdout
        self.assertRegex(counters, r"(?m)^woken +2$")
        self.assertRegex(counters, r"(?m)^not_woken +1$")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
