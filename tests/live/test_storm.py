#!/usr/bin/env python3
"""A storm of registrations, as after a restart: thousands of phones register in one moment, by UDP,
TCP or TLS, while calls go on.  Each phone comes to be registered, no call fails, and what a call
takes to be set up is printed, beside what it takes in peace.  Handshakes keep the server from
reading, so it is told not to refuse what has waited a while for that; test_overload.py sees to it.

test_storm.py BUILD
"""
import errno
import multiprocessing
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, header, need, status_of

BUILD = sys.argv[1]
OPENSSL = need("openssl")
FOLDER = tempfile.TemporaryDirectory(prefix="ahoy-storm-")
PHONES = {"udp": 10000, "tcp": 3000, "tls": 1000}
SOCKETS = 200  # Of UDP; each is that many phones' NAT.
AT_ONCE = 250  # Handshakes that one process has under way.
T1_S, GIVE_UP_S = 0.5, 32


def request(method, number, transport, host, rows, uri="sip:atlanta.example", cseq=1):
    return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport.upper()} {host};rport;"
            f"branch=z9hG4bK{number}{method}{cseq}\r\nMax-Forwards: 70\r\n{rows}"
            f"Call-ID: {number}\r\nCSeq: {cseq} {method}\r\n"
            "Content-Length: 0\r\n\r\n").encode()


def register(number, transport, host, cseq=1):
    user = f"<sip:phone{number}@atlanta.example>"
    return request("REGISTER", f"storm-{number}", transport, host,
                   f"From: {user};tag=s{number}\r\nTo: {user}\r\n"
                   f"Contact: <sip:phone{number}@{host};transport={transport}>\r\n", cseq=cseq)


class UdpPhone:
    """Sends again as RFC 3261 17.1.2.2 says, so what a full socket drops comes back; and comes
    again when a 503 says so (20.33)."""

    def __init__(self, number, by):
        self.number, self.by, self.cseq = number, by, 0
        self.host = "%s:%d" % by.getsockname()
        self.ask()

    def ask(self):
        self.cseq += 1
        self.request = register(self.number, "udp", self.host, self.cseq)
        self.due, self.wait = time.monotonic() + T1_S, T1_S
        self.by.send(self.request)

    def answered(self, answer):
        """Whether it is registered; what else may come is that it must come again."""
        if b"CSeq: %d " % self.cseq not in answer or status_of(answer) != 503:
            return status_of(answer) == 200
        self.due, self.wait = time.monotonic() + int(header(answer, "Retry-After")), 0
        return False

    def send_again(self, now):
        """Whether it was due."""
        if now < self.due:
            return False
        if self.wait == 0:
            self.ask()
            return False
        self.wait = min(2 * self.wait, 4)
        self.due = now + self.wait
        self.by.send(self.request)
        return True


def storm_udp(port, count, report):
    sockets = []
    for _ in range(SOCKETS):
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].bind(("127.0.0.2", 0))  # Never where the server listens: it forbids that.
        sockets[-1].connect(("127.0.0.1", port))
    resent, begin = 0, time.monotonic()
    waiting = {b"storm-%d" % number: UdpPhone(number, sockets[number % SOCKETS])
               for number in range(count)}
    while waiting and time.monotonic() < begin + 2 * GIVE_UP_S:
        for ready in select.select(sockets, [], [], 0.01)[0]:
            answer = ready.recv(65536)
            call = header(answer, "Call-ID").encode()
            if call in waiting and waiting[call].answered(answer):
                del waiting[call]
        now = time.monotonic()
        resent += sum(phone.send_again(now) for phone in waiting.values())
    report.put((count - len(waiting), resent, time.monotonic() - begin))
    for by in sockets:
        by.close()


