#!/usr/bin/env python3
"""JsSIP in headless Chromium, over WS and WSS, on IPv4 and IPv6: two browsers register with digest,
exchange MESSAGE, call each other and hear each other, and one gives up while it rings.

test_browser.py BUILD
"""
import base64
import functools
import hashlib
import http.server
import itertools
import pathlib
import socket
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))

from certificates import SERVER_NAMES, Certificates  # Behind the path to it.
from devtools import Chromium, Page
from peer import PATIENCE, Ahoyd, free_port, need

HOSTS = {4: "127.0.0.1", 6: "[::1]"}
TEXT = "Grüße, 你好\r\nand a second line"


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing: the test says what fails."""


def serve_pages():
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Files, directory=HERE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/phone.html"


def key_hash(certificates):
    """By which Chromium knows the one certificate that it must believe."""
    key = subprocess.run([certificates.openssl_path, "x509", "-in", certificates.path("server.pem"),
                          "-noout", "-pubkey"], check=True, capture_output=True).stdout
    body = b"".join(key.splitlines()[1:-1])
    return base64.b64encode(hashlib.sha256(base64.b64decode(body)).digest()).decode()


def open_server(build, certificates, ports):
    lines = [f'listen("{transport}:{HOSTS[family]}:{port}"'
             + (f", {{ {certificates.pair()} }})" if transport == "wss" else ")")
             for (transport, family), port in ports.items()]
    server = Ahoyd(build, "\n".join(lines) + '\ndomain "atlanta.example"\nstore "memory:"\n')
    for user in ("alice", "bob"):
        server.ctl("user", "add", f"{user}@atlanta.example", input=f"{user}'s secret\n")
    return server


def play(alice, bob, urls):
    """All that two browsers do with each other."""
    for page, user, url in zip((alice, bob), ("alice", "bob"), urls):
        page.do("register", url, user, f"{user}'s secret")
    for page, peer, other in ((alice, "bob", bob), (bob, "alice", alice)):
        page.do("say", f"sip:{peer}@atlanta.example", TEXT)
        assert other.evaluate("phone.messages") == [TEXT], other.evaluate("phone.messages")
    bob.evaluate("phone.answers = true")
    alice.do("call", "sip:bob@atlanta.example")
    for page in (alice, bob):
        page.wait("phone.heard().then(packets => packets > 5)")
    bob.do("hangUp")
    alice.evaluate("phone.over")
    bob.evaluate("phone.answers = false")
    alice.do("ring", "sip:bob@atlanta.example")
    alice.evaluate("phone.session.terminate()")
    ended = bob.evaluate("phone.over.catch(fault => fault.message)")
    assert ended == "failed: Canceled", ended
    for page in (alice, bob):
        page.do("leave")


def main():
    chromium = need("chromium")
    certificates = Certificates()
    certificates.authority("ca")
    certificates.make("server", SERVER_NAMES)
    ports = {(transport, family): free_port(socket.AF_INET if family == 4 else socket.AF_INET6)
             for transport in ("ws", "wss") for family in HOSTS}
    url, failed = serve_pages(), 0
    ways = list(itertools.product(ports, repeat=2))
    believed = f"--ignore-certificate-errors-spki-list={key_hash(certificates)}"
    with open_server(sys.argv[1], certificates, ports) as server, \
            Chromium(chromium, PATIENCE, believed) as browser:
        for way in ways:
            name = " > ".join(f"{transport} {family}" for transport, family in way)
            pages = [Page(browser, url) for _ in way]
            try:
                play(*pages, [f"{transport}://{HOSTS[family]}:{ports[transport, family]}/"
                              for transport, family in way])
                print(f"{name}: register, message, call, cancel", flush=True)
            except AssertionError as fault:
                failed += 1
                print(f"{name}: FAILED: {fault}\n{server.log()}", flush=True)
            for page in pages:
                page.close()
    print(f"browser: {len(ways) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
