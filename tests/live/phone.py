"""A SIP phone of a few lines, on whichever transport."""
import re
import time

from channels import Tcp, Udp, WebSocket
from peer import PATIENCE, header, status_of

TRANSPORTS = {"udp": Udp, "tcp": Tcp, "tls": Tcp, "mtls": Tcp, "ws": WebSocket, "wss": WebSocket}
NAMES = {"mtls": "tls"}  # Where SIP calls it otherwise.


class Phone:
    """It names the address of its socket in Contact, or |contact|; over a WebSocket, like a
    browser, a name that is none (RFC 7118 5.3.1)."""

    count = 0

    def __init__(self, user, port, transport="tcp", family=4, context=None, contact=None):
        Phone.count += 1
        secure = {} if context is None else {"context": context}
        self.way = TRANSPORTS[transport](family, port, **secure)
        self.connection = self.way.socket
        self.user, self.number, self.branch = user, Phone.count, 0
        name = NAMES.get(transport, transport)
        host, own_port = self.connection.getsockname()[:2]
        self.host = f"{host}:{own_port}" if family == 4 else f"[{host}]:{own_port}"
        if name.startswith("ws"):
            self.host = f"phone{self.number}.invalid"
        if contact is not None:
            self.host = contact.split(";")[0]
        parameter = "ws" if name == "wss" else name
        self.via = f"SIP/2.0/{name.upper()} {self.host}"
        self.contact = f"sip:{user}@{contact or f'{self.host};transport={parameter}'}"

    def send(self, method, uri, call, rows=(), to_tag="", cseq=1, contact="", again=False):
        """|call|: its id, and the user that it goes to.  |again|: with the branch of the last
        one."""
        self.branch += not again
        to = f"<sip:{call['to']}@atlanta.example>" + (f";tag={to_tag}" if to_tag else "")
        head = [f"{method} {uri} SIP/2.0",
                f"Via: {self.via};branch=z9hG4bK{self.number}x{self.branch};rport",
                f"From: <sip:{self.user}@atlanta.example>;tag={self.user}", f"To: {to}",
                f"Call-ID: {call['id']}", f"CSeq: {cseq} {method}", "Max-Forwards: 70",
                contact or f"Contact: <{self.contact}>", *rows]
        self.way.send(("\r\n".join(head) + "\r\nContent-Length: 0\r\n\r\n").encode())

    def answer(self, request, status, body=""):
        """Answers a request from the other side; |body| is a session description."""
        rows = [row for row in request.decode().split("\r\n")
                if re.match(r"(Via|From|Call-ID|CSeq|Record-Route):", row)]
        to = header(request, "To")
        to += "" if ";tag=" in to else f";tag={self.user}"
        rows += ["Content-Type: application/sdp"] if body else []
        self.way.send(("\r\n".join(
            [f"SIP/2.0 {status} Fine", *rows, f"To: {to}", f"Contact: <{self.contact}>",
             f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body).encode())

    def read(self, what, patience=PATIENCE):
        """The next message that is |what|: a status, or a method; provisional ones pass."""
        deadline = time.monotonic() + patience
        while True:
            self.connection.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                message = self.way.read()
            except TimeoutError:
                raise AssertionError(f"{self.user} waited for {what} in vain") from None
            if status_of(message) == what or message.startswith(f"{what} ".encode()):
                return message
            if not 100 <= status_of(message) < 200:
                raise AssertionError(f"{self.user} got, instead of {what}:\n{message.decode()}")

    def is_quiet(self, seconds=0.3):
        self.connection.settimeout(seconds)
        try:
            self.way.read()
            return False
        except TimeoutError:
            return True

    def register(self, rows=(), contact=""):
        self.send("REGISTER", "sip:atlanta.example",
                  {"id": f"register-{self.number}-{self.branch}", "to": self.user}, rows,
                  contact=contact)
        return self.read(200)

    def close(self):
        self.connection.close()


def target_of(answer):
    """The URI of its Contact."""
    return re.search(r"<(.*)>", header(answer, "Contact")).group(1)


def route_rows(message, reverse=True):
    """The route set of the caller, from an answer; of the callee, in the order of the request."""
    routes = re.findall(r"\r\nRecord-Route: ([^\r]*)", message.decode())
    return [f"Route: {route}" for route in (reversed(routes) if reverse else routes)]
