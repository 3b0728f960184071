#!/usr/bin/env python3
"""SIP over WebSocket as browsers meet it (RFC 7118): the handshake, calls between all transports on
both IP versions, messages large and too large, frames that break the rules.  Attack 46.

test_websocket.py BUILD
"""
import base64
import hashlib
import socket
import struct
import sys
import threading
import time
import unittest

from channels import (BINARY, CLOSE, PING, PONG, TEXT, Closed, Stream, Tcp, Udp, WebSocket)
from peer import PATIENCE, Ahoyd, free_port, header, status_of

BUILD = sys.argv[1]
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Phone:
    """A SIP phone on one of those."""

    count = 0

    def __init__(self, server, transport, family, user):
        Phone.count += 1
        self.user = user
        self.number = Phone.count
        self.transport = transport
        port = server.ports[family, "ws" if transport == "ws" else "sip"]
        self.way = {"ws": WebSocket, "tcp": Tcp, "udp": Udp}[transport](family, port)
        host, own_port = self.way.socket.getsockname()[:2]
        # Like a browser, which does not know its own address (RFC 7118 appendix B.1).
        self.host = f"r{self.number}.invalid" if transport == "ws" else \
            f"{host}:{own_port}" if family == 4 else f"[{host}]:{own_port}"
        self.contact = f"sip:{user}@{self.host};transport={transport}"
        self.branches = 0

    def send(self, method, uri, rows="", to=None, call=None, cseq=1, body=b""):
        self.branches += 1
        to = to or f"<sip:{self.user}@atlanta.example>"
        length = "" if self.transport == "ws" else f"Content-Length: {len(body)}\r\n"
        self.way.send((
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{self.transport.upper()} {self.host};"
            f"branch=z9hG4bK{self.number}x{self.branches};rport\r\nMax-Forwards: 70\r\n"
            f"From: <sip:{self.user}@atlanta.example>;tag={self.number}\r\nTo: {to}\r\n"
            f"Call-ID: {call or f'ws-{self.number}-{self.branches}'}\r\nCSeq: {cseq} {method}\r\n"
            f"{rows}{length}\r\n").encode() + body)

    def read(self, what):
        """The next message that begins with |what|; others, 100s and what is sent again, are
        skipped."""
        while True:
            message = self.way.read()
            if message.startswith(what.encode()):
                return message

    def final(self):
        while True:
            message = self.way.read()
            if status_of(message) >= 200:
                return message

    def register(self):
        self.send("REGISTER", "sip:atlanta.example",
                  f"Contact: <{self.contact}>\r\nExpires: 600\r\n")
        return status_of(self.final())

    def respond(self, request, status, rows=""):
        copied = b"".join(row + b"\r\n" for row in request.split(b"\r\n\r\n")[0].split(b"\r\n")
                          if row.split(b":")[0].lower() in
                          (b"via", b"from", b"call-id", b"cseq", b"record-route"))
        to = header(request, "To")
        if "tag=" not in to:
            to += f";tag=callee{self.number}"
        self.way.send(f"SIP/2.0 {status} Answer\r\n".encode() + copied +
                      f"To: {to}\r\n{rows}Content-Length: 0\r\n\r\n".encode())

    def close(self):
        self.way.socket.close()


def routes(message, name="Record-Route"):
    found = []
    for row in message.decode(errors="replace").split("\r\n"):
        if row.lower().startswith(name.lower() + ":"):
            found += [value.strip() for value in row.split(":", 1)[1].split(",")]
    return found


def route_row(values):
    return "".join(f"Route: {value}\r\n" for value in values)


class Server(Ahoyd):
    def __init__(self, workers=1, more=""):
        self.ports = {}
        lines = []
        for family, host in ((4, "127.0.0.1"), (6, "[::1]")):
            kind = socket.AF_INET if family == 4 else socket.AF_INET6
            sip = self.ports[family, "sip"] = free_port(kind)
            ws = self.ports[family, "ws"] = free_port(kind)
            lines += [f'listen "udp:{host}:{sip}"', f'listen "tcp:{host}:{sip}"',
                      f'listen("ws:{host}:{ws}"{more})']
        super().__init__(BUILD, "\n".join(lines) + f"""
            domain("atlanta.example", {{ auth = "none" }})
            store "memory:" workers({workers})""")


