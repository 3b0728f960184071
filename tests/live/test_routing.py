#!/usr/bin/env python3
"""Routes as people try them: every example of docs/routing.md, ahoyd --route and --test."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from peer import PATIENCE

AHOYD = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoyd"
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "routing.md"


def examples():
    """The lines before all examples, then of each its title, routes and expectations."""
    head, *sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    blocks = [re.findall(r"^```lua\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
              for text in (head, *sections)]
    titles = [section.splitlines()[0] for section in sections]
    return blocks[0][0], [(title, *pair) for title, pair in zip(titles, blocks[1:], strict=True)]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ahoyd-routing-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def write(self, name, text):
        (self.path / name).write_text(text, encoding="utf-8")

    def run_ahoyd(self, *arguments):
        return subprocess.run([AHOYD, *arguments], cwd=self.path, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)


class Cookbook(Case):
    def test_every_example(self):
        before, all_examples = examples()
        self.assertEqual(len(all_examples), 25)
        for title, routes, expectations in all_examples:
            with self.subTest(title):
                self.write("ahoyd.lua", before + routes)
                self.write("test.lua", expectations)
                result = self.run_ahoyd("--test", "test.lua")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                count = len(re.findall(r"^(?:expect\(|call \{)", expectations, re.MULTILINE))
                self.assertEqual(result.stdout, f"test.lua: {count} ok\n")

    def test_the_steps_that_the_page_shows(self):
        before, all_examples = examples()
        shown = re.search(r"^\$ (ahoyd --route.*)\n((?:.*\n)*?)```", PAGE.read_text("utf-8"),
                          re.MULTILINE)
        help_routes = 'route { number = { "112", "110" }, to = "second" }\n'
        self.write("ahoyd.lua", before + "\n" + help_routes + all_examples[3][1])
        words = re.findall(r"'[^']*'|\S+", shown[1])[1:]
        result = self.run_ahoyd(*(word.strip("'") for word in words))
        self.assertEqual(result.stdout, shown[2])


class Tests(Case):
    config = 'listen "udp:127.0.0.1:5060"\ndomain "atlanta.example"\n' \
             'route { user = "x", reject = 404 }\n'

    def setUp(self):
        super().setUp()
        self.write("ahoyd.lua", self.config)

    def test_what_goes_elsewhere_is_told(self):
        self.write("t.lua", 'expect("sip:x@atlanta.example", "404")\n'
                            'expect("sip:x@atlanta.example", "403")\n'
                            'expect("sip:y@atlanta.example", "404")\n')
        result = self.run_ahoyd("--test", "t.lua", "ahoyd.lua")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertEqual(result.stderr.splitlines(), [
            "t.lua:2: expected 403; got 404, by the route in line 3",
            "t.lua:3: expected 404; got y@atlanta.example, by no route"])

    def test_faults_of_tests(self):
        for text, what in (("", "expects nothing"),
                           ("expct('a', 'b')", "did you mean 'expect'?"),
                           ("expect('sip:x@atlanta.example')", "expect takes a text"),
                           ("expect('sip:x@y', { form = 'a' }, '403')", "did you mean 'from'?"),
                           ("expect('sip:x@y', { at = 'noon' }, '403')", "the time"),
                           ("expect('sip:x@y', { at = '2026-13-01T00:00Z' }, '403')", "the time"),
                           ("expect('sip:x@y', { source = 'here' }, '403')", "the source"),
                           ("expect('sip:x@y', { transport = 'ip' }, '403')", "the transport"),
                           ("expect('tel:+1', '403')", "the request"),
                           ("expect('sip:atlanta.example', '403')", "the request"),
                           ("expect('sip:x@y', { headers = 'a\\r\\n\\r\\nb' }, '403')", ""),
                           ("while true do end", "come to an end")):
            self.write("t.lua", text)
            result = self.run_ahoyd("--test", "t.lua")
            if what:
                self.assertEqual(result.returncode, 1, text)
            self.assertIn(what, result.stderr)
        self.assertEqual(self.run_ahoyd("--test", "none.lua").returncode, 1)
        self.assertEqual(self.run_ahoyd("--test", "t.lua", "none.lua").returncode, 2)

    def test_json(self):
        result = self.run_ahoyd("--route", "INVITE sip:x@atlanta.example", "--json")
        answer = json.loads(result.stdout)
        self.assertEqual(answer["steps"], [{"line": 3, "taken": True}])
        self.assertEqual((answer["status"], answer["line"], answer["caller"]),
                         (404, 3, "stranger"))
        result = self.run_ahoyd("--route", "sip:y@atlanta.example", "--json", "--user",
                                "alice@atlanta.example", "--source", "192.0.2.7:5070")
        answer = json.loads(result.stdout)
        self.assertEqual(answer["name"], "alice@atlanta.example")
        self.assertEqual(answer["places"][0]["uri"], "sip:y@atlanta.example")
        self.assertEqual(answer["steps"][0]["condition"], "user")

    def test_faults_of_the_command_line(self):
        for arguments in (["--route"], ["--route", "sip:x@y", "--check", "ahoyd.lua"], ["--json"],
                          ["--user", "alice"], ["--test", "t.lua", "--at", "noon"],
                          ["--route", "sip:x@y", "--at", "noon"], ["--route", "x y"],
                          ["--route", "sip:x@y", "a.lua", "b.lua"]):
            result = self.run_ahoyd(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertEqual(len(result.stderr.splitlines()), 1, arguments)


class Calls(Case):
    """Whole calls, with parties that do what a test says."""

    config = """
