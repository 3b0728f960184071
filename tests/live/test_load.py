#!/usr/bin/env python3
"""`ahoy load`: very many calls and registrations, counted: to SIPp, to ourselves by every
transport, through the server with passwords, to who refuses them, and to who says nothing."""
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from certificates import Certificates
from peer import PATIENCE, Ahoyd, free_port, until

BUILD = pathlib.Path(sys.argv[1]).resolve()
AHOY = BUILD / "bin" / "ahoy"


def load(*words, folder="/"):
    return subprocess.Popen([AHOY, "load", *words, "--json"], cwd=folder, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def end(process, code=0):
    """What a load tells in the end, when it ends by |code|."""
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, (process.returncode, out)
    return json.loads(out)


def free_ports():
    """The first of four in a row: an answerer takes those of TLS, WS and WSS beside its own."""
    while True:
        port = free_port()
        with socket.socket() as tls, socket.socket() as ws, socket.socket() as wss:
            try:
                for distance, tcp in enumerate((tls, ws, wss), 1):
                    tcp.bind(("127.0.0.1", port + distance))
                return port
            except OSError:
                continue


def wait_until_open(port):
    until(lambda: f":{port:04X} " in pathlib.Path("/proc/net/udp").read_text(), "it listens")


def expect(told, **wanted):
    got = {name: told[name] for name in wanted}
    assert got == wanted, told


def to_sipp():
    """500 calls to SIPp's answerer, none of which is lost."""
    if shutil.which("sipp") is None:
        print("no sipp: the calls to it are left out")
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ahoy-load-") as folder, \
            subprocess.Popen(["sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", str(port), "-nostdin"],
                             cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL) as sipp:
        try:
            wait_until_open(port)
            told = end(load("call", f"sip:service@127.0.0.1:{port}", "--user", "load@127.0.0.1",
                            "--rate", "100-600", "--ramp", "1", "--calls", "500"))
        finally:
            sipp.kill()
    expect(told, begun=500, answered=500, completed=500, refused=0, broken=0, not_sent=0)
    assert told["answer_ms"]["count"] == 500 and told["bye_ms"]["count"] == 500, told
    assert told["answer_ms"]["p50"] <= told["answer_ms"]["p99"] <= told["answer_ms"]["max"], told


def to_ourselves():
    """Who answers counts what who calls counts; no more than five at once."""
    port = free_ports()
    answering = load("answer", "--user", "service@127.0.0.1", "--listen", f"127.0.0.1:{port}",
                     "--ring", "0")
    wait_until_open(port)
    told = end(load("call", f"sip:service@127.0.0.1:{port};transport=tcp", "--user",
                    "load@127.0.0.1", "--rate", "200", "--calls", "200", "--at-once", "5"))
    expect(told, begun=200, completed=200)
    assert told["most_at_once"] <= 5, told
    answering.send_signal(signal.SIGINT)
    expect(end(answering), begun=200, answered=200, completed=200)


def by_tls_and_websocket():
    """The same by TLS, WS and WSS; but who does not trust the certificate calls nobody
    (R7118-9.1-1)."""
    made = Certificates()
    made.authority("ca")
    made.make("server", "DNS:atlanta.example,IP:127.0.0.1")
    port = free_ports()
    answering = load("answer", "--user", "service@127.0.0.1", "--listen", f"127.0.0.1:{port}",
                     "--ring", "0", "--certificate", made.path("server.pem"), "--key",
                     made.path("server.key"))
    wait_until_open(port)
    ways = ((1, "tls"), (2, "ws"), (3, "wss"))
    for distance, transport in ways:
        callee = f"sip:service@127.0.0.1:{port + distance};transport={transport}"
        common = ["call", callee, "--user", "load@127.0.0.1", "--rate", "200"]
        told = end(load(*common, "--calls", "100", "--authorities", made.path("ca.pem")))
        expect(told, begun=100, answered=100, completed=100, not_sent=0)
        if transport != "ws":
            expect(end(load(*common, "--calls", "3"), 6), answered=0, refused=3)
    answering.send_signal(signal.SIGINT)
    calls = 100 * len(ways)
    expect(end(answering), begun=calls, answered=calls, completed=calls)


def through_the_server():
    """Registered users are called by others, who register meanwhile: all with digest."""
    for transport in ("udp", "ws"):
        through_a_server(transport)


