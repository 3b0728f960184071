#!/usr/bin/env python3
"""Phones of ours and SIPp on loopback, over UDP, TCP and TLS: what others do with a call beyond
putting it.  SIPp, which has no TLS here, is met by TLS behind ahoyd, or behind a relay."""
import atexit
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from certificates import SERVER_NAMES, Certificates
from peer import PATIENCE, Ahoyd, free_port, need
from relay import Relay

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.argv[1]).resolve() / "bin"
REGISTRAR = """listen "udp:127.0.0.1:{0}" listen "tcp:127.0.0.1:{0}"
listen("tls:127.0.0.1:{1}", {{ {2} }})
domain "atlanta.example"
store "memory:"
"""


def sipp(folder, scenario, way, port, *more):
    transport = "u1" if way == "udp" else "t1"
    return subprocess.Popen([need("sipp"), "-sf", HERE / "sipp" / scenario, "-i", "127.0.0.1",
                             "-t", transport,
                             "-p", str(port), "-m", "1", "-nostdin", "-timeout", str(PATIENCE),
                             "-timeout_error", "-trace_err", "-error_file", "sipp.err", *more],
                            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.STDOUT)


def wait_until_open(way, port):
    """Until a socket has the port: the kernel refuses what comes before."""
    deadline = time.monotonic() + PATIENCE
    sockets = pathlib.Path("/proc/net/udp" if way == "udp" else "/proc/net/tcp")
    while f":{port:04X} " not in sockets.read_text():
        assert time.monotonic() < deadline, "SIPp did not start"
        time.sleep(0.01)


def expect(folder, peer, phone, news, wanted):
    """SIPp is content, and the phone has told |wanted| among its news, in this order."""
    code = peer.wait(2 * PATIENCE)
    errors = folder / "sipp.err"
    assert code == 0, errors.read_text() if errors.exists() else f"SIPp ended with {code}"
    told = news + [json.loads(line) for line in phone.stdout]
    phone.wait(PATIENCE)
    got = [(one["news"], one.get("direction")) for one in told]
    rest = iter(got)
    assert all(one in rest for one in wanted), got


def phone(folder, *arguments):
    process = subprocess.Popen([BIN / "ahoy", *arguments, "--json"], cwd=folder, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    atexit.register(process.kill)  # Where the test fails, it would wait for ever.
    return process


def answer(certificates, way, scenario, wanted):
    """SIPp calls bob: his phone itself, or by TLS through his server."""
    port, tls_port = free_port(), free_port()
    with Ahoyd(BIN.parent, REGISTRAR.format(port, tls_port, certificates.pair())) as server:
        server.ctl("user", "add", "bob@atlanta.example", input="secret\n")
        (server.path / "bob").write_text("secret\n")
        bob = phone(server.path, "answer", "--user", "bob@atlanta.example", "--password-file",
                    "bob", "--authorities", certificates.path("ca.pem"), "--once", "--ring", "1",
                    "--server", f"sip:127.0.0.1:{tls_port if way == 'tls' else port};"
                    f"transport={way}")
        news = [json.loads(bob.stdout.readline())]
        assert news[0]["news"] == "registered", news
        shown = server.ctl("registrations").stdout
        where = re.search(r"sip:bob@(127\.0\.0\.1:\d+)", shown).group(1)
        place = where if way != "tls" else "atlanta.example"
        peer = sipp(server.path, scenario, way, free_port(), "-s", "bob", "-key", "place", place,
                    where if way != "tls" else f"127.0.0.1:{port}")
        expect(server.path, peer, bob, news, wanted)


def called(certificates, way):
    """A caller that requires 100rel, then holds by UPDATE, and resumes by re-INVITE."""
    answer(certificates, way, "uac_changes.xml",
           [("incoming", None), ("answered", "sendrecv"), ("changed", "recvonly"),
            ("changed", "sendrecv"), ("ended", None)])


def timed(certificates, way):
    """A caller with a session timer (RFC 4028): too short, then granted, then refreshed."""
    answer(certificates, way, "uac_timer.xml",
           [("incoming", None), ("answered", "sendrecv"), ("ended", None)])


def calling(certificates, way):
    """A callee with early media, which it changes by UPDATE, and then by re-INVITE."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ahoy-sipp-") as name, \
            Relay(port, certificates.server_context()) as relay:
        folder = pathlib.Path(name)
        (folder / "alice").write_text("secret\n")
        door = relay.port if way == "tls" else port
        peer = sipp(folder, "uas_changes.xml", way, port, "-key", "way", way.upper(), "-key",
                    "door", str(door))
        wait_until_open(way, port)
        alice = phone(folder, "call", "--user", "alice@atlanta.example", "--password-file", "alice",
                      "--authorities", certificates.path("ca.pem"), "--server",
                      f"sip:127.0.0.1:{door};transport={way}", "sip:bob@atlanta.example", "--for",
                      "1")
        expect(folder, peer, alice, [],
               [("early-media", "sendrecv"), ("early-media", "recvonly"),
                ("answered", "recvonly"), ("changed", "sendrecv"), ("ended", None)])


def main():
    need("sipp")
    certificates = Certificates()
    certificates.authority("ca")
    certificates.make("server", SERVER_NAMES)
    for way in ("udp", "tcp", "tls"):
        for play in (called, timed, calling):
            play(certificates, way)
            print(f"ok {play.__name__} by {way}")


main()
