#!/usr/bin/env python3
"""Routes as people try them: every example of docs/routing.md, ahoyd --route and --test."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

AHOYD = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoyd"
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "routing.md"
PATIENCE = 20


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
        self.assertEqual(len(all_examples), 20)
        for title, routes, expectations in all_examples:
            with self.subTest(title):
                self.write("ahoyd.lua", before + routes)
                self.write("test.lua", expectations)
                result = self.run_ahoyd("--test", "test.lua")
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                count = len(re.findall(r"^expect\(", expectations, re.MULTILINE))
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
                          ["--user", "alice"], ["--test", "t.lua", "--json"],
                          ["--route", "sip:x@y", "--at", "noon"], ["--route", "x y"],
                          ["--route", "sip:x@y", "a.lua", "b.lua"]):
            result = self.run_ahoyd(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertEqual(len(result.stderr.splitlines()), 1, arguments)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