listen "udp:127.0.0.1:5060"
listen "tcp:127.0.0.1:5060"
domain "atlanta.example"
domain("open.example", { auth = "none", insecure = true })
trunk("one", { "sip:192.0.2.10" })
trunk("two", { "sip:192.0.2.20", "sip:gate.example;transport=tcp" })
trunk("asked", { "sip:192.0.2.30" }, { probe = 30 })
trunk("small", { "sip:192.0.2.40" }, { calls = 1 })
group("desk", { "alice@atlanta.example", "bob@atlanta.example" },
      { ring = "order", ring_time = 10 })
group("both", { "alice@atlanta.example", "bob@atlanta.example" })
group("hunt", { "alice@atlanta.example", "bob@atlanta.example" }, { ring = "hunt", ring_time = 5 })
route { user = "desk", to = "desk" }
route { user = "both", to = "both" }
route { user = "hunt", to = "hunt" }
route { number = "1.", to = { "one", "two" } }
route { number = "2.", to = { "asked", "one" } }
route { user = "dear", reject = 603, reason = "Too dear" }
route { user = "moved", redirect = "sip:*@biloxi.example" }
"""
    ALICE, BOB = '["alice@atlanta.example"]', '["bob@atlanta.example"]'

    def setUp(self):
        super().setUp()
        self.write("ahoyd.lua", self.config)

    def play(self, test, *options):
        self.write("t.lua", test)
        return self.run_ahoyd("--test", "t.lua", *options)

    def happens(self, test):
        """What happens in the one call of |test|, and its record."""
        answer = json.loads(self.play(test, "--json").stdout)
        self.assertEqual(len(answer["calls"]), 1, answer)
        return answer["calls"][0]["happened"], answer["calls"][0]["record"]

    def test_one_after_the_other(self):
        call = 'call { to = "sip:desk@atlanta.example", expect = "?", parties = { %s } }'
        lines, record = self.happens(call % f'{self.ALICE} = "rings", {self.BOB} = "busy"')
        self.assertEqual(lines, ["0 s: alice@atlanta.example", "10 s: bob@atlanta.example",
                                 "10 s: 486"])
        self.assertEqual((record["outcome"], record["status"], record["branches"],
                          record["caller"]), ("failed", 486, 2, "sip:stranger@stranger.invalid"))
        lines, record = self.happens(call % f'{self.BOB} = {{ answers = 3 }}')
        self.assertEqual(lines, ["0 s: bob@atlanta.example",
                                 "3 s: answered by bob@atlanta.example"])
        self.assertEqual((record["outcome"], record["duration_ms"], record["ended_by"]),
                         ("answered", 10000, "caller"))
        lines, record = self.happens(call % f'{self.ALICE} = {{ status = 480, after = 2 }}')
        self.assertEqual(lines, ["0 s: alice@atlanta.example", "2 s: 480"])
        lines, record = self.happens(call % f'{self.ALICE} = "gone", {self.BOB} = "declines"')
        # What says nothing cannot be cancelled (RFC 3261 9.1), so the caller waits for its end.
        self.assertEqual(lines, ["10 s: bob@atlanta.example", "32 s: 603"])
        self.assertEqual(self.happens(call % "")[0], ["0 s: 480"])

    def test_side_by_side(self):
        call = 'call { to = "sip:both@atlanta.example", expect = "?", lasts = 60, cancels = %d, ' \
               f'parties = {{ {self.BOB} = {{ answers = 4 }}, {self.ALICE} = "rings" }} }}'
        both = ["0 s: alice@atlanta.example", "0 s: bob@atlanta.example"]
        lines, record = self.happens(call % 5)
        self.assertEqual(sorted(lines[:2]), both)
        self.assertEqual(lines[2:], ["4 s: answered by bob@atlanta.example"])
        self.assertEqual(record["duration_ms"], 60000)
        lines, record = self.happens(call % 3)
        self.assertEqual(lines[2:], ["3 s: 487"])
        self.assertEqual((record["outcome"], record["cause"]), ("cancelled", "cancelled"))

    def test_a_hunt_begins_with_the_first(self):
        for transport in ("udp", "tcp"):
            lines, _ = self.happens(f'call {{ to = "sip:hunt@atlanta.example", expect = "?", '
                                    f'transport = "{transport}", parties = {{ {self.ALICE} = '
                                    f'"rings", {self.BOB} = "answers" }} }}')
            self.assertEqual(lines, ["0 s: alice@atlanta.example", "5 s: bob@atlanta.example",
                                     "5 s: answered by bob@atlanta.example"])

    def test_trunks(self):
        call = 'call { to = "sip:%s@atlanta.example", user = "alice@atlanta.example", ' \
               'expect = "?", parties = { %s } }'
        lines, record = self.happens(call % ("17", 'one = "answers", two = "answers"'))
        self.assertEqual(lines, ["0 s: 17@one", "0 s: answered by 17@one"])
        self.assertEqual((record["trunk"], record["login"], record["target"]),
                         ("one two", "alice@atlanta.example", "udp 192.0.2.10:5060"))
        lines, record = self.happens(call % ("17", 'two = "answers"'))
        self.assertEqual(lines, ["0 s: 17@two (sip:192.0.2.20)",
                                 "0 s: answered by 17@two (sip:192.0.2.20)"])
        lines, record = self.happens(
            call % ("17", '["sip:gate.example;transport=tcp"] = { status = 404 }'))
        self.assertEqual(lines[0], "0 s: 17@two (sip:gate.example;transport=tcp)")
        lines, record = self.happens(call % ("17", 'one = "gone", two = { answers = 1 }'))
        self.assertEqual(lines, ["20 s: 17@two (sip:192.0.2.20)",
                                 "21 s: answered by 17@two (sip:192.0.2.20)"])
        self.assertEqual(self.happens(call % ("23", 'one = "busy", asked = "gone"'))[0],
                         ["0 s: 23@one", "0 s: 486"])

    def test_who_calls(self):
        call = 'call { to = "sip:bob@%s.example", expect = "?", parties = { %s = "answers" }, %s }'
        for more, end in (("", "answered by bob@atlanta.example"),
                          ('user = "alice@atlanta.example"', "answered by bob@atlanta.example"),
                          ('from = "sip:alice@atlanta.example"', "407"),
                          ('user = "alice@atlanta.example", from = "sip:bob@atlanta.example"',
                           "403")):
            lines, _ = self.happens(call % ("atlanta", self.BOB, more))
            self.assertEqual(lines[-1], "0 s: " + end, more)
        lines, record = self.happens(call % ("open", '["bob@open.example"]',
                                             'source = "192.0.2.40", headers = "Subject: x"'))
        self.assertEqual(record["source_trunk"], "small")
        for name, end in (("dear", "603 Too dear"), ("moved", "302 sip:moved@biloxi.example")):
            lines, _ = self.happens(f'call {{ to = "sip:{name}@atlanta.example", expect = "?" }}')
            self.assertEqual(lines, ["0 s: " + end])

    def test_what_differs_is_told(self):
        result = self.play(
            f'call {{ to = "sip:desk@atlanta.example", parties = {{ {self.ALICE} = "busy" }},\n'
            '       expect = { "0 s: alice@atlanta.example", "0 s: 603" },\n'
            '       record = { status = 486, branches = 2, trunk = "one" } }\n'
            f'call {{ to = "sip:desk@atlanta.example", parties = {{ {self.ALICE} = "busy" }},\n'
            '       expect = { "0 s: alice@atlanta.example", "0 s: 486", "1 s: 486" } }\n'
            'call { to = "sip:desk@atlanta.example", expect = "0 s: 480" }\n')
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        first, *record, last = result.stderr.splitlines()
        self.assertEqual(first, "t.lua:1: expected 0 s: 603; got 0 s: 486; the call: "
                         "0 s: alice@atlanta.example, 0 s: 486")
        self.assertEqual(sorted(record), [
            "t.lua:1: the record: expected branches = 2; got 1",
            "t.lua:1: the record: expected trunk = one; got nothing"])
        self.assertEqual(last, "t.lua:4: expected 1 s: 486; got nothing more; the call: "
                         "0 s: alice@atlanta.example, 0 s: 486")
        answer = json.loads(self.play("call { to = 'sip:desk@atlanta.example', expect = 'x' }",
                                      "--json").stdout)
        self.assertEqual((answer["ok"], answer["count"], answer["faults"][0]["line"]),
                         (False, 1, 1))

    def test_faults_of_calls(self):
        for text, what in (
                ("call()", "call takes a table"), ("call { to = 'sip:x@y' }", "call takes a table"),
                ("call { too = 'sip:x@y', expect = '' }", "did you mean 'to'?"),
                ("call { to = 'sip:x@y', expect = 'x', at = 'noon' }", "the time"),
                ("call { to = 'sip:x@y', expect = 'x', source = 'here' }", "the source"),
                ("call { to = 'sip:x@y', expect = 'x', transport = 'wss' }", "the transport"),
                ("call { to = 'sip:x@y', expect = 'x', lasts = -1 }", "between 0 and"),
                ("call { to = 'sip:x@y', expect = {}, parties = { one = 'idle' } }", "expect"),
                ("call { to = 'sip:x@y', expect = 'x', parties = { one = 'idle' } }",
                 'the party "one" answers, rings'),
                ("call { to = 'sip:x@y', expect = 'x', parties = { one = {} } }",
                 'the party "one"'),
                ("call { to = 'sip:x@y', expect = 'x', parties = { one = { status = 200 } } }",
                 "between 300 and 699"),
                ("call { to = 'sip:x@y', expect = 'x', parties = { three = 'busy' } }",
                 'the party "three": it is no user'),
                ("call { to = 'sip:x@y', expect = 'x', parties = { 'busy' } }", "'parties' has"),
                ("call { to = 'sip:x@y', expect = 'x', parties = "
                 "{ ['a b@atlanta.example'] = 'busy' } }", "a phone cannot have that name"),
                ("call { to = 'sip:x@y', record = { truck = 'x' } }", "did you mean 'trunk'?"),
                ("call { to = 'x y', expect = 'x' }", "the call: "),
                ("call { to = 'sip:x@y', expect = 'x', headers = 'a\\r\\n\\r\\nb' }", "")):
            result = self.play(text)
            self.assertEqual((result.returncode, result.stdout), (1, ""), text)
            self.assertIn(what, result.stderr)
        self.write("ahoyd.lua", 'listen "ws:127.0.0.1:5060"\ndomain "atlanta.example"\n')
        self.assertIn("listens by udp, tcp and tls nowhere",
                      self.play("call { to = 'sip:x@y', expect = 'x' }").stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