def through_a_server(transport):
    port = free_port()
    config = f'listen "{transport}:127.0.0.1:{port}"\ndomain "atlanta.example"\nstore "memory:"\n'
    with Ahoyd(BUILD, config) as server:
        for number in range(10):
            for name in ("alice", "bob"):
                server.ctl("user", "add", f"{name}{number:02}@atlanta.example", input="secret\n")
        (server.path / "secret").write_text("secret\n")
        common = ["--users", "10", "--password-file", "secret", "--server",
                  f"sip:127.0.0.1:{port};transport={transport}"]
        answering = load("answer", "--user", "bob##@atlanta.example", "--register-rate", "100",
                         "--ring", "0", *common, folder=server.path)
        until(lambda: len(re.findall("sip:bob", server.ctl("registrations").stdout)) >= 10,
              "all are registered")
        told = end(load("call", "sip:bob##@atlanta.example", "--user", "alice##@atlanta.example",
                        "--rate", "100", "--calls", "200", "--register-rate", "50", *common,
                        folder=server.path))
        expect(told, begun=200, completed=200, refused=0, unregistered=0)
        assert told["registered"] >= 10, told
        told = end(load("register", "--user", "alice##@atlanta.example", "--rate", "100",
                        "--registers", "30", *common, folder=server.path))
        expect(told, registered=30, unregistered=0)
        (server.path / "secret").write_text("wrong\n")
        told = end(load("register", "--user", "alice##@atlanta.example", *common,
                        "--rate", "100", folder=server.path), 7)
        expect(told, registered=0, unregistered=10)
        answering.send_signal(signal.SIGINT)
        told = end(answering)
        expect(told, begun=200, completed=200, registered=10)
        assert "sip:bob" not in server.ctl("registrations").stdout, "they have not unregistered"


def refuse_all(peer):
    """Refuses what comes; says more than was asked, too."""
    while True:
        try:
            request, where = peer.recvfrom(65535)
        except OSError:
            return
        if request.startswith(b"INVITE"):
            rows = [row for row in request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
                    if re.match(rb"(Via|From|To|Call-ID|CSeq):", row)]
            rows = [row + b";tag=x" if row.startswith(b"To:") else row for row in rows]
            rest = b"\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
            answer = b"SIP/2.0 503 Busy\r\n" + b"\r\n".join(rows) + rest
            peer.sendto(answer, where)
            peer.sendto(answer.replace(b"branch=z9hG4bK", b"branch=z9hG4bKother"), where)
            peer.sendto(answer.replace(b"503 Busy", b"200 OK").replace(b"tag=x", b"tag=y"), where)


def to_who_refuses():
    """A 503 is counted, and its Retry-After not heeded: a load does not spare who is loaded."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=refuse_all, args=(peer,), daemon=True)
        thread.start()
        told = end(load("call", f"sip:x@127.0.0.1:{peer.getsockname()[1]}", "--user",
                        "load@127.0.0.1", "--rate", "500", "--calls", "100"), 6)
    expect(told, begun=100, refused=100, answered=0, statuses={"503": 100})


def to_who_says_nothing():
    """^C ends a load that nobody answers, in a few seconds, and it is told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        process = load("call", f"sip:x@127.0.0.1:{peer.getsockname()[1]}", "--user",
                       "load@127.0.0.1", "--rate", "50")
        peer.recv(65535)
        process.send_signal(signal.SIGINT)
        told = end(process)
    assert told["begun"] == told["interrupted"] > 0, told


def misused():
    for words in (["call", "sip:x@127.0.0.1", "--rate", "0"],
                  ["call", "sip:x@127.0.0.1", "--rate", "5-"],
                  ["call", "sip:x@127.0.0.1", "--rate", "1000000"],
                  ["call", "sip:x@127.0.0.1", "--users", "11"],
                  ["call", "sip:x@127.0.0.1", "--at-once", "0"],
                  ["register", "--rate", "-1"], ["answer", "--certificate", "x"],
                  ["call"], ["answer", "x"], ["dance"]):
        done = subprocess.run([AHOY, "load", *words, "--user", "load#@127.0.0.1"], text=True,
                              capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 2 and done.stderr != "", (words, done)


def main():
    for play in (misused, to_sipp, to_ourselves, by_tls_and_websocket, through_the_server,
                 to_who_refuses, to_who_says_nothing):
        play()
        print(f"ok {play.__name__}", flush=True)


main()
