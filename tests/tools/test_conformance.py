#!/usr/bin/env python3
"""tools/conformance on a small tree that holds, and on one for each way to break it."""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFORMANCE = os.path.join(ROOT, "tools", "conformance")

TABLE = "docs/conformance/rfc9999.tsv"
HEAD = "id\twords\tbinds\tstate\n"
SHOWN = "R9999-7-1\tIt is shown.\tall\t\n"
ROWS = SHOWN + "".join((
    "R9999-7-2\tIt is shown by two.\tclient\t\n",
    "R9999-7.1-1\tIt does not apply.\tauthor\tnot: it binds nobody\n",
    "R9999-7.1-2\tIt waits.\tserver\tissue 4: later\n",
    "R9999-8.1-1\tCode obeys it.\tproxy\t\n",
    "R9999-8.1-2\tNobody | knows it.\tproxy\t\n",
    "R9999-81-1\tIt is not of section 8.\tproxy\t\n"))
GOOD = {
    TABLE: HEAD + ROWS,
    "tests/unit/a.c": "/* R9999-7-1 */\n\n/* R9999-7-2 */\n",
    "tests/ladder/b.ladder": "# Of RFC 9999 7: R9999-7-2.\n",
    "libahoy/c.c": "/* R9999-8.1-1, and R8888-1-1 of an RFC without a table. */\n",
}