class Handshake(unittest.TestCase):
    def test_the_key_is_proved_and_sip_is_spoken(self):
        with Server() as server:
            for family in (4, 6):
                client = WebSocket(family, server.ports[family, "ws"])
                accept = base64.b64encode(hashlib.sha1(client.key + GUID).digest()).decode()
                self.assertTrue(client.answer.startswith(b"HTTP/1.1 101 "))
                self.assertEqual(header(client.answer, "Sec-WebSocket-Accept"), accept)
                self.assertEqual(header(client.answer, "Sec-WebSocket-Protocol"), "sip")
                client.socket.close()

    def test_other_origins_are_kept_out(self):
        with Server(more=', { origins = { "https://phone.example", "https://b.example:8443" } }') \
                as server:
            port = server.ports[4, "ws"]
            for origin, status in (("https://phone.example", 101), ("https://evil.example", 403),
                                   ("https://b.example:8443", 101), (None, 101), ("null", 403)):
                client = WebSocket(4, port, origin)
                self.assertEqual(int(client.answer[9:12]), status, origin)
                client.socket.close()

    def test_what_is_no_websocket(self):
        with Server() as server:
            for request, status in ((b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"426"),
                                    (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
                                    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000 + b"\r\n", b"431"),
                                    (b"REGISTER sip:a SIP/2.0\r\n\r\n", b"400")):
                stream = Stream(4, server.ports[4, "ws"])
                stream.socket.sendall(request)
                self.assertEqual(stream.take(12), b"HTTP/1.1 " + status)
                stream.take_until(b"\r\n\r\n")
                with self.assertRaises(Closed):
                    stream.take(1)
                stream.socket.close()


class Frames(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.__exit__)

    def open(self):
        client = WebSocket(4, self.server.ports[4, "ws"])
        self.addCleanup(client.socket.close)
        return client

    def test_ping_and_close(self):
        client = self.open()
        client.socket.sendall(client.frame(b"still there?", PING))
        self.assertEqual(client.read_frame(), (PONG, b"still there?"))
        client.send(b"\r\n\r\n")
        self.assertEqual(client.read(), b"\r\n")
        client.socket.sendall(client.frame(struct.pack("!H", 1001) + b"leaving", CLOSE))
        self.assertEqual(client.closed_with(), 1001)

    def test_a_server_that_ends_says_so(self):
        clients = [self.open() for _ in range(5)]
        self.server.stop()
        self.assertEqual([client.closed_with() for client in clients], 5 * [1001])

    def test_what_breaks_the_rules(self):
        sound = self.open()
        for frame, code in ((sound.frame(b"x", mask=False), 1002),
                            (sound.frame(b"x", 3), 1002),
                            (sound.frame(b"x", 0), 1002),
                            (sound.frame(b"x", PING, last=False), 1002),
                            (sound.frame(b"x" * 126, PING), 1002),
                            (b"\xc1" + sound.frame(b"x")[1:], 1002),
                            (b"\x81\xff" + b"\xff" * 12, 1002),
                            (b"\x81\xff" + struct.pack("!Q", 2 ** 63 - 1) + b"maskx", 1009),
                            (sound.frame(b"x" * 65537), 1009),
                            (sound.frame(b"\xff\xfe"), 1007),
                            (b"".join(sound.frame(b"x" * 30000, TEXT if i == 0 else 0, i == 2)
                                      for i in range(3)), 1009)):
            client = self.open()
            client.socket.sendall(frame)
            self.assertEqual(client.closed_with(), code, frame[:20])
        self.assertEqual(Phone(self.server, "ws", 4, "alice").register(), 200)

    def test_byte_by_byte(self):
        phone = Phone(self.server, "ws", 4, "alice")
        message = (f"OPTIONS sip:atlanta.example SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;"
                   f"branch=z9hG4bKb\r\nMax-Forwards: 70\r\nFrom: <sip:a@atlanta.example>;tag=b\r\n"
                   f"To: <sip:atlanta.example>\r\nCall-ID: bytes\r\nCSeq: 1 OPTIONS\r\n\r\n")
        way = phone.way
        for part in (way.frame(message[:50].encode(), TEXT, False), way.frame(b"mid", PING),
                     way.frame(message[50:].encode(), 0)):
            for byte in part:
                way.socket.sendall(bytes([byte]))
                time.sleep(0.0005)
        self.assertEqual(way.read_frame(), (PONG, b"mid"))
        self.assertEqual(status_of(way.read()), 200)
        phone.close()


