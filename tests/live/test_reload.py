#!/usr/bin/env python3
"""The configuration is read again while calls go by: all of it or nothing, and nothing is lost.

test_reload.py BUILD [--reloads N]

With many reloads, and where the build has bench-flood, that adds its calls.
"""
import argparse
import contextlib
import csv
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from certificates import SERVER_NAMES, Certificates
from peer import PATIENCE, Ahoyd, free_port, header, is_sanitized, status_of, until
from phone import Phone, route_rows, target_of

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("--reloads", type=int, default=50)
BUILD, RELOADS = vars(parser.parse_args()).values()
FLOOD = pathlib.Path(BUILD).resolve() / "bench" / "bench-flood"
FLOOD_RATE, FLOOD_PORT = 300, 15080  # Calls a second, and where they go.
CERTIFICATES = Certificates()
DOMAIN = "sip:atlanta.example"


class Call:
    """From |caller| to |callee|, in steps, so that things may happen in between."""

    count = 0

    def __init__(self, caller, callee):
        Call.count += 1
        self.caller, self.callee = caller, callee
        self.call = {"id": f"call-{Call.count}-{random.random()}", "to": callee.user}
        caller.send("INVITE", f"sip:{callee.user}@atlanta.example", self.call)
        self.invite = callee.read("INVITE")
        callee.answer(self.invite, 180)

    def answer(self):
        self.callee.answer(self.invite, 200)
        answer = self.caller.read(200)
        self.rows, self.target = route_rows(answer), target_of(answer)
        self.tag = header(answer, "To").split(";tag=")[1]
        self.caller.send("ACK", self.target, self.call, self.rows, self.tag)
        self.callee.read("ACK")

    def hang_up(self):
        self.caller.send("BYE", self.target, self.call, self.rows, self.tag, cseq=2)
        self.callee.answer(self.callee.read("BYE"), 200)
        self.caller.read(200)


class Load(threading.Thread):
    """Calls one after the other, until something is lost or it is told to end."""

    def __init__(self, caller, callee):
        super().__init__()
        self.caller, self.callee = caller, callee
        self.ends, self.calls, self.lost = threading.Event(), 0, None
        callee.register()
        self.start()

    def run(self):
        try:
            while not self.ends.is_set():
                call = Call(self.caller, self.callee)
                call.answer()
                call.hang_up()
                self.calls += 1
        except (AssertionError, OSError) as lost:
            self.lost = lost

    def end(self):
        self.ends.set()
        self.join()


