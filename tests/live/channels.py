"""The ways of a SIP client to a server: UDP, TCP and WebSocket, the latter two by TLS as well.
Each sends a message and reads the next."""
import base64
import os
import socket
import struct

from peer import PATIENCE, header

HOSTS = {4: "127.0.0.1", 6: "::1"}
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Closed(Exception):
    """The server has ended the WebSocket; the code that it said, or None."""

    def __init__(self, code):
        super().__init__(f"closed with {code}")
        self.code = code


class Stream:
    """Bytes from a socket, through TLS where there is a context for it."""

    def __init__(self, family, port, context=None):
        # Bound first: connections to two servers may else have the same port, and phones of one
        # user the same Contact.
        self.socket = socket.create_connection((HOSTS[family], port), PATIENCE, (HOSTS[family], 0))
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname=HOSTS[family])
        self.left = b""

    def fill(self):
        more = self.socket.recv(65536)
        if not more:
            raise Closed(None)
        self.left += more

    def take(self, size):
        while len(self.left) < size:
            self.fill()
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def take_until(self, end):
        while end not in self.left:
            self.fill()
        taken, _, self.left = self.left.partition(end)
        return taken + end


class WebSocket(Stream):
    """The client's side of RFC 6455."""

    def __init__(self, family, port, origin=None, path="/any", context=None):
        super().__init__(family, port, context)
        self.key = base64.b64encode(os.urandom(16))
        rows = f"Origin: {origin}\r\n" if origin else ""
        self.socket.sendall((
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: {self.key.decode()}\r\n{rows}"
            "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.answer = self.take_until(b"\r\n\r\n")

    def frame(self, payload, opcode=TEXT, last=True, mask=True):
        size = len(payload)
        head = bytes([(0x80 if last else 0) | opcode])
        bit = 0x80 if mask else 0
        if size < 126:
            head += bytes([bit | size])
        elif size < 65536:
            head += struct.pack("!BH", bit | 126, size)
        else:
            head += struct.pack("!BQ", bit | 127, size)
        if mask:
            key = os.urandom(4)
            stream = key * (size // 4 + 1)
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(stream[:size], "big")
                       ).to_bytes(size, "big")
            head += key
        return head + payload

    def read_frame(self):
        first, second = self.take(2)
        assert first & 0x70 == 0 and second & 0x80 == 0, "a server's frame"
        size = second
        if size == 126:
            size = struct.unpack("!H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self.take(8))[0]
        assert first & 0x80, "a whole frame"
        return first & 15, self.take(size)

    def send(self, message):
        self.socket.sendall(self.frame(message))

    def read(self):
        opcode, payload = self.read_frame()
        if opcode == CLOSE:
            raise Closed(struct.unpack("!H", payload[:2])[0] if payload else None)
        assert opcode in (TEXT, BINARY), opcode
        return payload

    def closed_with(self):
        """The code of the server's close, behind which nothing comes."""
        try:
            while True:
                self.read()
        except Closed as closed:
            try:
                assert self.socket.recv(1) == b""
            except ConnectionResetError:
                pass
            return closed.code


class Tcp(Stream):
    def send(self, message):
        self.socket.sendall(message)

    def read(self):
        head = self.take_until(b"\r\n\r\n")
        return head + self.take(int(header(head, "Content-Length")))


class Udp:
    def __init__(self, family, port):
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.socket = socket.socket(kind, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect((HOSTS[family], port))

    def send(self, message):
        self.socket.sendall(message)

    def read(self):
        return self.socket.recv(65536)