class Connection:
    """One phone's: step() goes on when its socket is ready, True once it is registered."""

    def __init__(self, number, transport, port, context):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # Each phone has an address of its own.
        self.socket.bind((f"127.{1 + number // 60000}.{number // 250 % 240}.{1 + number % 250}", 0))
        if self.socket.connect_ex(("127.0.0.1", port)) not in (0, errno.EINPROGRESS):
            raise SystemExit("no connection can be opened")
        self.number, self.transport, self.context = number, transport, context
        self.shaken = self.sent = False

    def begin(self):
        if self.transport == "tls" and not isinstance(self.socket, ssl.SSLSocket):
            self.socket = self.context.wrap_socket(self.socket, do_handshake_on_connect=False)
        if self.transport == "tls" and not self.shaken:
            self.socket.do_handshake()
            self.shaken = True
        host = "%s:%d" % self.socket.getsockname()
        self.socket.sendall(register(self.number, self.transport, host))
        self.sent = True

    def step(self):
        try:
            if not self.sent:
                self.begin()
                return False
            return status_of(self.socket.recv(65536)) == 200
        except (ssl.SSLWantReadError, BlockingIOError):
            return False

    def wants(self):
        """What to wait for: to be connected, or to be answered."""
        connecting = not self.sent and not isinstance(self.socket, ssl.SSLSocket)
        return select.POLLOUT if connecting else select.POLLIN


def storm_streams(transport, port, count, report):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    poll, open_ones, kept, done, next_one = select.poll(), {}, [], 0, 0
    begin = time.monotonic()
    while done < count and time.monotonic() < begin + 2 * GIVE_UP_S:
        while next_one < count and len(open_ones) < AT_ONCE:
            phone = Connection(next_one, transport, port, context)
            next_one += 1
            open_ones[phone.socket.fileno()] = phone
            poll.register(phone.socket.fileno(), phone.wants())
        for ready, _ in poll.poll(100):
            phone = open_ones[ready]
            if phone.step():
                poll.unregister(ready)
                kept.append(open_ones.pop(ready))
                done += 1
            else:
                poll.modify(ready, phone.wants())
    report.put((done, 0, time.monotonic() - begin))
    for phone in [*kept, *open_ones.values()]:
        phone.socket.close()


class Caller:
    """Calls to a trunk, one after the other; their set-up times."""

    def __init__(self, port, callee):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.host = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.callee = callee
        self.number, self.failed, self.resent, self.times = 0, 0, 0, []

    def answer(self):
        """The callee answers all that has come."""
        while select.select([self.callee], [], [], 0)[0]:
            message, source = self.callee.recvfrom(65536)
            if message.startswith(b"ACK"):
                continue
            rows = b"".join(row + b"\r\n" for row in message.split(b"\r\n")
                            if row.startswith((b"Via:", b"From:", b"Call-ID:", b"CSeq:",
                                               b"Record-Route:")))
            to = [row for row in message.split(b"\r\n") if row.startswith(b"To:")][0]
            to += b"" if b";tag=" in to else b";tag=callee"
            self.callee.sendto(b"SIP/2.0 200 OK\r\n" + rows + to + b"\r\nContact: <sip:callee@"
                               b"127.0.0.1:%d>\r\nContent-Length: 0\r\n\r\n" %
                               self.callee.getsockname()[1], source)

    def ask(self, message):
        """The final status of a request, which is sent again like the phones'."""
        begin, wait = time.monotonic(), T1_S
        sent = begin
        self.socket.send(message)
        cseq = message.partition(b"CSeq: ")[2].partition(b"\r\n")[0]
        call = message.partition(b"Call-ID: ")[2].partition(b"\r\n")[0]
        while time.monotonic() < begin + GIVE_UP_S:
            ready = select.select([self.socket, self.callee], [], [], 0.05)[0]
            self.answer()
            if self.socket in ready:
                answer = self.socket.recv(65536)
                if status_of(answer) >= 200 and cseq in answer and call in answer:
                    return answer
            if time.monotonic() >= sent + wait:
                sent, wait = time.monotonic(), 2 * wait
                self.socket.send(message)
                self.resent += 1
        return b""

    def call(self):
        self.number += 1
        number = f"call-{self.host}-{self.number}"
        ends = f"From: <sip:caller@atlanta.example>;tag=c\r\nTo: <sip:x@far.example>"
        contact = f"Contact: <sip:caller@{self.host}>\r\n"
        begin = time.monotonic()
        answer = self.ask(request("INVITE", number, "udp", self.host, f"{ends}\r\n{contact}",
                                  "sip:x@far.example"))
        if status_of(answer) != 200:
            self.failed += 1
            return
        self.times.append((time.monotonic() - begin) * 1000)
        routes = "".join(f"Route:{row[13:].decode()}\r\n" for row in answer.split(b"\r\n")
                         if row.startswith(b"Record-Route:"))
        uri = f"sip:callee@127.0.0.1:{self.callee.getsockname()[1]}"
        self.socket.send(request("ACK", number, "udp", self.host, f"{ends};tag=callee\r\n{routes}",
                                 uri))
        bye = self.ask(request("BYE", number, "udp", self.host, f"{ends};tag=callee\r\n{routes}",
                               uri, cseq=2))
        self.failed += status_of(bye) != 200

    def figures(self):
        times = sorted(self.times)
        return (f"{len(times)} calls, {self.failed} failed, {self.resent} requests sent again, "
                f"set up in {times[len(times) // 2]:.1f} ms (median), "
                f"{times[len(times) * 99 // 100]:.1f} ms (99 %), {times[-1]:.1f} ms (longest)")


