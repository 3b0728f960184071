#!/usr/bin/env python3
"""tools/coverage with targets and tools of LLVM that are made up."""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COVERAGE = os.path.join(ROOT, "tools", "coverage")

# A target leaves its name as what it counted; llvm-cov then tells what is written down for it.
REPLAY = 'echo "${0##*/} $*" >>"$FAKE/journal"; echo "${0##*/}" >"$LLVM_PROFILE_FILE"'
PROFDATA = 'cp "$5" "$4"'
COV = 'cat "$FAKE/$(cat "$4").lcov"'


def lcov(path, counts):
    """A record of lcov: how often each line was reached."""
    lines = "".join(f"DA:{number},{count}\n" for number, count in counts.items())
    return f"SF:{os.path.join(ROOT, path)}\n{lines}end_of_record\n"


class Coverage(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.rows = []
        self.program("bin/llvm-profdata", PROFDATA)
        self.program("bin/llvm-cov", COV)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def program(self, name, body):
        os.chmod(self.write(name, "#!/bin/sh\n" + body + "\n"), 0o755)

    def target(self, name, records, body=REPLAY):
        self.rows.append(f"{name}\tcorpus/{name}\tmore\n")
        self.write("build/corpora.tsv", "".join(self.rows))
        self.program("build/fuzz/replay-" + name, body)
        self.write(f"replay-{name}.lcov", "".join(records))

    def coverage(self, *folders):
        path = os.path.join(self.folder, "bin") + os.pathsep + os.environ["PATH"]
        return subprocess.run([COVERAGE, os.path.join(self.folder, "build"), *folders], cwd=ROOT,
                              env={**os.environ, "PATH": path, "FAKE": self.folder},
                              capture_output=True, text=True, check=False)

    def test_targets_are_added_up(self):
        lines = {number: 1 for number in range(1, 100)}
        self.target("uri", [lcov("libahoy/syntax/uri.c", {**lines, 4: 0, 5: 0, 6: 0, 9: 0}),
                            lcov("libahoy/sdp/sdp.c", {1: 1})])
        self.target("via", [lcov("libahoy/syntax/uri.c", {4: 0, 5: 2, 6: 0, 7: 0}),
                            lcov("libahoy/syntax/via.c", {1: 3})])
        result = self.coverage()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"(?m)^libahoy/syntax/uri.c +99 +96 +97.0  4 6 9$")
        self.assertRegex(result.stdout, r"(?m)^libahoy/syntax/via.c +1 +1 +100.0$")
        self.assertRegex(result.stdout, r"(?m)^libahoy/syntax +100 +97 +97.0$")
        self.assertRegex(result.stdout, r"(?m)^libahoy/sdp +1 +1 +100.0$")
        with open(os.path.join(self.folder, "journal"), encoding="utf-8") as journal:
            self.assertEqual(sorted(journal), ["replay-uri corpus/uri more\n",
                                               "replay-via corpus/via more\n"])

    def test_lines_in_a_row_are_told_as_a_range(self):
        self.target("uri", [lcov("libahoy/syntax/uri.c", {1: 0, 2: 0, 3: 0, 5: 0, 7: 1})])
        self.assertRegex(self.coverage("libahoy/syntax").stdout, r" 20.0  1-3 5\n")

    def test_too_little_fails(self):
        self.target("uri", [lcov("libahoy/syntax/uri.c", {i: int(i > 1) for i in range(1, 21)})])
        result = self.coverage("libahoy/syntax/")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout, r"(?m)^libahoy/syntax +20 +19 +95.0  above 95 is asked")

    def test_a_folder_that_nothing_reaches_fails(self):
        self.target("uri", [])
        self.assertEqual(self.coverage("libahoy/sdp").returncode, 1)

    def test_a_target_that_fails(self):
        self.target("uri", [], "echo broken; exit 3")
        result = self.coverage()
        self.assertEqual(result.returncode, 1)
        self.assertIn("coverage: uri: exit code 3\nbroken\n", result.stderr)

    def test_another_build_folder(self):
        result = self.coverage()
        self.assertEqual(result.returncode, 1)
        self.assertIn("build the preset coverage", result.stderr)


if __name__ == "__main__":
    # The build folder that every test script is given does not matter here.
    unittest.main(argv=sys.argv[:1])
