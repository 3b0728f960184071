#!/usr/bin/env python3
"""tools/fuzz with targets that are made up: scripts that speak as libFuzzer does."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FUZZ = os.path.join(ROOT, "tools", "fuzz")

SOUND = r"""
printf '#2\tINITED cov: 10 ft: 12 corp: 1/1b exec/s: 0 rss: 30Mb\n' >&2
printf '#500\tNEW    cov: 31 ft: 47 corp: 3/9b lim: 4 exec/s: 0 rss: 30Mb L: 1/1 MS: 1\n' >&2
printf '#1234\tDONE   cov: 31 ft: 47 corp: 3/9b lim: 4 exec/s: 0 rss: 30Mb\n' >&2
printf 'stat::number_of_executed_units: 1234\nstat::average_exec_per_sec:     99\n' >&2
printf 'stat::new_units_added:          2\n' >&2
"""
BROKEN = r"""
for argument; do case "$argument" in -artifact_prefix=*) prefix=${argument#*=} ;; esac; done
printf '#77\tNEW    cov: 5 ft: 6 corp: 3/9b lim: 4 exec/s: 0 rss: 30Mb L: 1/1 MS: 1\n' >&2
echo 'ERROR: libFuzzer: deadly signal' >&2
echo bad >"${prefix}crash-0123"
echo "Test unit written to ${prefix}crash-0123" >&2
exit 77
"""


class Fuzz(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.build = holder.name
        os.mkdir(os.path.join(self.build, "bin"))
        self.rows = []

    def target(self, name, body, *folders):
        """A target that also says, in a journal, when and how it was called."""
        path = os.path.join(self.build, "bin", "fuzz-" + name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "{name} $*" >>{self.build}/journal\n{body}')
        os.chmod(path, 0o755)
        self.rows.append("\t".join((name, *folders)) + "\n")
        with open(os.path.join(self.build, "corpora.tsv"), "w", encoding="utf-8") as file:
            file.writelines(self.rows)

    def fuzz(self, *arguments):
        return subprocess.run([FUZZ, self.build, *arguments], capture_output=True, text=True,
                              check=False)

    def journal(self):
        with open(os.path.join(self.build, "journal"), encoding="utf-8") as file:
            return file.read().splitlines()

    @staticmethod
    def holds(path, text):
        if not os.path.exists(path):
            return False
        with open(path, encoding="utf-8") as file:
            return text in file.read()

    def test_all_targets_run_and_are_counted(self):
        self.target("uri", SOUND, "corpus/uri")
        self.target("via", SOUND, "corpus/via", "torture")
        result = self.fuzz("10")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        for name in ("uri", "via"):
            self.assertRegex(result.stdout, rf"(?m)^{name} +1,234 +[\d,]+ +31 +47 +2$")
        self.assertRegex(result.stdout,
                         r"2 targets in \d+ s: 2,468 executions, [\d,]+ a second, 4 new inputs, "
                         r"no finding\n$")
        self.assertTrue(any(line.startswith("via ") and line.endswith("corpus/via torture")
                            for line in self.journal()))

    def test_time_is_shared_and_an_input_is_bounded(self):
        for name in ("a", "b", "c", "d"):
            self.target(name, SOUND, "corpus")
        self.fuzz("40", "--jobs", "2")
        for line in self.journal():
            self.assertIn("-max_total_time=20 ", line)  # 40 s for two at a time, a half each.
            self.assertRegex(line, r"-timeout=\d+ -rss_limit_mb=\d+ -malloc_limit_mb=\d+ ")

    def test_one_at_a_time(self):
        body = f'echo begin >>{self.build}/order; sleep 0.3; echo end >>{self.build}/order\n'
        for name in ("a", "b", "c"):
            self.target(name, body, "corpus")
        self.fuzz("3", "--jobs", "1")
        with open(os.path.join(self.build, "order"), encoding="utf-8") as file:
            self.assertEqual(file.read().split(), ["begin", "end"] * 3)

    def test_only_what_is_named(self):
        self.target("uri", SOUND, "corpus/uri")
        self.target("via", SOUND, "corpus/via")
        self.assertEqual(self.fuzz("1", "via").returncode, 0)
        self.assertEqual(len(self.journal()), 1)
        self.assertIn("via ", self.journal()[0])

    def test_a_finding_is_kept_told_and_fails(self):
        self.target("bad", BROKEN, "corpus/bad")
        self.target("uri", SOUND, "corpus/uri")
        result = self.fuzz("2")
        self.assertEqual(result.returncode, 1)
        kept = os.path.join(self.build, "faults", "bad-crash-0123")
        self.assertTrue(os.path.exists(kept))
        self.assertIn("    ERROR: libFuzzer: deadly signal\n", result.stdout)
        self.assertIn(f"fuzz: replay it: {self.build}/bin/fuzz-bad {kept}\n", result.stdout)
        self.assertRegex(result.stdout, r"(?m)^bad +77 ")  # What it did until then.
        self.assertRegex(result.stdout, r"(?m)^uri +1,234 ")  # The others go on.
        self.assertRegex(result.stdout, r"1 finding\n$")

    def test_a_target_that_keeps_no_input(self):
        self.target("bad", "exit 1\n", "corpus/bad")
        result = self.fuzz("1")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"it has kept no input; replay it: \S+/fuzz-bad -runs=0 ")

    def test_what_is_not_there(self):
        self.assertRegex(self.fuzz("1").stderr, "no targets in .*; build the preset fuzz")
        self.target("uri", SOUND, "corpus/uri")
        result = self.fuzz("1", "url")
        self.assertEqual(result.returncode, 1)
        self.assertIn("there is no target url; there are uri", result.stderr)

    def test_interrupted(self):
        self.target("uri", SOUND, "corpus/uri")
        self.target("long", "exec sleep 100\n", "corpus/long")
        process = subprocess.Popen([FUZZ, self.build, "100", "--jobs", "2"],
                                   stdout=subprocess.PIPE, text=True)
        log = os.path.join(self.build, "logs", "uri.log")
        while not self.holds(log, "new_units_added") or len(self.journal()) < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)
        self.assertIn("fuzz: interrupted\n", told)
        self.assertTrue(re.search(r"(?m)^uri +1,234 ", told), told)
        self.assertIn("no finding", told)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
