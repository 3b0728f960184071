#!/usr/bin/env python3
"""Phones of ours and SIPp on loopback, over UDP: what others do with a call beyond putting it."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from peer import Ahoyd, free_port, need

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.argv[1]).resolve() / "bin"
PATIENCE = 60  # Seconds for what must happen: long past any machine's bad day.
REGISTRAR = 'listen "udp:127.0.0.1:{}"\ndomain "atlanta.example"\nstore "memory:"\n'


def sipp(folder, scenario, port, *more):
    return subprocess.Popen([need("sipp"), "-sf", HERE / "sipp" / scenario, "-i", "127.0.0.1",
                             "-p", str(port), "-m", "1", "-nostdin", "-timeout", str(PATIENCE),
                             "-timeout_error", "-trace_err", "-error_file", "sipp.err", *more],
                            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.STDOUT)


def wait_until_open(port):
    """Until a UDP socket has the port: the kernel refuses what comes before."""
    deadline = time.monotonic() + PATIENCE
    while f":{port:04X} " not in pathlib.Path("/proc/net/udp").read_text():
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
    return subprocess.Popen([BIN / "ahoy", *arguments, "--json"], cwd=folder, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def answer(scenario, wanted):
    """SIPp calls bob."""
    port = free_port()
    with Ahoyd(BIN.parent, REGISTRAR.format(port)) as server:
        server.ctl("user", "add", "bob@atlanta.example", input="secret\n")
        (server.path / "bob").write_text("secret\n")
        bob = phone(server.path, "answer", "--user", "bob@atlanta.example", "--password-file",
                    "bob", "--server", f"sip:127.0.0.1:{port}", "--once", "--ring", "1")
        news = [json.loads(bob.stdout.readline())]
        assert news[0]["news"] == "registered", news
        shown = server.ctl("registrations").stdout
        where = re.search(r"sip:bob@(127\.0\.0\.1:\d+)", shown).group(1)
        peer = sipp(server.path, scenario, free_port(), "-s", "bob", where)
        expect(server.path, peer, bob, news, wanted)


def called():
    """A caller that requires 100rel, then holds by UPDATE, and resumes by re-INVITE."""
    answer("uac_changes.xml", [("incoming", None), ("answered", "sendrecv"),
                               ("changed", "recvonly"), ("changed", "sendrecv"), ("ended", None)])


def timed():
    """A caller with a session timer (RFC 4028): too short, then granted, then refreshed."""
    answer("uac_timer.xml", [("incoming", None), ("answered", "sendrecv"), ("ended", None)])


def calling():
    """A callee with early media, which it changes by UPDATE, and then by re-INVITE."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="ahoy-sipp-") as name:
        folder = pathlib.Path(name)
        (folder / "alice").write_text("secret\n")
        peer = sipp(folder, "uas_changes.xml", port)
        wait_until_open(port)
        alice = phone(folder, "call", "--user", "alice@atlanta.example", "--password-file", "alice",
                      "--server", f"sip:127.0.0.1:{port}", "sip:bob@atlanta.example", "--for", "1")
        expect(folder, peer, alice, [],
               [("early-media", "sendrecv"), ("early-media", "recvonly"),
                ("answered", "recvonly"), ("changed", "sendrecv"), ("ended", None)])


def main():
    need("sipp")
    for play in (called, timed, calling):
        play()
        print(f"ok {play.__name__}")


main()