def forge(route):
    """A Route value whose token, the user of its URI, has another last letter."""
    place = route.find("@") - 1
    if place < 0:
        return route
    return route[:place] + ("0" if route[place] != "0" else "1") + route[place + 1:]


class Calls(unittest.TestCase):
    def setUp(self):
        self.server = Server(workers=4)
        self.addCleanup(self.server.__exit__)

    def phone(self, transport, family, user):
        phone = Phone(self.server, transport, family, user)
        self.addCleanup(phone.close)
        return phone

    def call(self, caller, callee, hang_up):
        call = f"call-{caller.number}-{callee.number}"
        to = f"<sip:{callee.user}@atlanta.example>"
        caller.send("INVITE", f"sip:{callee.user}@atlanta.example",
                    f"Contact: <{caller.contact}>\r\n", to, call)
        invite = callee.read("INVITE")
        self.assertEqual(invite.split(b" ")[1].decode(), callee.contact)
        self.assertIn(f"Via: SIP/2.0/{callee.transport.upper()} ".encode(), invite)
        callee.respond(invite, 180)
        callee.respond(invite, 200, f"Contact: <{callee.contact}>\r\n")
        caller.read("SIP/2.0 180")
        answer = caller.final()
        self.assertEqual(status_of(answer), 200)
        caller.send("ACK", callee.contact, route_row(reversed(routes(answer))),
                    header(answer, "To"), call)
        callee.read("ACK")
        if hang_up == "caller":
            caller.send("BYE", callee.contact, route_row(reversed(routes(answer))),
                        header(answer, "To"), call, 2)
            callee.respond(callee.read("BYE"), 200)
            self.assertEqual(status_of(caller.final()), 200)
            return
        if hang_up == "forger":
            self.send_bye(caller, callee, invite, answer, call, [forge(value)
                                                                 for value in routes(invite)])
            self.assertEqual(status_of(callee.final()), 403)
        self.send_bye(caller, callee, invite, answer, call, routes(invite))
        bye = caller.read("BYE")
        self.assertEqual(routes(bye, "Route"), [])
        caller.respond(bye, 200)
        self.assertEqual(status_of(callee.final()), 200)

    @staticmethod
    def send_bye(caller, callee, invite, answer, call, way):
        """The callee does."""
        callee.branches += 1
        callee.way.send((
            f"BYE {caller.contact} SIP/2.0\r\nVia: SIP/2.0/{callee.transport.upper()} {callee.host}"
            f";branch=z9hG4bK{callee.number}x{callee.branches};rport\r\nMax-Forwards: 70\r\n"
            f"From: {header(answer, 'To')}\r\nTo: {header(invite, 'From')}\r\nCall-ID: {call}\r\n"
            f"CSeq: {callee.branches} BYE\r\n{route_row(way)}Content-Length: 0\r\n\r\n").encode())

    def test_every_transport_with_every_other(self):
        number = 0
        for family, other in ((4, 4), (6, 6), (4, 6), (6, 4)):
            for one, two in (("ws", "ws"), ("ws", "udp"), ("udp", "ws"), ("ws", "tcp"),
                             ("tcp", "ws")):
                with self.subTest(one=one, two=two, family=family, other=other):
                    number += 1
                    caller = self.phone(one, family, f"caller{number}")
                    callee = self.phone(two, other, f"callee{number}")
                    self.assertEqual(caller.register(), 200)
                    self.assertEqual(callee.register(), 200)
                    self.call(caller, callee, "caller")
                    self.call(caller, callee, "callee")

    def test_a_caller_who_never_registered(self):
        for number, transport in enumerate(("ws", "udp", "tcp")):
            caller = self.phone("ws", 4, f"stranger{number}")
            callee = self.phone(transport, 4, f"known{number}")
            callee.register()
            self.call(caller, callee, "callee")

    def test_a_forged_way_leads_nowhere(self):
        caller, callee = self.phone("ws", 4, "stranger"), self.phone("udp", 4, "known")
        callee.register()
        self.call(caller, callee, "forger")

    def test_a_closed_websocket_is_no_way(self):
        caller, callee = self.phone("udp", 4, "alice"), self.phone("ws", 4, "bob")
        self.server.ctl("user", "add", "bob@atlanta.example", input="secret\n")
        callee.register()
        callee.close()
        deadline = time.monotonic() + PATIENCE
        status = 0
        while status not in (430, 480) and time.monotonic() < deadline:
            caller.send("MESSAGE", "sip:bob@atlanta.example", "", "<sip:bob@atlanta.example>")
            status = status_of(caller.final())
        self.assertIn(status, (430, 480))

    def test_cancel(self):
        caller, callee = self.phone("ws", 4, "alice"), self.phone("ws", 6, "bob")
        callee.register()
        to = "<sip:bob@atlanta.example>"
        caller.send("INVITE", "sip:bob@atlanta.example", f"Contact: <{caller.contact}>\r\n", to,
                    "cancelled")
        invite = callee.read("INVITE")
        callee.respond(invite, 180)
        caller.read("SIP/2.0 180")
        caller.branches -= 1
        caller.send("CANCEL", "sip:bob@atlanta.example", "", to, "cancelled")
        cancel = callee.read("CANCEL")
        callee.respond(cancel, 200)
        callee.respond(invite, 487)
        answers = {(status_of(answer), header(answer, "CSeq"))
                   for answer in (caller.final(), caller.final())}
        self.assertEqual(answers, {(200, "1 CANCEL"), (487, "1 INVITE")})
        callee.read("ACK")

    def test_messages_of_every_size(self):
        one, two = self.phone("ws", 4, "alice"), self.phone("ws", 4, "bob")
        two.register()
        for body in (b"", b"x", "Grüße, 你好".encode(), bytes(range(256)), b"y" * 20000,
                     b"z" * 60000):
            one.send("MESSAGE", "sip:bob@atlanta.example",
                     f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n",
                     "<sip:bob@atlanta.example>", body=b"") if not body else \
                one.way.socket.sendall(one.way.frame(self.message(one, body), BINARY))
            got = two.read("MESSAGE")
            self.assertEqual(got.split(b"\r\n\r\n", 1)[1], body)
            two.respond(got, 200)
            self.assertEqual(status_of(one.final()), 200)

    @staticmethod
    def message(phone, body):
        phone.branches += 1
        return (f"MESSAGE sip:bob@atlanta.example SIP/2.0\r\nVia: SIP/2.0/WS {phone.host};"
                f"branch=z9hG4bKm{phone.branches}\r\nMax-Forwards: 70\r\n"
                f"From: <sip:alice@atlanta.example>;tag=m\r\nTo: <sip:bob@atlanta.example>\r\n"
                f"Call-ID: m{phone.branches}\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\n\r\n"
                ).encode() + body

    def test_many_at_once(self):
        failures = []

        def talk(number):
            try:
                caller = Phone(self.server, "ws", 4, f"c{number}")
                callee = Phone(self.server, "ws", 4, f"d{number}")
                if callee.register() != 200:
                    raise AssertionError("not registered")
                for _ in range(5):
                    self.call(caller, callee, "callee")
                    caller.number += 1000
                caller.close()
                callee.close()
            except Exception as failure:  # A thread's failure is the test's.
                failures.append(failure)

        threads = [threading.Thread(target=talk, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
