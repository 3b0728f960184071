#!/usr/bin/env python3
"""tools/tidy on small trees: one that holds, and one for each way to break a rule."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIDY = os.path.join(ROOT, "tools", "tidy")

SPAN_H = "/* A span. */\n#pragma once\n\n#include <stddef.h>\n\nstruct span { size_t size; };\n"
GOOD = {
    "libahoy/base/span.h": SPAN_H,
    "libahoy/base/span.c": '#include "libahoy/base/span.h"\n\n#include <string.h>\n',
    "libahoy/syntax/uri.h": '#pragma once\n#include "libahoy/base/span.h"\n',
    "libahoy/transport/flow.h": "#pragma once\n",
    "libahoy/transport/frame.h": "#pragma once\n",
    "libahoy/transport/secure.h": "#pragma once\n",
    "libahoy/transaction/user.h": '#pragma once\n#include "libahoy/transport/flow.h"\n',
    "libahoy/transaction/match.h": "#pragma once\n",
    "libahoy/auth/digest.h": "#pragma once\n",
    "libahoy/tu/proxy.h": '#pragma once\n#include "libahoy/transaction/user.h"\n',
    "libahoy/stack/stack.h": '#pragma once\n#include "libahoy/transaction/match.h"\n',
    "libahoy/io/loop.h": '#pragma once\n#include "libahoy/transport/secure.h"\n',
    "ahoyd/server.h": '#pragma once\n#include "libahoy/stack/stack.h"\n',
    "ahoyd/policy.h": "#pragma once\n",
    "ahoyd/worker.c": '#include "libahoy/io/loop.h"\n',
    "ahoy/account.h": "#pragma once\n",
    "sim/world.c": '#include "ahoyd/server.h"\n',
    "tests/unit/base/span.c": '#include "libahoy/io/loop.h"\n#include "ahoyd/server.h"\n',
}

# Split, so that this file holds too.
LEFT_OVER = "TO" "DO"
HOME = "/ho" "me"


def including(*names):
    return "".join(f'#include "{name}"\n' for name in names)


class Tidy(unittest.TestCase):
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

    def tidy(self, *arguments):
        return subprocess.run([TIDY, "--root", self.root, *arguments], capture_output=True,
                              text=True, check=False)

    def holds(self, path=None, text=""):
        if path:
            self.write(path, text)
        result = self.tidy()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def breaks(self, path, text, line, what, *arguments, path_of_fault=None):
        """The tree with this file has exactly one fault, there (or in another file)."""
        self.write(path, text)
        result = self.tidy(*arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        told, summary = result.stdout.splitlines()
        self.assertRegex(told, rf"^{path_of_fault or path}:{line}: .*{what}.*; \S.*")
        self.assertIn("1 faults", summary)

    def test_a_good_tree_holds(self):
        self.holds()

    def test_this_tree_is_looked_at(self):
        count = self.tidy().stdout.split()[1]
        self.assertEqual(int(count), len(GOOD))

    def test_the_include_table(self):
        for path, name in (
                ("libahoy/base/map.c", "libahoy/syntax/uri.h"),
                ("libahoy/syntax/via.c", "libahoy/transport/flow.h"),
                ("libahoy/sdp/sdp.c", "libahoy/syntax/uri.h"),
                ("libahoy/auth/nonce.c", "libahoy/transport/flow.h"),
                ("libahoy/resolve/locate.c", "libahoy/transport/flow.h"),
                ("libahoy/transport/via_rules.c", "libahoy/transaction/user.h"),
                ("libahoy/transaction/clocks.c", "libahoy/transport/frame.h"),
                ("libahoy/tu/registrar.c", "libahoy/transport/flow.h"),
                ("libahoy/tu/registrar.c", "libahoy/transaction/match.h"),
                ("libahoy/tu/registrar.c", "libahoy/stack/stack.h"),
                ("libahoy/stack/inbound.c", "libahoy/tu/proxy.h"),
                ("libahoy/stack/inbound.c", "libahoy/auth/digest.h"),
                ("libahoy/io/driver.c", "libahoy/syntax/uri.h"),
                ("libahoy/io/driver.c", "libahoy/transport/flow.h"),
                ("ahoyd/serve.c", "libahoy/io/loop.h"),
                ("ahoyd/worker.c", "ahoy/account.h"),
                ("ahoy/call.c", "libahoy/io/loop.h"),
                ("ahoy/call.c", "ahoyd/server.h"),
                ("sim/clock.c", "libahoy/io/loop.h"),
                ("sim/clock.c", "ahoyd/policy.h")):
            with self.subTest(path=path, name=name):
                self.breaks(path, "\n" + including(name), 2, f"may not include {name}")
                self.write(path, GOOD.get(path, ""))

    def test_what_the_table_allows(self):
        self.holds("libahoy/tu/registrar.c", including("libahoy/auth/digest.h"))
        self.holds("libahoy/stack/joint.c", including("libahoy/transport/frame.h"))
        self.holds("ahoyd/main.c", including("libahoy/io/loop.h"))
        self.holds("bench/relay.c", including("libahoy/io/loop.h", "ahoyd/policy.h"))

    def test_an_include_in_a_comment_is_none(self):
        self.holds("libahoy/base/map.c", '/*\n#include "libahoy/syntax/uri.h"\n*/\n')

    def test_includes_are_spelled_from_the_root(self):
        self.breaks("libahoy/syntax/via.c", '#include "uri.h"\n', 1, "there is no uri.h")

    def test_libraries_of_others_have_their_places(self):
        self.holds("libahoy/auth/digest.c",
                   including("libahoy/auth/digest.h") + "#include <openssl/evp.h>\n")
        self.breaks("libahoy/tu/a.c", "#include <openssl/evp.h>\n", 1, "not for libahoy/tu")

    def test_the_own_header_comes_first(self):
        self.breaks("libahoy/base/span.c", '#include <string.h>\n#include "libahoy/base/span.h"\n',
                    1, "own header")

    def test_headers_have_pragma_once(self):
        self.breaks("libahoy/base/map.h", "/* #pragma once */\n", 1, "no #pragma once")

    @unittest.skipUnless(shutil.which("gcc") or shutil.which("clang"), "no compiler")
    def test_headers_stand_alone(self):
        self.breaks("libahoy/base/map.h", "#pragma once\n\nsize_t f(void);\n", 3, "stand alone")

    def test_long_files(self):
        self.holds("libahoy/base/map.c", "int a;\n" * 600)
        self.breaks("libahoy/base/map.c", "int a;\n" * 601, 601, "601 lines")

    def test_long_functions(self):
        function = "/* Text. */\nstatic int f(int a,\n             int b)\n{\n%s}\n"
        self.holds("libahoy/base/map.c", function % ("    a++;\n" * 66))
        self.breaks("libahoy/base/map.c", function % ("    a++;\n" * 67), 2, "71 lines")

    def test_long_functions_of_scripts(self):
        self.holds("tools/a.py", "def f():\n" + "    f()\n" * 69)
        self.breaks("tools/a.py", "def f():\n" + "    f()\n" * 70, 1, "71 lines")

    def test_the_brace_of_a_function_starts_a_line(self):
        self.holds("libahoy/base/map.c", "struct a {\n    int b;\n};\nint f(void)\n{\n}\n")
        self.breaks("libahoy/base/map.c", "int f(int a,\n      int b) {\n    g();\n}\n", 4, "brace")

    def test_long_lines(self):
        self.holds("libahoy/base/map.c", "/*" + "a" * 96 + "*/\n")
        self.breaks("libahoy/base/map.c", "/*" + "a" * 97 + "*/\n", 1, "101 columns")

    def test_banned_calls(self):
        for name in ("strcpy", "strcat", "sprintf", "gets", "atoi", "alloca", "system", "popen"):
            with self.subTest(name=name):
                self.breaks("libahoy/base/map.c", f"int a;\nint b = {name} (c);\n", 2,
                            f"{name} is banned")

    def test_what_only_looks_banned(self):
        self.holds("libahoy/base/map.c", "/* gets(a) */\nint b = snprintf(c) + d->system(e);\n"
                   'const char *f = "atoi(a)";\nint g = ahoy_atoi(h);\n')

    def test_scanf_without_a_limit(self):
        self.holds("libahoy/base/map.c", 'int a = sscanf(b, "%*[^:]:%d %9s", c, d);\n')
        self.breaks("libahoy/base/map.c", 'int a = sscanf(b,\n    "%d %s", c, d);\n', 1, "scanf")

    def test_no_typedef_of_structs(self):
        self.breaks("libahoy/base/map.c", "typedef struct a b;\n", 1, "typedef")

    def test_work_left_over_has_an_issue(self):
        self.holds("libahoy/base/map.c", f"/* {LEFT_OVER}(#12): a table. */\n")
        self.breaks("docs/a.md", f"Text.\n{LEFT_OVER}: more text.\n", 2, "without an issue")

    def test_tabs(self):
        self.holds("Makefile", "all:\n\ttrue\n")
        self.breaks("libahoy/base/map.c", "int a;\n\tint b;\n", 2, "a tab")

    def test_paths_of_one_machine(self):
        self.holds("docs/a.md", "In /usr/bin, not in a/home/b.\n")
        self.breaks("docs/a.md", f"In {HOME}/alice/ahoy.\n", 1, "path of one machine")

    def test_limits_are_documented(self):
        header = "#pragma once\nenum {\n    AHOY_B_LIMIT = 2 *\n        3, /* Text. */\n};\n"
        self.write("libahoy/base/map.h", header)
        self.holds("docs/limits.md", "| `AHOY_B_LIMIT` | 2 * 3 | bytes |\n")
        self.breaks("docs/limits.md", "| `AHOY_B_LIMIT` | 2 * 4 | bytes |\n", 3, "AHOY_B_LIMIT",
                    path_of_fault="libahoy/base/map.h")
        self.write("libahoy/base/map.h", "#pragma once\n")
        self.breaks("docs/limits.md", "\n| `AHOY_B_LIMIT` | 2 * 3 | bytes |\n", 2, "no limit")

    def test_limits_of_what_is_written_are_documented(self):
        self.write("ahoyd/b.h", "#pragma once\nenum { CONFIG_B_LIMIT = 7, OTHER_LIMIT = 1 };\n")
        self.holds("docs/limits.md", "| `CONFIG_B_LIMIT` | 7 | words |\n")
        self.breaks("docs/limits.md", "", 2, "CONFIG_B_LIMIT", path_of_fault="ahoyd/b.h")

    def test_defaults_that_have_names(self):
        self.write("libahoy/base/map.h", "#pragma once\nenum { AHOY_B_MS = 7 };\n")
        self.holds("docs/limits.md", "| a wait (`AHOY_B_MS`) | 7 ms | |\n")
        self.breaks("docs/limits.md", "\n| a wait (`AHOY_C_MS`) | 7 ms | |\n", 2, "AHOY_C_MS")

    def test_built_files_are_not_looked_at(self):
        self.holds("build/release/a.c", "\tgets(a);\n")

    @unittest.skipUnless(shutil.which("gcc") and shutil.which("nm"), "no compiler")
    def test_what_the_library_asks_of_the_system(self):
        self.write("tools/libahoy.symbols", "# memory\nmem* # and such\n")
        os.makedirs(os.path.join(self.root, "build", "lib"))
        self.archive("void *memchr(const void *, int, unsigned long);\nint g(void);\n"
                     "void *f(void)\n{\n    return g() ? memchr(0, 0, 0) : 0;\n}\n",
                     "int g(void);\nint g(void)\n{\n    return 1;\n}\n")
        result = self.tidy(os.path.join(self.root, "build"))
        self.assertEqual(result.returncode, 0, result.stdout)
        map_c = "int socket(void);\nint g(void);\nint g(void)\n{\n    return socket();\n}\n"
        self.archive(map_c)
        self.breaks("libahoy/base/map.c", map_c, 1, "must not need socket",
                    os.path.join(self.root, "build"))

    def archive(self, *texts):
        """Makes libahoy.a of these sources, the first of which is map.c."""
        archive = os.path.join(self.root, "build", "lib", "libahoy.a")
        if os.path.exists(archive):
            os.remove(archive)
        for name, text in zip(("map", "more"), texts):
            made = os.path.join(self.root, "build", f"{name}.c.o")
            subprocess.run(["gcc", "-fno-builtin", "-x", "c", "-c", "-", "-o", made], input=text,
                           text=True, check=True)
            subprocess.run(["ar", "rc", archive, made], check=True)

    def test_a_missing_archive_is_a_fault(self):
        self.write("tools/libahoy.symbols", "")
        self.assertIn("no such archive", self.tidy(self.root).stdout)


if __name__ == "__main__":
    # The build folder that every test script is given does not matter here.
    unittest.main(argv=sys.argv[:1])