class Reload(unittest.TestCase):
    def setUp(self):
        self.ports = {name: free_port() for name in "ABTC"}
        self.server = Ahoyd(BUILD, self.config(0))
        self.addCleanup(self.server.__exit__)

    def config(self, number, more=""):
        """Others each time: B's listeners come and go, and so does C's; T has one certificate, then
        the other; routes, trunks, users and limits change."""
        host = "127.0.0.1"
        lines = [f'listen "{way}:{host}:{self.ports["A"]}"' for way in ("udp", "tcp")]
        if number % 2 == 0:
            lines += [f'listen "{way}:{host}:{self.ports["B"]}"' for way in ("tcp", "udp")]
        pairs = [CERTIFICATES.pair(name) for name in ("server", "second")]
        lines.insert(number % 3, f'listen("tls:{host}:{self.ports["T"]}", '
                                 f'{{ {pairs[number // 2 % 2]} }})')
        if number % 3 == 0:
            lines.append(f'listen("wss:{host}:{self.ports["C"]}", {{ {pairs[0]} }})')
        lines += ['domain("atlanta.example", { auth = "none", insecure = true, '
                  f'max_expires = {3600 + number % 5} }})', 'store "memory:"', "workers(2)",
                  "observe { memory = 0 }",
                  f'trunk("flood", {{ "sip:{host}:{FLOOD_PORT}" }})',
                  f'trunk("t{number % 4}", {{ "sip:{host}:9" }}, {{ probe = {60 + number % 7} }})',
                  'route { domain = "bench.example", from = "anyone", to = "flood" }']
        lines += [f'route {{ user = "nobody{index}", reject = {404 + (number + index) % 50}, '
                  f'when = function(call) return call.user == "nobody{number % 3}" end }}'
                  for index in range(number % 6)]
        return "\n".join(lines + [more, ""])

    def write(self, text):
        path = self.server.path / "ahoyd.lua"
        (path.parent / "new").write_text(text)
        os.replace(path.parent / "new", path)

    def reload(self, text, *options):
        self.write(text)
        return self.server.ctl("reload", *options)

    def phone(self, user, listener, transport):
        context = CERTIFICATES.context() if transport == "tls" else None
        phone = Phone(user, self.ports[listener], transport, context=context)
        self.addCleanup(phone.close)
        return phone

    def take_turns(self, number):
        """One reload, by command or by signal, with a call through B before and after."""
        phone, call = self.phone(f"guest{number}", "B", "udp"), None
        if number % 2 == 1:  # B goes while it rings, so that all else of the call comes too late.
            call = Call(phone, self.bob)
        if number % 5 == 4:
            count = self.server.log().count("is in force")
            self.write(self.config(number))
            self.server.process.send_signal(signal.SIGHUP)
            until(lambda: self.server.log().count("is in force") > count, "a reload by SIGHUP")
        else:
            answer = self.reload(self.config(number))
            self.assertEqual((answer.returncode, answer.stderr), (0, ""), self.server.log())
            self.assertIn("~ listen tls:" if number % 2 == 0 else "- listen udp:", answer.stdout)
        if call is None:
            call = Call(phone, self.bob)
        call.answer()
        call.hang_up()
        for kept in self.kept:
            kept.send("OPTIONS", DOMAIN, {"id": f"kept-{number}-{kept.number}", "to": "x"},
                      cseq=number)
            kept.read(200)

    def test_nothing_is_lost(self):
        self.bob = self.phone("bob", "A", "udp")
        self.bob.register()
        self.kept = [self.phone("kept", "B", "tcp"), self.phone("kept", "T", "tls"),
                     self.phone("kept", "A", "tcp")]
        loads = [Load(self.phone(f"caller{index}", *near), self.phone(f"callee{index}", *far))
                 for index, (near, far) in enumerate([(("A", "udp"), ("A", "udp")),
                                               (("A", "tcp"), ("A", "udp")),
                                               (("T", "tls"), ("A", "tcp"))])]
        flood = None
        if RELOADS > 100 and FLOOD.exists():
            flood = subprocess.Popen(
                [FLOOD, "--server", str(self.ports["A"]), "--callers", "6000",
                 f"{FLOOD_RATE}x{RELOADS // 20}"], stdout=subprocess.PIPE, text=True)
        begin = time.monotonic()
        for number in range(1, RELOADS + 1):
            self.take_turns(number)
        seconds = time.monotonic() - begin
        for load in loads:
            load.end()
        self.assertEqual([load.lost for load in loads], [None] * 3, self.server.log()[-2000:])
        print(f"{RELOADS} reloads in {seconds:.1f} s: {sum(load.calls for load in loads)} calls "
              f"beside them, {RELOADS} through what came or went, {len(self.kept)} connections "
              "kept, 0 lost", flush=True)
        if flood is not None:
            rows = [json.loads(line) for line in flood.communicate(timeout=600)[0].splitlines()]
            sums = {name: sum(row[name] for row in rows)
                    for name in ("sent", "good", "refused", "failed", "timed_out")}
            print(f"calls of bench-flood: {sums}", flush=True)
            self.assertEqual(sums["failed"] + sums["timed_out"] + sums["refused"], 0)
        self.assertGreater(min(load.calls for load in loads), RELOADS // 5)

    def test_memory_is_given_back(self):
        memory = 0
        for number in range(1, 20 + RELOADS):
            answer = self.reload(self.config(number))
            self.assertEqual((answer.returncode, answer.stderr), (0, ""))
            if number == 20:
                memory = self.server.rss_kb()
        grown = self.server.rss_kb() - memory
        print(f"{RELOADS} reloads: memory grew by {grown} KB from {memory} KB", flush=True)
        if not is_sanitized(BUILD):
            self.assertLess(grown, 1024)

    def test_what_is_gone_begins_nothing(self):
        guest = self.phone("guest", "B", "udp")
        gone = self.reload(self.config(1))
        self.assertIn(f'- listen tcp:127.0.0.1:{self.ports["B"]}\n', gone.stdout)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.ports["B"]), PATIENCE)
        guest.send("INVITE", "sip:bob@atlanta.example", {"id": "late", "to": "bob"})
        self.assertEqual(status_of(guest.way.read()), 503)

    def assert_refused(self, answer, *texts):
        self.assertEqual((answer.returncode, answer.stdout), (1, ""))
        for text in texts:
            self.assertIn(text, answer.stderr)

    def test_a_wrong_file_changes_nothing(self):
        said = self.server.ctl("metrics").stdout.count("kind=\"trunk\"")
        wrong = self.config(1) + "lisen 'udp:127.0.0.1:1'\nroute { to = 'nowhere' }\n"
        line = wrong.count("\n") - 1
        self.assert_refused(self.reload(wrong), f"ahoyd.lua:{line}: unknown name 'lisen'",
                            f"ahoyd.lua:{line + 1}: ")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            more = f'listen "udp:127.0.0.2:{port}"\nlisten "udp:127.0.0.1:{port}"'
            line = self.config(1, more).count("\n")
            self.assert_refused(self.reload(self.config(1, more)), f"ahoyd.lua:{line}: cannot "
                                f'listen on "udp:127.0.0.1:{port}": Address already in use')
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("127.0.0.2", port))  # It was opened first, and has been closed.
        for word in ("workers(3)", 'store "sqlite:x.db"'):
            changed = self.config(1).replace("workers(2)" if "work" in word else 'store "memory:"',
                                             word)
            line = changed[:changed.index(word)].count("\n") + 1
            self.assert_refused(self.reload(changed), f"ahoyd.lua:{line}: "
                                f"{word.split('(')[0].split()[0]} cannot change without a restart")
        self.write(self.config(1).replace("server.pem", "absent.pem"))
        self.server.process.send_signal(signal.SIGHUP)
        until(lambda: "all stays as it was" in self.server.log(), "a refusal of SIGHUP")
        self.assertEqual(self.server.ctl("metrics").stdout.count("kind=\"trunk\""), said)
        guest = self.phone("guest", "B", "tcp")  # It would be gone.
        self.assertEqual(status_of(guest.register()), 200)

    def test_it_can_be_tried(self):
        tried = self.reload(self.config(1), "--check")
        self.assertEqual(tried.returncode, 0, tried.stderr)
        self.assertIn("- listen udp:", tried.stdout)
        self.assertEqual(status_of(self.phone("guest", "B", "udp").register()), 200)
        rows = json.loads(self.server.ctl("--json", "reload").stdout)
        self.assertEqual([row["change"] for row in rows], tried.stdout.splitlines())
        again = self.server.ctl("reload")
        self.assertEqual((again.returncode, again.stdout), (0, "nothing has changed\n"))