class Conformance(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = holder.name
        for path, text in GOOD.items():
            self.write(path, text)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run_tool(self, *arguments):
        return subprocess.run([CONFORMANCE, "--root", self.root, *arguments],
                              capture_output=True, text=True, check=False)

    def counts(self, *arguments):
        """The columns of each line of counts: rows, shown, no, waits, code, missing."""
        result = self.run_tool(*arguments)
        self.assertEqual(result.stderr, "")
        lines = [line.rsplit(None, 6) for line in result.stdout.splitlines()[1:]]
        return {line[0]: [int(cell) for cell in line[1:]] for line in lines
                if len(line) == 7 and all(cell.isdigit() for cell in line[1:])}

    def breaks(self, path, text, line, what):
        """The tree with this file has exactly one fault, there."""
        self.write(path, text)
        result = self.run_tool()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        told = [row for row in result.stdout.splitlines() if row.startswith(path + ":")]
        self.assertEqual(len(told), 1, result.stdout)
        self.assertRegex(told[0], rf"^{path}:{line}: .*{what}.*; \S.*")

    def test_counts(self):
        self.assertEqual(self.counts(), {
            "RFC 9999 7": [4, 2, 1, 1, 0, 0], "RFC 9999 8": [2, 0, 0, 0, 1, 1],
            "RFC 9999 81": [1, 0, 0, 0, 0, 1], "all": [7, 2, 1, 1, 1, 2]})
        result = self.run_tool()
        self.assertEqual(result.returncode, 0)
        self.assertIn("issue 4: 1 wait for it\n", result.stdout)

    def test_what_no_test_shows(self):
        told = [line for line in self.run_tool().stdout.splitlines() if "no test" in line]
        self.assertEqual(told, [
            "no test shows R9999-8.1-1: Code obeys it. (libahoy/c.c:1)",
            "no test shows R9999-8.1-2: Nobody | knows it.",
            "no test shows R9999-81-1: It is not of section 8."])

    def test_sections(self):
        self.assertEqual(self.counts("9999:8"), {
            "RFC 9999 8.1": [2, 0, 0, 0, 1, 1], "all": [2, 0, 0, 0, 1, 1]})
        self.assertEqual(self.run_tool("9999:7").returncode, 0)
        self.assertEqual(self.run_tool("9999:7.1").returncode, 0)
        self.assertEqual(self.run_tool("9999:7", "9999:8").returncode, 1)
        self.assertEqual(self.run_tool("9999:81").returncode, 1)
        for unknown in ("7", "9999:9", "9999:7.1.1"):
            result = self.run_tool(unknown)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"no table has a section {unknown};", result.stdout)

    def test_a_section_of_rfc_3261_needs_no_rfc(self):
        self.write("docs/conformance/rfc3261.tsv", HEAD + "R3261-7-1\tIt is asked.\tall\t\n")
        self.assertIn("RFC 3261 7", self.counts("7"))
        self.write("fuzz/uri.c", "/* R3261-7-1 */\n")
        self.assertEqual(self.run_tool("7").returncode, 0)

    def test_short_forms(self):
        for text in ("R9999-8.1-1, -2", "R9999-8.1-1 and -2", "R9999-8.1-1 to -2",
                     "R9999-8.1-1,\n * -2"):
            with self.subTest(text=text):
                self.write("tests/unit/d.c", f"/* {text} */\n")
                self.assertEqual(self.counts()["RFC 9999 8"], [2, 2, 0, 0, 0, 0])
        self.write("tests/unit/d.c", "/* R9999-8.1-1 - 2 */\n")
        self.assertEqual(self.counts()["RFC 9999 8"], [2, 1, 0, 0, 0, 1])

    def test_where_tests_are(self):
        for path in ("fuzz/uri.c", "sim/seeds.c", "tests/torture/expected.tsv"):
            with self.subTest(path=path):
                self.write(path, "R9999-8.1-1\n")
                self.assertEqual(self.counts()["RFC 9999 8"], [2, 1, 0, 0, 0, 1])
                os.remove(os.path.join(self.root, path))
        self.write("fuzz/corpus/uri/1", "R9999-8.1-1 R9999-9-9\n")
        self.write("docs/limits.md", "R9999-8.1-1 R9999-9-9\n")
        self.assertEqual(self.counts()["RFC 9999 8"], [2, 0, 0, 0, 1, 1])

    def test_the_joined_table(self):
        out = os.path.join(self.root, "out")
        self.assertEqual(self.run_tool("--out", out).returncode, 0)
        with open(os.path.join(out, "rfc9999.md"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertIn("## 7.1", lines)
        for row in (
                "| R9999-7-2 | client | It is shown by two. | "
                "tests/ladder/b.ladder:1<br>tests/unit/a.c:3 |",
                "| R9999-7.1-2 | server | It waits. | issue 4: later |",
                "| R9999-8.1-2 | proxy | Nobody \\| knows it. | **missing** |"):
            self.assertIn(row, sorted(lines))

    def test_ids_that_do_not_exist(self):
        self.breaks("tests/unit/d.c", "\n/* R9999-7-3 */\n", 2, "no R9999-7-3")
        self.breaks("tests/unit/d.c", "/* R9999-7-1 to -3 */\n", 1, "no R9999-7-3")
        self.breaks("tests/unit/d.c", "/* R9999-7.1 */\n", 1, "R9999-7.1 names no requirement")
        self.write("tests/unit/d.c", "")
        self.breaks("ahoyd/d.c", "/* R9999-6-1 */\n", 1, "no R9999-6-1")

    def test_rows(self):
        for row, what in (
                ("R9999-90-1\t \tall\t\n", "without words"),
                ("R9999-90-1\tIt is.\teveryone\t\n", "binds 'everyone'"),
                ("R9999-90-1\tIt is.\tall\tlater\n", "the state is 'later'"),
                ("R9999-90-1\tIt is.\tall\tnot:\n", "the state is 'not:'"),
                ("R9999-90-1\tIt is.\tall\tissue: x\n", "the state is 'issue: x'"),
                ("R9999-90-1\tIt is.\tall\n", "3 cells"),
                ("R8888-90-1\tIt is.\tall\t\n", "no id of this table"),
                ("R9999-90\tIt is.\tall\t\n", "no id of this table"),
                ("R9999-7.1-1\tIt is.\tall\t\n", "it has a row already")):
            with self.subTest(row=row):
                self.breaks(TABLE, HEAD + ROWS + row, 9, what)

    def test_the_order_of_rows(self):
        self.breaks(TABLE, HEAD + ROWS + "R9999-90-10\tA.\tall\t\nR9999-90-9\tB.\tall\t\n", 10,
                    "stands behind R9999-90-10")
        self.breaks(TABLE, HEAD + ROWS + "R9999-91.1-1\tA.\tall\t\nR9999-91-2\tB.\tall\t\n", 10,
                    "stands behind R9999-91.1-1")

    def test_appendices_stand_behind_all_sections(self):
        self.write(TABLE, HEAD + ROWS + "R9999-A-1\tA.\tall\t\nR9999-A.2-1\tB.\tall\t\n")
        self.write("tests/unit/d.c", "/* R9999-A-1, and R9999-A.2-1. */\n")
        self.assertEqual(self.counts("9999:A"), {
            "RFC 9999 A": [1, 1, 0, 0, 0, 0], "RFC 9999 A.2": [1, 1, 0, 0, 0, 0],
            "all": [2, 2, 0, 0, 0, 0]})
        self.breaks(TABLE, HEAD + ROWS + "R9999-A-1\tA.\tall\t\nR9999-90-1\tB.\tall\t\n", 10,
                    "stands behind R9999-A-1")

    def test_the_columns(self):
        self.breaks(TABLE, "id\twords\n" + ROWS, 1, "the columns are not")

    def test_who_is_shown_waits_no_more(self):
        self.breaks(TABLE, HEAD + ROWS.replace(SHOWN, SHOWN[:-1] + "issue 4: later\n"), 2,
                    "tests/unit/a.c:1 shows it")


if __name__ == "__main__":
    # The build folder that every test script is given does not matter here.
    unittest.main(argv=sys.argv[:1])