class Storms(unittest.TestCase):
    def weather(self, transport):
        """Calls in peace, then while the storm lasts."""
        port, tls = free_port(), free_port()
        callee = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(callee.close)
        callee.bind(("127.0.0.1", 0))
        folder = os.path.join(FOLDER.name, "")
        server = Ahoyd(BUILD, f"""listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
listen("tls:127.0.0.1:{tls}", {{ certificate = "{folder}server.pem", key = "{folder}server.key" }})
domain("atlanta.example", {{ auth = "none" }})
store "sqlite:ahoy.db"
workers(2)
overload {{ target = 2000 }}
trunk("callee", {{ "sip:127.0.0.1:{callee.getsockname()[1]}" }})
route {{ domain = "far.example", to = "callee", from = "anyone" }}
""")
        self.addCleanup(server.__exit__)
        peace = Caller(port, callee)
        for _ in range(100):
            peace.call()
        report = multiprocessing.Queue()
        if transport == "udp":
            process = multiprocessing.Process(target=storm_udp,
                                              args=(port, PHONES[transport], report))
        else:
            process = multiprocessing.Process(
                target=storm_streams,
                args=(transport, tls if transport == "tls" else port, PHONES[transport], report))
        process.start()
        storm = Caller(port, callee)
        while process.is_alive() and report.empty():
            storm.call()
        registered, resent, seconds = report.get(timeout=PATIENCE)
        process.join()
        for caller in (peace, storm):
            caller.socket.close()
        print(f"{transport}: {registered} of {PHONES[transport]} phones registered in "
              f"{seconds:.1f} s, {resent} requests sent again\n"
              f"  in peace:     {peace.figures()}\n  in the storm: {storm.figures()}", flush=True)
        refused = re.search(r"(?m)^refused +(\d+)$", server.ctl("counters").stdout)
        print(f"  {refused.group(1)} requests refused", flush=True)
        self.assertEqual(registered, PHONES[transport])
        self.assertEqual((peace.failed, storm.failed), (0, 0))

    def test_udp(self):
        self.weather("udp")

    def test_tcp(self):
        self.weather("tcp")

    def test_tls(self):
        self.weather("tls")


def setUpModule():
    subprocess.run([OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=storm",
                    "-keyout", "server.key", "-out", "server.pem"],
                   check=True, capture_output=True, cwd=FOLDER.name)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[2:])