class Homer(threading.Thread):
    """Reads as it comes what a Homer server would.  Of a rush the kernel may drop some."""

    def __init__(self):
        super().__init__()
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.link.bind(("127.0.0.1", 0))
        self.port = self.link.getsockname()[1]
        self.last, self.last_s = b"", time.monotonic()
        self.start()

    def run(self):
        while (data := self.link.recv(65536)) != b"end":
            self.last, self.last_s = data, time.monotonic()

    def end(self):
        self.link.sendto(b"end", ("127.0.0.1", self.port))
        self.join()
        self.link.close()


class Beside(unittest.TestCase):
    """What reads the workers' notes goes on while the configuration is read again, and so does the
    API: each call has its record, and each message its copy."""

    def serve(self, records):
        self.port, self.door = free_port(), free_port()
        self.homer = Homer()
        self.addCleanup(self.homer.end)
        self.records = records
        self.server = Ahoyd(BUILD, self.config(0))
        self.addCleanup(self.server.__exit__)
        self.token = (self.server.path / "ahoyd.token").read_text().strip()

    def config(self, number):
        more = free_port() if number % 2 else None
        lines = [f'listen "{way}:127.0.0.1:{self.port}"' for way in ("udp", "tcp")]
        lines += [f'listen "udp:127.0.0.1:{more}"'] if more else []
        return "\n".join(lines + [
            'domain("atlanta.example", { auth = "none" })', 'store "memory:"', "workers(2)",
            f'records "{self.records}"', f'hep "udp:127.0.0.1:{self.homer.port}"',
            f'api {{ http = "127.0.0.1:{self.door}", write = true }}',
            f'route {{ user = "nobody", reject = {410 + number} }}', ""])

    def ask(self, method, path):
        link = http.client.HTTPConnection("127.0.0.1", self.door, timeout=PATIENCE)
        link.request(method, path, headers={"Authorization": f"Bearer {self.token}"})
        answer = link.getresponse()
        text = answer.read()
        link.close()
        self.assertEqual(answer.status, 200, text)
        return json.loads(text)

    def phone(self, user, transport):
        phone = Phone(user, self.port, transport)
        self.addCleanup(phone.close)
        return phone

    def run_reloads(self, count):
        """Reads it again by the API while calls go by; returns how many there were."""
        loads = [Load(self.phone(f"caller{way}", way), self.phone(f"callee{way}", way))
                 for way in ("udp", "tcp")]
        self.callee = loads[0].callee
        for number in range(1, count + 1):
            (self.server.path / "ahoyd.lua").write_text(self.config(number))
            changes = [row["change"] for row in self.ask("POST", "/api/reload")["changes"]]
            self.assertIn("~ route 1", changes)
            self.assertGreater(self.ask("GET", "/api/calls")["total"], 0)
        for load in loads:
            load.end()
        self.assertEqual([load.lost for load in loads], [None] * 2, self.server.log()[-2000:])
        self.assertGreater(min(load.calls for load in loads), 0)
        return sum(load.calls for load in loads)

    def go(self, records):
        self.serve(records)
        calls = self.run_reloads(RELOADS if RELOADS < 20 else 20)
        until(lambda: time.monotonic() > self.homer.last_s + 0.5, "all datagrams have come")
        last = Call(self.phone("last", "udp"), self.callee)
        last.answer()
        last.hang_up()
        calls += 1
        until(lambda: last.call["id"].encode() in self.homer.last, "a copy of the last call")
        until(lambda: f"\nahoyd_records_written_total {calls}\n" in
              self.server.ctl("metrics").stdout, "all records are written")
        metrics = self.server.ctl("metrics").stdout
        for name in ("records_lost", "hep_lost", "notes_missed_bytes"):
            self.assertIn(f"\nahoyd_{name}_total 0\n", metrics)
        self.server.stop()
        return calls

    def test_rows_of_csv(self):
        calls = self.go("csv:calls.csv")
        with open(self.server.path / "calls.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len({row["call_id"] for row in rows}), calls)
        self.assertEqual({(row["outcome"], row["ended_by"]) for row in rows},
                         {("answered", "caller")})

    def test_rows_of_sqlite(self):
        calls = self.go("sqlite:calls.db")
        with contextlib.closing(sqlite3.connect(self.server.path / "calls.db")) as database:
            rows = database.execute("SELECT count(DISTINCT call_id), count(*), "
                                    "sum(outcome = 'answered' AND ended_by = 'caller') "
                                    "FROM ahoy_calls").fetchall()
        self.assertEqual(rows, [(calls,) * 3])


def setUpModule():
    CERTIFICATES.authority("ca")
    for name in ("server", "second"):
        CERTIFICATES.make(name, SERVER_NAMES)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
