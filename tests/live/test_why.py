#!/usr/bin/env python3
"""A running server tells why: `ahoyctl calls`, `explain` with its capture, `trace`; and `metrics`,
by HTTP too, read by a parser of Prometheus's format.

test_why.py BUILD
"""
import json
import pathlib
import re
import select
import socket
import struct
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

from peer import PATIENCE, Ahoyd, free_port

BUILD = pathlib.Path(sys.argv[1]).resolve()
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
SUFFIXES = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def config(port, http):
    return f"""
listen "udp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
trunk("costly", {{ "sip:127.0.0.1:9" }})
route {{ domain = "costly.example", to = "costly", from = "users" }}
store "memory:"
workers(2)
observe {{ memory = 1, http = "127.0.0.1:{http}" }}
"""


def read_labels(text):
    labels = {}
    at = 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found and found[1] not in labels, text
        labels[found[1]] = found[2]
        at = found.end()
    return labels


def read_metrics(text):
    """{(name, labels): value}; fails where it is not what Prometheus reads: a TYPE before each
    family, families in one piece, no series twice, buckets that grow up to their count."""
    assert text.endswith("\n")
    types, samples, done, family = {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# "):
            word, name, rest = line[2:].split(" ", 2)
            assert word in ("HELP", "TYPE") and re.fullmatch(NAME, name), line
            if name != family:
                done.add(family)
                assert name not in done, f"{name} stands in two places"
                family = name
            if word == "TYPE":
                assert name not in types and rest in SUFFIXES, line
                types[name] = rest
            continue
        found = SAMPLE.fullmatch(line)
        assert found, line
        assert found[1] in [family + suffix for suffix in SUFFIXES[types[family]]], line
        labels = read_labels(found[2] or "")
        key = (found[1], tuple(sorted(labels.items())))
        assert key not in samples, line
        samples[key] = float(found[3])
    check_buckets(samples)
    return samples


def check_buckets(samples):
    before = {}
    for (name, labels), value in samples.items():
        if name.endswith("_bucket"):
            rest = tuple(pair for pair in labels if pair[0] != "le")
            bound, least = before.get((name, rest), (-1, 0))
            assert float(dict(labels)["le"]) > bound and value >= least
            before[name, rest] = float(dict(labels)["le"]), value
    for (name, rest), (bound, value) in before.items():
        assert bound == float("inf")
        assert samples[name.replace("_bucket", "_count"), rest] == value


def read_capture(data):
    """[(source, destination, payload)] of a capture with raw IP packets."""
    magic, major, minor, _, _, _, link = struct.unpack("<IHHiIII", data[:24])
    assert (magic, major, minor, link) == (0xA1B2C3D4, 2, 4, 101)
    packets, at = [], 24
    while at < len(data):
        _, _, size, whole = struct.unpack("<IIII", data[at:at + 16])
        packet = data[at + 16:at + 16 + size]
        at += 16 + size
        assert size == whole == len(packet) == struct.unpack(">H", packet[2:4])[0]
        assert packet[0] == 0x45 and packet[9] == 17 and add_up(packet[:20]) == 0xFFFF
        from_port, to_port, length = struct.unpack(">HHH", packet[20:26])
        assert length == size - 20
        assert add_up(packet[12:20] + struct.pack(">HH", 17, length) + packet[20:]) == 0xFFFF
        packets.append(((socket.inet_ntoa(packet[12:16]), from_port),
                        (socket.inet_ntoa(packet[16:20]), to_port), packet[28:]))
    return packets


def add_up(data):
    """RFC 1071: 0xFFFF where a checksum among the words is right."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Why(unittest.TestCase):
    def setUp(self):
        self.port, self.http = free_port(), free_port()
        self.server = Ahoyd(BUILD, config(self.port, self.http))
        self.addCleanup(self.server.__exit__)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(PATIENCE)

    def call(self, uri, call_id, below=""):
        """|below|: further rows of Via, of those who have forwarded it."""
        host, port = self.socket.getsockname()
        message = (f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call_id}"
                   f"\r\n{below}Max-Forwards: 70\r\n"
                   f"From: <sip:m@far.example>;tag=1\r\nTo: <{uri}>\r\n"
                   f"Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:m@{host}:{port}>\r\n"
                   "Content-Length: 0\r\n\r\n")
        self.socket.sendto(message.encode(), ("127.0.0.1", self.port))
        return self.socket.recv(65536)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=20) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    def run_ctl(self, *arguments):
        answer = self.server.ctl(*arguments)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return answer.stdout

    def test_calls_are_listed_and_explained(self):
        for i in range(6):  # Of both workers.
            self.assertIn(b" 403 ", self.call("sip:900@costly.example", f"fraud-{i}"))
        self.call("sip:nobody@atlanta.example", "unknown")
        calls = json.loads(self.run_ctl("--json", "calls"))
        self.assertEqual(len(calls), 7)
        self.assertIn("unknown", self.run_ctl("calls", "nobody@"))
        self.assertNotIn("fraud", self.run_ctl("calls", "nobody@"))
        for i in range(6):
            lines = self.run_ctl("explain", f"fraud-{i}").splitlines()
            self.assertIn("403 Forbidden: the caller may not use the trunk", lines[0])
            self.assertIn("costly", lines[0])
            self.assertEqual(sum("INVITE" in line for line in lines), 1)
        missing = self.server.ctl("explain", "no-such-call")
        self.assertEqual(missing.returncode, 1)

    def test_a_proxy_is_not_the_caller(self):
        self.call("sip:nobody@atlanta.example", "direct")
        self.call("sip:nobody@atlanta.example", "brought",
                  "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbelow\r\n")
        for call_id, is_forwarded in (("direct", False), ("brought", True)):
            notes = json.loads(self.run_ctl("--json", "explain", call_id))["notes"]
            self.assertEqual("forwarded" in notes[0], is_forwarded, notes[0])
            self.assertTrue(all("forwarded" not in note for note in notes[1:]))
            heads = self.run_ctl("explain", call_id).splitlines()[2]
            address = "{}:{}".format(*self.socket.getsockname())
            self.assertEqual(address in heads, is_forwarded, heads)

    def test_a_trace_follows_what_comes(self):
        command = [BUILD / "bin" / "ahoyctl", "--socket", "ahoyd.sock", "trace", "followed"]
        with subprocess.Popen(command, cwd=self.server.path, stdout=subprocess.PIPE,
                              text=True) as trace:
            for i in range(10 * PATIENCE):  # It may not have begun yet.
                self.call("sip:900@costly.example", f"other-{i}")
                self.call("sip:900@costly.example", f"followed-{i}")
                if select.select([trace.stdout], [], [], 0.1)[0]:
                    break
            lines = [trace.stdout.readline() for _ in range(4)]
            trace.terminate()
        self.assertIn("INVITE sip:900@costly.example SIP/2.0", lines[0])
        self.assertIn("it comes from a trunk: costly", lines[1])
        self.assertIn("the caller may not use the trunk", lines[2])
        self.assertIn("SIP/2.0 403 Forbidden", lines[3])
        self.assertTrue(all("followed-" in line for line in lines))

    def test_a_capture_has_the_messages(self):
        self.call("sip:nobody@atlanta.example", "captured")
        self.run_ctl("--pcap", "call.pcap", "explain", "captured")
        packets = read_capture((self.server.path / "call.pcap").read_bytes())
        ours, theirs = ("127.0.0.1", self.port), self.socket.getsockname()
        self.assertEqual([packet[:2] for packet in packets], [(theirs, ours), (ours, theirs)])
        self.assertTrue(packets[0][2].startswith(b"INVITE sip:nobody@"))
        self.assertTrue(packets[0][2].endswith(b"\r\n\r\n"))
        self.assertTrue(packets[1][2].startswith(b"SIP/2.0 40"))

    def test_metrics_are_read_by_prometheus(self):
        self.call("sip:900@costly.example", "fraud")
        kind, text = self.get("/metrics")
        self.assertEqual(kind, "text/plain; version=0.0.4")
        for given in [text, self.run_ctl("metrics")]:
            samples = read_metrics(given)
            self.assertEqual(samples["ahoyd_causes_total", (("cause", "forbidden_trunk"),)], 1)
            self.assertEqual(samples["ahoyd_workers", ()], 2)
            names = {dict(labels).get("name") for _, labels in samples}
            self.assertEqual(names, {None, "", "atlanta.example", "costly"})
        for path in ["/health", "/ready"]:
            self.assertEqual(self.get(path)[1], "ok\n")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get("/users")
        self.assertEqual(refused.exception.code, 404)
        refused.exception.close()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
