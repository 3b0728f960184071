#!/usr/bin/env python3
"""Two ahoyd that share a store in PostgreSQL, which is real: registrations on one are known to the
other, and what becomes of them while the database is silent, killed, or a stranger's.

test_pgsql.py BUILD
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

from peer import PATIENCE, Ahoyd, free_port, header, until
from phone import Phone
from postgres import Postgres
from pulse import show_waits
from relay import Keeper, Relay

BUILD = pathlib.Path(sys.argv[1]).resolve()
REALM = "atlanta.example"
AOR = f"alice@{REALM}"

CONFIG = """\
listen "udp:127.0.0.1:{port}"
listen "tcp:127.0.0.1:{port}"
node "sip:127.0.0.1:{port}"
domain("atlanta.example", {{ auth = "none" }})
store "{url}"
"""


def settings(url, port):
    return CONFIG.format(port=port, url=url)


def contacts(node, aor=AOR):
    return sorted(re.findall(r"sip:[^\s>;]+", node.ctl("registrations", aor).stdout))


class Pgsql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(Postgres())
        cls.ports = [free_port(), free_port()]
        cls.nodes = [cls.enterClassContext(Ahoyd(BUILD, settings(cls.database.url(), port)))
                     for port in cls.ports]

    def phone(self, user, node):
        phone = Phone(user, self.ports[node])  # By TCP: it is reached through that node alone.
        self.addCleanup(phone.close)
        return phone

    def knows(self, node, user, count=1):
        """How long it takes until a node knows so many contacts of somebody."""
        return until(lambda: len(contacts(self.nodes[node], f"{user}@atlanta.example")) == count,
                     f"node {node} learns of {user}")

    def test_what_one_is_told_both_know(self):
        for node in (0, 1):
            self.phone("ann", node).register()
        for node in (0, 1):
            self.knows(node, "ann", 2)
        gone = self.phone("ann", 1)
        gone.register(rows=["Expires: 0"], contact="Contact: *")
        for node in (0, 1):
            self.knows(node, "ann", 0)

    def test_a_call_goes_through_the_other(self):
        bob = self.phone("bob", 0)
        bob.register()
        self.knows(1, "bob")
        caller = self.phone("carol", 1)
        caller.send("INVITE", "sip:bob@atlanta.example", {"id": "call", "to": "bob"})
        bob.answer(bob.read("INVITE"), 486)
        self.assertIsNotNone(caller.read(486))

    def test_users_are_shared(self):
        self.assertEqual(self.nodes[0].ctl("user", "add", "dave@atlanta.example", input="x\n")
                         .returncode, 0)
        until(lambda: "dave@atlanta.example" in self.nodes[1].ctl("user", "list").stdout,
              "node 1 learns of the user")
        self.assertEqual(self.nodes[1].ctl("user", "remove", "dave@atlanta.example").returncode, 0)
        until(lambda: "dave" not in self.nodes[0].ctl("user", "list").stdout,
              "node 0 forgets the user")

    def is_kept_while_its_connection_breaks(self):
        """Whether a registration was answered 200 whose change waited for a lock when the
        connection that it was sent on was ended."""
        script = """BEGIN; LOCK TABLE ahoy_rows IN EXCLUSIVE MODE; SELECT pg_sleep(0.5);
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'ahoyd' AND query LIKE '%ahoy_swap%'
                AND wait_event_type = 'Lock'; COMMIT"""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            ended = pool.submit(self.database.ask, script)
            time.sleep(0.2)
            phone = self.phone("nora", 0)
            phone.send("REGISTER", "sip:atlanta.example",
                       {"id": f"broken-{phone.number}", "to": "nora"})
            try:
                answered = phone.read(200) is not None
            except AssertionError:  # A busy machine may take too long for a change.
                answered = False
            return answered and ended.result().split()[-2] == "1"

    def test_a_change_outlives_its_connection(self):
        self.assertTrue(any(self.is_kept_while_its_connection_breaks() for _ in range(5)))

    def ends_late(self, keeper):
        """Lets a change that was kept go on, and waits until it has ended."""
        keeper.go.set()
        until(lambda: self.database.ask("SELECT count(*) FROM pg_stat_activity WHERE client_port "
                                        f"= {keeper.way} AND state <> 'idle'") == "0",
              "the late change ends")

    def is_not_brought_back(self, cuts, status):
        """A user's first registration is kept on its way, and answered with |status|.  He removes
        it; then it comes to the database."""
        port, user = free_port(), f"late{status}"
        with Keeper(self.database.port) as keeper:
            self.addCleanup(keeper.go.set)
            with Ahoyd(BUILD, settings(self.database.url(port=keeper.port), port)) as node:
                late, other = Phone(user, port), Phone(f"{user}-other", port)
                for phone in (late, other):
                    self.addCleanup(phone.close)
                keeper.cuts, keeper.what = cuts, b"ahoy_swap"
                late.send("REGISTER", "sip:atlanta.example", {"id": "late", "to": user})
                self.assertTrue(keeper.kept.wait(PATIENCE))
                late.read(status)
                late.send("REGISTER", "sip:atlanta.example", {"id": "late", "to": user}, cseq=2,
                          rows=["Expires: 0"], contact="Contact: *")
                late.read(200)
                self.ends_late(keeper)
                other.register()  # Nodes hear of it behind the other one.
                self.knows(0, other.user)
                for one in (node, *self.nodes):
                    self.assertEqual(contacts(one, f"{user}@{REALM}"), [])
                late.register()  # At once: what is removed may come again.
                self.knows(0, user)
                self.assertEqual(len(contacts(node, f"{user}@{REALM}")), 1)

    def test_a_change_comes_late_that_was_made_again(self):
        self.is_not_brought_back(True, 200)

    def test_a_change_comes_late_that_was_given_up(self):
        self.is_not_brought_back(False, 503)

    def test_a_change_comes_too_late(self):
        """What is removed stays so long that whoever is later than that is refused."""
        asked = int(time.time() * 1000)
        swap = "SELECT done FROM ahoy_swap('b:lou@atlanta.example', {}, {}, '{}', {}, {})"
        put = swap.format(0, 8, "x", 0, asked - 20000)
        self.assertEqual(self.database.ask(put), "t")
        self.assertEqual(self.database.ask(put), "t")  # It was already.
        self.assertEqual(self.database.ask(swap.format(8, 9, "", 0, asked)), "t")
        self.assertEqual(self.database.ask(put), "f")
        self.assertEqual(self.database.ask("SELECT until_ms >= {} FROM ahoy_rows WHERE version = 9"
                                           .format(asked + 60000)), "t")
        self.database.ask("UPDATE ahoy_rows SET until_ms = 1 WHERE version = 9")
        until(lambda: self.database.ask("SELECT count(*) FROM ahoy_rows WHERE version = 9") == "0",
              "it is forgotten that there was one")
        with self.assertRaisesRegex(SystemExit, "more than a minute late, or the clocks"):
            self.database.ask(swap.format(0, 8, "x", 0, asked - 61000))
        # Of what is not there removing is put too, once it is known that it is not there.
        self.assertEqual(self.database.ask(swap.format(7, 9, "", 0, asked)), "f")
        self.assertEqual(self.database.ask(swap.format(0, 9, "", 0, asked)), "t")
        self.assertEqual(self.database.ask(swap.format(0, 8, "x", 0, asked)), "f")

    def test_a_change_is_late_once_it_has_waited(self):
        """It came in time, and then waited for another's lock."""
        end = time.time() + 3
        locked = "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND granted " \
                 "AND relation = 'ahoy_rows'::regclass"
        with concurrent.futures.ThreadPoolExecutor() as pool:
            lock = pool.submit(self.database.ask, "BEGIN; LOCK TABLE ahoy_rows IN EXCLUSIVE MODE; "
                               f"SELECT pg_sleep({end} + 0.2 - extract(epoch FROM "
                               "clock_timestamp())); COMMIT")
            until(lambda: self.database.ask(locked) == "1" or time.time() > end, "it is locked")
            with self.assertRaisesRegex(SystemExit, "more than a minute late"):
                self.database.ask("SELECT ahoy_swap('b:moe@atlanta.example', 0, 8, 'x', 0, "
                                  f"{int(end * 1000) - 60000})")
            lock.result()

    def test_more_rows_than_a_page_has(self):
        self.phone("lena", 0).register()
        self.database.ask("INSERT INTO ahoy_rows SELECT convert_to('a:' || n, 'UTF8'), n, "
                          "'\\x00', 0 FROM generate_series(1, 5000) n")
        self.phone("zoe", 0).register()
        with Ahoyd(BUILD, settings(self.database.url(), free_port())) as third:
            for user in ("lena", "zoe"):
                self.assertEqual(len(contacts(third, f"{user}@atlanta.example")), 1)
        self.database.ask("DELETE FROM ahoy_rows WHERE key LIKE 'a:%'")
        for node in (0, 1):  # More has changed at once than is asked for one by one.
            self.phone("max", node).register()
        for node in (0, 1):
            self.knows(node, "max", 2)

    def test_two_that_change_the_same_lose_nothing(self):
        phones = [self.phone("erin", number % 2) for number in range(8)]
        for phone in phones:
            phone.send("REGISTER", "sip:atlanta.example",
                       {"id": f"erin-{phone.number}", "to": "erin"})
        for phone in phones:
            phone.read(200)
        for node in (0, 1):
            self.knows(node, "erin", 8)

    def test_silence(self):
        frank = self.phone("frank", 0)
        frank.register()
        self.knows(1, "frank")
        self.database.freeze()
        try:
            late = self.phone("gail", 1)
            late.send("REGISTER", "sip:atlanta.example", {"id": "late", "to": "gail"})
            longest = 0
            caller = self.phone("hank", 1)
            for number in range(50):
                begin = time.monotonic()
                caller.send("INVITE", "sip:frank@atlanta.example",
                            {"id": f"silence-{number}", "to": "frank"})
                frank.answer(frank.read("INVITE"), 486)
                frank.read("ACK")
                caller.read(486)
                longest = max(longest, time.monotonic() - begin)
            answer = late.read(503)
            self.assertNotEqual(header(answer, "Retry-After"), "")
            self.assertLess(longest, 1)  # The database is silent for longer.
        finally:
            self.database.thaw()
        until(self.can_register, "registrations are taken again")

    def can_register(self):
        phone = self.phone("ivan", 0)
        phone.send("REGISTER", "sip:atlanta.example",
                   {"id": f"again-{phone.number}", "to": "ivan"})
        try:
            return phone.read(200) is not None
        except AssertionError:
            return False

    def test_a_kill_loses_nothing(self):
        users = [f"user{number}" for number in range(50)]
        for number, user in enumerate(users):
            self.phone(user, number % 2).register()
        self.database.kill()
        self.knows(0, users[1])  # From memory.
        self.database.start()
        until(self.can_register, "registrations are taken again", 10)
        rows = self.database.ask("SELECT encode(key, 'escape') FROM ahoy_rows")
        for user in users:
            self.assertIn(f"b:{user}@atlanta.example", rows)
        port = free_port()
        with Ahoyd(BUILD, settings(self.database.url(), port)) as third:
            for user in users:
                self.assertEqual(len(contacts(third, f"{user}@atlanta.example")), 1)

    def test_no_worker_waits(self):
        port = free_port()
        with Relay(self.database.port) as relay:
            def hold(delay):
                relay.delay = delay
            with Ahoyd(BUILD, settings(self.database.url(port=relay.port), port)) as node:
                show_waits(self, node, port, [
                    ("answers", lambda: None, lambda: None),
                    ("is slow", lambda: hold(0.5), lambda: hold(0)),
                    ("is silent", self.database.freeze, self.database.thaw),
                    ("hears nothing", lambda: hold(None), lambda: hold(0)),
                    ("is gone", self.database.kill, self.database.start)])
        until(self.can_register, "registrations are taken again")

    def test_tables_of_the_first_version(self):
        """Users were rows that only ahoyd could read; they are moved to where SQL can."""
        self.database.create("old")
        url, port = self.database.url("old"), free_port()
        with Ahoyd(BUILD, settings(url, port)):
            pass
        texts = [("bob", "b" * 32, ""), ("carol", "c" * 32, ""), ("100", "", "bob"),
                 ("200", "", "nobody")]
        rows = [(f"u:{name}@{REALM}", b"\1" + b"".join(
            bytes([len(text)]) + text.encode() for text in (name, REALM, "", md5, "", "", means)))
            for name, md5, means in texts]
        rows.append((f"u:damaged@{REALM}", b"\1\xff"))
        values = ", ".join(f"('{key}', 7, '\\x{data.hex()}', 0)" for key, data in rows)
        self.database.ask("DROP TABLE ahoy_users CASCADE; DROP FUNCTION ahoy_renew_user, "
                          "ahoy_tell_user, ahoy_tell_all, ahoy_swap CASCADE; CREATE FUNCTION "
                          "ahoy_swap(bytea, bigint, bigint, bytea, bigint) RETURNS bigint LANGUAGE "
                          "sql AS 'SELECT 1'; DELETE FROM ahoy_schema WHERE version > 1; "
                          f"INSERT INTO ahoy_rows VALUES {values}", "old")
        with Ahoyd(BUILD, settings(url, port)) as node:
            self.assertEqual(sorted(node.ctl("user", "list").stdout.split("\n"))[1:3],
                             [f"{name}@{REALM}  (not all digests: add the password again)"
                              for name in ("bob", "carol")])
            self.assertIn(f"100@{REALM}", node.ctl("user", "alias", "list").stdout)
        self.assertEqual(self.database.ask("SELECT pronargs FROM pg_proc WHERE proname = "
                                           "'ahoy_swap'", "old"), "6")
        self.assertEqual(self.database.ask("SELECT name, md5, sha256, alias_of, version FROM "
                                           "ahoy_users ORDER BY id", "old").split("\n"),
                         [f"bob|{'b' * 32}|||7", f"carol|{'c' * 32}|||7", "100|||bob|7"])
        self.assertEqual(self.database.ask("SELECT encode(key, 'escape') FROM ahoy_rows WHERE "
                                           "substring(key FOR 2) = 'u:' ORDER BY 1", "old"),
                         f"u:damaged@{REALM}")

    def test_rows_that_are_none_of_ours(self):
        self.phone("judy", 0).register()
        self.database.ask("INSERT INTO ahoy_rows VALUES ('\\x00ff', 1, '\\x00', 0), "
                          "('b:kate@atlanta.example', 2, 'nonsense', 0)")
        self.database.ask("UPDATE ahoy_rows SET bytes = 'spoiled', version = version + 1 "
                          "WHERE key = 'b:judy@atlanta.example'")
        until(lambda: "cannot be read" in self.nodes[1].log(), "the log names the row")
        self.assertEqual(len(contacts(self.nodes[0], "judy@atlanta.example")), 1)
        self.database.ask("DELETE FROM ahoy_rows WHERE key = '\\x00ff'")
        self.assertTrue(self.can_register())

    def test_what_is_not_understood(self):
        for url, what in [("postgresql://ahoy:geheim@[", "does not understand"),
                          ("postgresql://ahoy:geheim@127.0.0.1:1/ahoy", "does not answer")]:
            with tempfile.TemporaryDirectory(prefix="ahoy-pgsql-") as folder:
                path = pathlib.Path(folder, "ahoyd.lua")
                path.write_text(settings(url, free_port()))
                run = subprocess.run([BUILD / "bin" / "ahoyd", "--config", path], text=True,
                                     capture_output=True, timeout=60, check=False)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn(what, run.stderr)
            self.assertNotIn("geheim", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
