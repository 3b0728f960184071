#!/usr/bin/env python3
"""TLS as peers meet it: certificates, identities, calls, and certificates that change
while calls go on.  Attacks 44, 45, 47 and 48.

test_tls.py BUILD
"""
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import unittest

from certificates import SERVER_NAMES, Certificates
from peer import PATIENCE, Ahoyd, free_port, header, status_of

BUILD = sys.argv[1]
HOSTS = {4: "127.0.0.1", 6: "::1"}
CERTIFICATES = Certificates()
path, client_context = CERTIFICATES.path, CERTIFICATES.context


class Client:
    """A SIP client on one connection, or on UDP."""

    count = 0

    def __init__(self, transport, port, family=4, context=None, name="atlanta.example"):
        Client.count += 1
        self.number = Client.count
        self.transport = transport
        self.branch = 0
        self.left = b""
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.socket = socket.socket(kind, socket.SOCK_DGRAM if transport == "udp"
                                    else socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((HOSTS[family], port))
        if transport == "tls":
            self.socket = (context or client_context()).wrap_socket(self.socket,
                                                                    server_hostname=name)
        host, own_port = self.socket.getsockname()[:2]
        self.host = f"{host}:{own_port}" if family == 4 else f"[{host}]:{own_port}"

    def close(self):
        self.socket.close()

    def contact(self, user, scheme="sip"):
        return f"<{scheme}:{user}@{self.host};transport={self.transport}>"

    def send(self, method, uri, user="alice", to="bob", more="", cseq=1, call=None, tag=""):
        self.branch += 1
        self.socket.sendall((
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{self.transport.upper()} {self.host};rport;"
            f"branch=z9hG4bK{self.number}x{self.branch}\r\n"
            f"From: <sip:{user}@atlanta.example>;tag={self.number}\r\n"
            f"To: <sip:{to}@atlanta.example>{tag}\r\nCall-ID: {call or f'tls-{self.number}'}\r\n"
            f"CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{more}Content-Length: 0\r\n\r\n"
        ).encode())

    def read(self):
        """The next message, none of which has a body here."""
        while b"\r\n\r\n" not in self.left:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.left += more
        message, _, self.left = self.left.partition(b"\r\n\r\n")
        return message + b"\r\n\r\n"

    def final(self):
        while True:
            message = self.read()
            if status_of(message) >= 200:
                return message

    def ask(self, *arguments, **settings):
        self.send(*arguments, **settings)
        return status_of(self.final())

    def register(self, user, scheme="sip", uri="sip:atlanta.example"):
        return self.ask("REGISTER", uri, user=user, to=user,
                        more=f"Contact: {self.contact(user, scheme)}\r\n")

    def answer(self, request, status, more=""):
        rows = [row for row in request.decode().split("\r\n")
                if re.match(r"(Via|From|Call-ID|CSeq|Record-Route):", row)]
        to = header(request, "To")
        to += "" if ";tag=" in to else f";tag=b{self.number}"
        self.socket.sendall("\r\n".join([f"SIP/2.0 {status} Yes", *rows, f"To: {to}",
                                         f"{more}Content-Length: 0", "", ""]).encode())


class Case(unittest.TestCase):
    def serve(self, more="", listen="", domain='auth = "none"'):
        self.port = free_port()
        self.tls = free_port()
        pair = f'certificate = "{path("server.pem")}", key = "{path("server.key")}"'
        lines = [f'listen "{transport}:{host}:{self.port}"' for transport in ("udp", "tcp")
                 for host in ("127.0.0.1", "[::1]")]
        lines += [f'listen("tls:{host}:{self.tls}", {{ {pair} {listen} }})'
                  for host in ("127.0.0.1", "[::1]")]
        server = Ahoyd(BUILD, "\n".join(lines) + f"""
domain("atlanta.example", {{ {domain} }})
tls {{ authorities = "{path("ca.pem")}", {pair} }}
store "memory:"
observe {{ memory = 1 }} -- Full soon: what grows then is none of it.
workers(2)
{more}
""")
        self.addCleanup(server.__exit__)
        return server

    def client(self, transport="tls", family=4, **settings):
        client = Client(transport, self.tls if transport == "tls" else self.port, family,
                        **settings)
        self.addCleanup(client.close)
        return client

    def is_serving(self):
        client = self.client()
        status = client.ask("OPTIONS", "sip:atlanta.example")
        client.close()
        return status == 200

    def ends(self, connection, seconds):
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            if select.select([connection], [], [], 0.2)[0]:
                try:
                    if not connection.recv(65536):
                        return time.monotonic() - begin
                except ConnectionError:
                    return time.monotonic() - begin
        return None


class Handshakes(Case):
    def test_a_domain_has_its_certificate(self):
        self.serve(f"""domain("biloxi.example", {{ certificate = "{path("biloxi.pem")}",
    key = "{path("biloxi.key")}" }})""")
        for name, shown in [("atlanta.example", "atlanta.example"),
                            ("biloxi.example", "biloxi.example")]:
            client = self.client(name=name)
            self.assertIn(("DNS", shown), client.socket.getpeercert()["subjectAltName"])
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.client(name="chicago.example")

    def test_sessions_are_resumed(self):
        """Wherever the next connection lands: the workers share the keys of tickets."""
        server = self.serve()
        context, session, resumed = client_context(), None, []
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", self.tls))
            connection = context.wrap_socket(connection, server_hostname="atlanta.example",
                                             session=session)
            connection.sendall(b"\r\n\r\n")
            self.assertEqual(connection.recv(16), b"\r\n")  # The ticket has come before it.
            session = connection.session
            resumed.append(connection.session_reused)
            connection.close()
        self.assertEqual(resumed, [False] + 19 * [True])
        self.assertRegex(server.ctl("counters").stdout, r"(?m)^resumed +19$")

    # R5922-7.5-1
    def test_mutual(self):
        self.serve(listen=f', verify = "required", authorities = "{path("ca.pem")}"')
        known = self.client(context=client_context("biloxi"))
        self.assertEqual(known.ask("OPTIONS", "sip:atlanta.example"), 200)
        for certificate in (None, "stranger"):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                client = self.client(context=client_context(certificate))
                client.ask("OPTIONS", "sip:atlanta.example")

    # R5922-7.1-5, R5922-7.4-1
    def test_a_certificate_is_a_user(self):
        """Whichever worker has the connection, and whichever the call; attack 47."""
        server = self.serve('domain("biloxi.example", { auth = "none", insecure = true })',
                            f', verify = "optional", authorities = "{path("ca.pem")}"',
                            "user_certificates = true")
        for user in ("alice", "bob"):
            server.ctl("user", "add", f"{user}@atlanta.example", input="secret\n")
        alice = "URI:sip:alice@atlanta.example"
        for name, names, expected in [
                ("alice", alice, (200, 403)),
                ("both", f"URI:sip:bob@atlanta.example,{alice}", (200, 200)),
                ("bob", "URI:sip:bob@atlanta.example", (403, 200)),
                ("host", "DNS:atlanta.example,DNS:alice.atlanta.example", (401, 401)),
                ("far", "URI:sip:alice@biloxi.example", (401, 401)),
                ("any", "URI:sip:*@atlanta.example", (401, 401)),
                ("sip:alice@atlanta.example", None, (401, 401)), (None, None, (401, 401))]:
            if name:
                CERTIFICATES.make(name, names)
            for _ in range(4):
                client = self.client(context=client_context(name))
                for user, status in zip(("alice", "bob"), expected):
                    with self.subTest(certificate=name, user=user):
                        self.assertEqual(client.ask(
                            "REGISTER", "sip:atlanta.example", user=user, to=user,
                            call=os.urandom(8).hex(),
                            more=f"Contact: {client.contact(user)}\r\n"), status)
                client.close()
        CERTIFICATES.make("late", alice, days="-1")
        CERTIFICATES.make("forged", alice, authority="other")
        for name in ("late", "forged"):
            with self.subTest(certificate=name), \
                    self.assertRaises((ssl.SSLError, ConnectionError)):
                self.client(context=client_context(name)).register("alice")

    def test_a_certified_call(self):
        server = self.serve(listen=f', verify = "optional", authorities = "{path("ca.pem")}"',
                            domain="user_certificates = true")
        phones = []
        for user in ("alice", "bob"):
            server.ctl("user", "add", f"{user}@atlanta.example", input="secret\n")
            CERTIFICATES.make(user, f"URI:sip:{user}@atlanta.example")
            phones.append(self.client(context=client_context(user)))
            self.assertEqual(phones[-1].register(user), 200)
        alice, bob = phones
        alice.send("INVITE", "sip:bob@atlanta.example", call="certified",
                   more=f"Contact: {alice.contact('alice')}\r\n")
        invite = bob.read()
        self.assertTrue(invite.startswith(b"INVITE "), invite)
        self.assertEqual(header(invite, "P-Asserted-Identity"), "<sip:alice@atlanta.example>")
        bob.answer(invite, 200, f"Contact: {bob.contact('bob')}\r\n")
        self.assertEqual(status_of(alice.final()), 200)
        alice.send("MESSAGE", "sip:bob@atlanta.example", user="bob", call="as-another")
        self.assertEqual(status_of(alice.final()), 403)

    def half_a_record(self):
        """A connection on which a sound message has come, and then half of another's record."""
        connection = socket.create_connection(("127.0.0.1", self.tls))
        self.addCleanup(connection.close)
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        end = client_context().wrap_bio(received, sent, server_hostname="atlanta.example")

        def until_done(step):
            while True:
                try:
                    done = step()
                    connection.sendall(sent.read())
                    return done
                except ssl.SSLWantReadError:
                    connection.sendall(sent.read())
                    received.write(connection.recv(65536))
        until_done(end.do_handshake)
        message = (b"OPTIONS sip:atlanta.example SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bKh\r\n"
                   b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: half\r\nCSeq: 1 OPTIONS\r\n"
                   b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
        until_done(lambda: end.write(message))
        self.assertEqual(status_of(until_done(lambda: end.read(4096))), 200)
        end.write(message)
        connection.sendall(sent.read()[:5])
        return connection

    def test_slow_ones_are_closed(self):
        server = self.serve()
        half = self.half_a_record()
        silent, slow = (socket.create_connection(("127.0.0.1", self.tls)) for _ in range(2))
        self.addCleanup(silent.close)
        self.addCleanup(slow.close)
        begin = time.monotonic()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)
        closed = None
        for byte in hello:
            slow.sendall(bytes([byte]))
            if self.ends(slow, 0.5) is not None:
                closed = time.monotonic() - begin
                break
        self.assertIsNotNone(closed, "a handshake of a byte a second went on")
        self.assertLess(closed, 13)
        self.assertIsNotNone(self.ends(silent, 5))
        self.assertIsNotNone(self.ends(half, 5), "half a record was waited for")
        self.assertIn("records_timed_out            1\n", server.ctl("counters").stdout)
        self.assertTrue(self.is_serving())

    def test_aborted_ones_do_no_harm(self):
        server = self.serve()
        hello = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            client_context().wrap_bio(*hello, server_hostname="atlanta.example").do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = hello[1].read()
        for number in range(200):
            connection = socket.create_connection(("127.0.0.1", self.tls))
            connection.sendall(hello[:number * 3] if number % 2 else hello)
            if number % 6 == 0:
                connection.recv(1 + number)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        self.assertTrue(self.is_serving())
        self.assertTrue(server.alive())


class Calls(Case):
    def call(self, alice, bob):
        user = f"bob{bob.number}"
        self.assertEqual(bob.register(user), 200)
        call = f"call-{alice.number}-{bob.number}"
        alice.send("INVITE", f"sip:{user}@atlanta.example", to=user, call=call,
                   more=f"Contact: {alice.contact('alice')}\r\n")
        invite = bob.read()
        self.assertTrue(invite.startswith(b"INVITE sip:bob"), invite)
        bob.answer(invite, 200, f"Contact: {bob.contact(user)}\r\n")
        answer = alice.final()
        self.assertEqual(status_of(answer), 200, answer)
        routes = re.findall(rb"Record-Route: ([^\r]*)", answer)
        more = "".join(f"Route: {route.decode()}\r\n" for route in reversed(routes))
        uri = header(answer, "Contact").strip("<>")
        tag = ";tag=" + header(answer, "To").partition(";tag=")[2]
        alice.send("ACK", uri, to=user, call=call, more=more, tag=tag)
        self.assertTrue(bob.read().startswith(b"ACK "))
        alice.send("BYE", uri, to=user, call=call, more=more, tag=tag, cseq=2)
        bye = bob.read()
        self.assertTrue(bye.startswith(b"BYE "), bye)
        bob.answer(bye, 200)
        self.assertEqual(status_of(alice.final()), 200)

    def test_between_transports(self):
        self.serve()
        ways = [("tls", 4), ("tls", 6), ("udp", 4), ("tcp", 6)]
        for caller in ways:
            for callee in ways:
                if "tls" in (caller[0], callee[0]):
                    with self.subTest(caller=caller, callee=callee):
                        self.call(self.client(*caller), self.client(*callee))

    # R5630-5.2-1, R5630-5.3-1 to -7
    def test_sips_is_never_downgraded(self):
        server = self.serve()
        server.ctl("user", "add", "bob@atlanta.example", input="secret\n")
        alice, bob, carol = (self.client() for _ in range(3))
        # R5627-10.1-1, R5630-5.2-3: a sips contact wants a sips registration.
        self.assertEqual(carol.register("carol", "sips"), 400)
        self.assertEqual(carol.register("carol", "sips", "sips:atlanta.example"), 200)
        self.assertEqual(bob.register("bob"), 200)
        contact = f"Contact: {alice.contact('alice', 'sips')}\r\n"
        # R5630-5.3-4: and she is told why.
        alice.send("INVITE", "sips:bob@atlanta.example", more=contact)
        refusal = alice.final()
        self.assertEqual(status_of(refusal), 480)
        self.assertEqual(header(refusal, "Warning"), '380 atlanta.example "SIPS Not Allowed"')
        alice.send("MESSAGE", "sips:carol@atlanta.example", to="carol", call="sips-1")
        self.assertTrue(carol.read().startswith(b"MESSAGE sips:carol@"))
        # R5630-5.3-6: a sip request stays one, though it goes by TLS.
        alice.send("MESSAGE", "sip:carol@atlanta.example", to="carol", call="sips-2")
        self.assertTrue(carol.read().startswith(b"MESSAGE sip:carol@"))
        # R5630-5.3-8: Bob is there, but nobody who answers a sips request makes one of sip of it.
        for number, (status, more) in enumerate((
                (302, "Contact: <sip:bob@atlanta.example>\r\n"), (416, ""),
                (480, 'Warning: 380 carol.example "SIPS Not Allowed"\r\n'))):
            alice.send("MESSAGE", "sips:carol@atlanta.example", to="carol", call=f"sips-3-{number}")
            request = carol.read()
            self.assertTrue(request.startswith(b"MESSAGE sips:carol@"))
            carol.answer(request, status, more)
            self.assertEqual(status_of(alice.final()), status)
        plain = self.client("tcp")
        self.assertEqual(plain.ask("MESSAGE", "sips:carol@atlanta.example", to="carol"), 403)

    # R5630-5.4-2
    def test_a_redirection_is_not_less_safe(self):
        server = self.serve(domain='auth = "none", mode = "redirect"')
        server.ctl("user", "add", "bob@atlanta.example", input="secret\n")
        alice, bob = self.client(), self.client()
        self.assertEqual(bob.register("bob"), 200)
        self.assertEqual(alice.ask("INVITE", "sip:bob@atlanta.example"), 302)
        alice.send("INVITE", "sips:bob@atlanta.example", cseq=2,
                   more=f"Contact: {alice.contact('alice', 'sips')}\r\n")
        refusal = alice.final()
        self.assertEqual(status_of(refusal), 480)
        self.assertEqual(header(refusal, "Warning"), '380 atlanta.example "SIPS Not Allowed"')

    def trunk(self, certificate, hangs_up=False):
        """A peer that listens by TLS; what it shook hands for and received."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path(f"{certificate}.pem"), path(f"{certificate}.key"))
        seen = {"names": [], "bytes": b"", "refused": 0, "resumed": 0}
        context.sni_callback = lambda _, name, __: seen["names"].append(name)
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def accept():
            while True:
                try:
                    connection = context.wrap_socket(listener.accept()[0], server_side=True)
                    seen["resumed"] += connection.session_reused
                    seen["bytes"] += connection.recv(65536)
                    if hangs_up:
                        connection.close()
                except ssl.SSLError:
                    seen["refused"] += 1
                except OSError:
                    return
        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1], seen

    def test_the_session_of_a_trunk_is_resumed(self):
        port, seen = self.trunk("biloxi", hangs_up=True)
        self.serve(f"""
trunk("t", {{ "sip:biloxi.example:{port};maddr=127.0.0.1;transport=tls" }})
route {{ domain = "far.example", to = "t", from = "anyone" }}""")
        for count in range(1, 4):
            self.assertEqual(self.client("udp").ask("OPTIONS", "sip:x@far.example"), 500)
            self.assertEqual(seen["bytes"].count(b"OPTIONS sip:x@far.example"), count)
        self.assertEqual(seen["resumed"], 2)

    # R5922-7.5-2
    def test_the_identity_of_a_trunk(self):
        for certificate, name, works in [
                ("biloxi", "biloxi.example", True), ("biloxi", "BILOXI.example", True),
                ("biloxi", "atlanta.example", False), ("biloxi", "sub.biloxi.example", False),
                ("wild", "foo.chicago.example", False), ("stranger", "biloxi.example", False),
                ("biloxi", "127.0.0.1", False), ("server", "127.0.0.1", True)]:
            with self.subTest(certificate=certificate, name=name):
                port, seen = self.trunk(certificate)
                server = self.serve(f"""
trunk("t", {{ "sip:{name}:{port};maddr=127.0.0.1;transport=tls" }})
route {{ domain = "far.example", to = "t", from = "anyone" }}""")
                alice = self.client("udp")
                alice.send("OPTIONS", "sip:x@far.example")
                if works:
                    deadline = time.monotonic() + PATIENCE
                    while not seen["bytes"] and time.monotonic() < deadline:
                        time.sleep(0.01)
                    self.assertIn(b"OPTIONS sip:x@far.example", seen["bytes"])
                    if name != "127.0.0.1":
                        self.assertEqual(seen["names"], [name.lower()])
                else:
                    self.assertEqual(status_of(alice.final()), 500)  # 503 goes no further (16.7).
                    self.assertEqual(seen["bytes"], b"")
                server.stop()


class Phones(Case):
    def phone(self, *arguments, user="alice", server=None, authorities="ca.pem"):
        """An ahoy that runs; standard output and error together."""
        server = server or f"sip:127.0.0.1:{self.tls};transport=tls"
        process = subprocess.Popen(
            [os.path.join(os.path.abspath(BUILD), "bin", "ahoy"), *arguments, "--user",
             f"{user}@atlanta.example", "--server", server, "--authorities", path(authorities)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def end(self, process):
        output = process.communicate(timeout=2 * PATIENCE)[0]
        return process.returncode, output

    def test_register(self):
        self.serve()
        by_name = f"sip:atlanta.example:{self.tls};maddr=127.0.0.1;transport=tls"
        for server, authorities, more, code in [
                (None, "ca.pem", [], 0), (by_name, "ca.pem", [], 0),
                (f"sips:[::1]:{self.tls}", "ca.pem", [], 0), (None, "other.pem", [], 6),
                (by_name.replace("atlanta", "biloxi"), "ca.pem", [], 6),
                (None, "other.pem", ["--insecure"], 0), (None, "absent.pem", [], 2)]:
            with self.subTest(server=server, authorities=authorities, more=more):
                found, output = self.end(self.phone("register", *more, server=server,
                                                    authorities=authorities))
                self.assertEqual(found, code, output)
                self.assertEqual("--insecure:" in output, more != [])

    def test_call(self):
        """Neither phone can be connected to; the callee hangs up one call, the caller the other."""
        self.serve()
        for caller_for in ("1", "30"):
            bob = self.phone("answer", "--once", "--ring", "0", "--json", user="bob")
            while '"registered"' not in bob.stdout.readline():
                self.assertIsNone(bob.poll())
            alice = self.phone("call", "sip:bob@atlanta.example", "--for", caller_for, "--json")
            if caller_for == "30":
                while '"answered"' not in bob.stdout.readline():
                    self.assertIsNone(bob.poll())
                bob.send_signal(signal.SIGINT)
            code, output = self.end(alice)
            self.assertEqual(code, 0, output)
            self.assertIn('"answered"', output)
            self.assertIn('"ended"', output)
            self.assertEqual(self.end(bob)[0], 0)


class Reread(Case):
    def test_a_hundred_times_under_load(self):
        """Connections that talk all the time, and others that stand by; none is lost."""
        server = self.serve()
        idle = [self.client(family=4 if number % 2 else 6) for number in range(60)]
        for client in idle:  # A stranger would have to go after 10 s.
            self.assertEqual(client.register(f"idle{client.number}"), 200)
        stop = threading.Event()
        served, lost = [0] * 4, []

        def load(index):
            client = Client("tls", self.tls, 4 if index % 2 else 6)
            try:
                while not stop.is_set():
                    if client.ask("OPTIONS", "sip:atlanta.example", cseq=client.branch + 1) != 200:
                        lost.append("status")
                    served[index] += 1
            except OSError as error:
                lost.append(error)
            client.close()
        threads = [threading.Thread(target=load, args=[index]) for index in range(4)]
        for thread in threads:
            thread.start()
        before = 0
        for number in range(100):
            if number % 10 == 0:  # Another certificate each time, both files in turn.
                CERTIFICATES.make("changing", SERVER_NAMES)
                for ending in ("pem", "key"):
                    os.replace(path(f"changing.{ending}"), path(f"server.{ending}"))
            count = server.log().count("read anew\n")
            server.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + PATIENCE
            while server.log().count("read anew\n") == count and time.monotonic() < deadline:
                time.sleep(0.005)
            self.assertTrue(self.is_serving())
            if number == 19:
                before = server.rss_kb()
        after = server.rss_kb()
        stop.set()
        for thread in threads:
            thread.join()
        for client in idle:
            self.assertEqual(client.ask("OPTIONS", "sip:atlanta.example", cseq=2), 200)
        print(f"certificates reread 100 times: {len(idle) + 4} connections, {sum(served)} requests "
              f"on 4 of them meanwhile, {len(lost)} lost; memory after 20 times {before} KB, after "
              f"100 {after} KB", flush=True)
        self.assertEqual(lost, [])
        self.assertGreater(min(served), 100)
        self.assertEqual(server.log().count("have been read anew\n"), 100)
        self.assertLess(after - before, 2048, "memory grows with each reading")


def setUpModule():
    CERTIFICATES.authority("ca")
    CERTIFICATES.authority("other")
    CERTIFICATES.make("server", SERVER_NAMES)
    CERTIFICATES.make("biloxi", "DNS:biloxi.example")
    CERTIFICATES.make("wild", "DNS:*.chicago.example")
    CERTIFICATES.make("stranger", "DNS:biloxi.example", "other")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
