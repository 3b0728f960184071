#!/usr/bin/env python3
"""The book of the headers: every function that a program can call is in it, with a comment about
it, and no link leads nowhere.  Which functions there are, gcc says, who reads the headers
otherwise."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCS = os.path.join(ROOT, "tools", "docs")

FACE = '/* Ours. */\n#pragma once\n\n/* All. */\n#include "libahoy/base/span.h"\n'
SPAN = """/* A span: of bytes. */
#pragma once

#include <stddef.h>

struct span;

/* Bytes, at most 4 & more than <none>. */
struct span {
    size_t size; /* Theirs. */
};

/* Makes |one|. */
struct span ahoy_span(const char *one);
struct span ahoy_span_other(const char *one);

int ahoy_span_beside(void); /* 1, RFC 3261 7.3. */

/* Not a function: ahoy_span_macro(1).  ahoy_span makes one. */
#define AHOY_SPAN_MACRO(one) ahoy_span_hidden(one)

/* Twice. */
static inline size_t ahoy_span_inline(struct span a)
{
    return ahoy_called(a.size) * 2;
}
"""


def ids(text):
    return re.findall(r'<a id="(\w+)">', text)


class Docs(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def make(self, *arguments):
        result = subprocess.run([DOCS, os.path.join(self.folder, "out"), *arguments],
                                capture_output=True, text=True, check=False)
        self.assertEqual(result.stderr, "")
        pages = {}
        for name in os.listdir(os.path.join(self.folder, "out")):
            with open(os.path.join(self.folder, "out", name), encoding="utf-8") as file:
                pages[name] = file.read()
        return result, pages

    def make_small(self, span=SPAN, face=FACE):
        for path, text in (("include/ahoy/ahoy.h", face), ("libahoy/base/span.h", span)):
            path = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return self.make("--root", self.folder)

    def test_all_functions_of_the_library(self):
        result, pages = self.make()
        self.assertEqual(result.stdout, "")
        self.assertEqual(result.returncode, 0)
        found = [name for text in pages.values() for name in ids(text)]
        self.assertEqual(len(found), len(set(found)))
        declared = self.declared()
        self.assertGreater(len(declared), 300)
        self.assertEqual(declared - set(found), set())
        index = pages["index.html"]
        self.assertEqual({name for name in declared if f'#{name}">' not in index}, set())

    def declared(self):
        """The names of the functions that <ahoy/ahoy.h> brings, as gcc tells them."""
        if shutil.which("gcc") is None:
            self.skipTest("gcc is not installed")
        unit, list_ = (os.path.join(self.folder, name) for name in ("unit.c", "list"))
        with open(unit, "w", encoding="utf-8") as file:
            file.write("#include <ahoy/ahoy.h>\n")
        subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-fsyntax-only", "-I" + ROOT, "-I" +
                        os.path.join(ROOT, "include"), "-aux-info", list_, unit], check=True)
        with open(list_, encoding="utf-8") as file:
            return set(re.findall(r"^/\* [^ ]*libahoy/\S+ \*/ [^;(]*?(\w+) \(", file.read(),
                                  re.MULTILINE))

    def test_no_link_leads_nowhere(self):
        _, pages = self.make()
        links = 0
        for name, text in pages.items():
            for page, _, anchor in re.findall(r'href="([^"#:]*)(#?)(\w*)"', text):
                links += 1
                target = pages.get(page or name)
                self.assertIsNotNone(target, f"{name}: {page}")
                self.assertTrue(not anchor or anchor in ids(target), f"{name}: {page}#{anchor}")
        self.assertGreater(links, 1000)

    def test_what_a_page_holds(self):
        result, pages = self.make_small()
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        page = pages["libahoy-base-span.h.html"]
        self.assertEqual(sorted(ids(page)), sorted([
            "span", "ahoy_span", "ahoy_span_other", "ahoy_span_beside", "AHOY_SPAN_MACRO",
            "ahoy_span_inline"]))
        self.assertIn("<p>Makes <code>one</code>.</p>", page)
        self.assertIn("at most 4 &amp; more than &lt;none&gt;.", page)
        self.assertIn('rfc3261#section-7.3">RFC 3261 7.3</a>', page)
        self.assertIn("ahoy_span_inline</a>(struct <a href=\"#span\">span</a> a);</pre>", page)
        self.assertNotIn("ahoy_called", page)
        self.assertIn('<a href="libahoy-base-span.h.html">libahoy/base/span.h</a>: A span<',
                      pages["index.html"])
        self.assertIn("<h2>All.</h2>", pages["index.html"])

    def assert_faults(self, span, *lines):
        result, _ = self.make_small(span)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(re.findall(r"^libahoy/base/span.h:(\d+): no comment ", result.stdout,
                                    re.MULTILINE), [str(line) for line in lines], result.stdout)

    def test_functions_without_a_comment(self):
        self.assert_faults(SPAN.replace("/* Makes |one|. */\n", ""), 13, 14)
        self.assert_faults(SPAN.replace("struct span ahoy_span_o", "\nstruct span ahoy_span_o"), 16)
        self.assert_faults(SPAN.replace(" /* 1, RFC 3261 7.3. */", ""), 17)
        self.assert_faults(SPAN.replace("/* Twice. */\n", ""), 22)

    def test_a_header_without_a_comment(self):
        self.assert_faults(SPAN.replace("/* A span: of bytes. */\n", ""), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
