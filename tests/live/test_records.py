#!/usr/bin/env python3
"""A running server keeps a record of each call: in a file of CSV that is rotated under it, and in a
PostgreSQL that falls silent meanwhile.

test_records.py BUILD
"""
import csv
import pathlib
import sys
import unittest

from peer import Ahoyd, free_port, header, until
from phone import Phone, route_rows, target_of
from postgres import Postgres

BUILD = pathlib.Path(sys.argv[1]).resolve()


def config(port, records):
    return f"""
listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "memory:"
workers(2)
records "{records}"
"""


class Records(unittest.TestCase):
    def serve(self, records):
        self.port = free_port()
        server = Ahoyd(BUILD, config(self.port, records))
        self.addCleanup(server.__exit__)
        return server

    def phone(self, user):
        phone = Phone(user, self.port)
        self.addCleanup(phone.close)
        return phone

    def call(self, call_id, hangs_up=True):
        bob, alice = self.phone("bob"), self.phone("alice")
        bob.register()
        call = {"id": call_id, "to": "bob"}
        alice.send("INVITE", "sip:bob@atlanta.example", call)
        invite = bob.read("INVITE")
        bob.answer(invite, 180)
        bob.answer(invite, 200)
        answer = alice.read(200)
        alice.send("ACK", target_of(answer), call, route_rows(answer), "bob")
        bob.read("ACK")
        if hangs_up:
            alice.send("BYE", target_of(answer), call, route_rows(answer), "bob", cseq=2)
            bob.answer(bob.read("BYE"), 200)
            self.assertEqual(header(alice.read(200), "CSeq"), "2 BYE")
        bob.register(contact="Contact: *", rows=["Expires: 0"])

    def fail(self, call_id):
        alice = self.phone("alice")
        alice.send("INVITE", "sip:nobody@atlanta.example", {"id": call_id, "to": "nobody"})
        alice.read(404)

    @staticmethod
    def read(path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file)) if path.exists() else []

    def test_csv_is_rotated(self):
        server = self.serve("csv:calls.csv")
        path, old = server.path / "calls.csv", server.path / "calls.csv.1"
        self.fail("=failed")
        self.call("first")
        until(lambda: len(self.read(path)) == 1, "the call that ended is written")
        path.rename(old)
        self.call("second", hangs_up=False)
        until(lambda: path.exists() and len(self.read(path)) == 1, "the one that failed is too")
        server.stop()
        first, = self.read(old)
        failed, second = self.read(path)
        self.assertEqual(oct(path.stat().st_mode & 0o777), oct(0o600))
        self.assertEqual((first["call_id"], first["outcome"], first["status"], first["ended_by"]),
                         ("first", "answered", "200", "caller"))
        self.assertLessEqual(first["begun"], first["rang"])
        self.assertLessEqual(first["rang"], first["answered"])
        self.assertLessEqual(first["answered"], first["ended"])
        self.assertTrue(first["target"].startswith("tcp 127.0.0.1:"))
        self.assertEqual((failed["call_id"], failed["outcome"], failed["status"], failed["cause"]),
                         ("'=failed", "failed", "404", "unknown_user"))
        self.assertEqual((second["call_id"], second["ended_by"], second["duration_ms"]),
                         ("second", "open", ""))

    def test_what_the_database_misses_is_written_later(self):
        database = self.enterContext(Postgres())
        server = self.serve(database.url())
        self.call("first")
        until(lambda: database.ask(
            "SELECT to_regclass('ahoy_calls') IS NOT NULL") == "t", "there is a table")
        until(lambda: database.ask("SELECT count(*) FROM ahoy_calls") == "1", "a row")
        database.kill()
        self.call("second")
        until(lambda: "they wait" in server.log(), "the log says that rows wait")
        database.start()
        until(lambda: "written again" in server.log(), "they are written")
        self.assertEqual(
            database.ask("SELECT call_id, outcome, status, ended_by, duration_ms >= 0 AND ended = "
                         "answered + duration_ms * interval '1 ms' FROM ahoy_calls ORDER BY begun"),
            "first|answered|200|caller|t\nsecond|answered|200|caller|t")
        metrics = server.ctl("metrics").stdout
        self.assertIn("\nahoyd_records_written_total 2\n", metrics)
        self.assertIn("\nahoyd_records_lost_total 0\n", metrics)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
