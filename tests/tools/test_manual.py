#!/usr/bin/env python3
"""The manual pages know what the programs know: each verb and each option of --help stands in its
page and no other, and so does each word of the configuration and each option of one.

test_manual.py BUILD
"""

import glob
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(os.path.abspath(sys.argv[1]), "bin")

# Of `ahoy --help` and `ahoyctl --help`: two blanks, the verb's words, and what follows them.
VERB = r"^  (?:ahoy )?((?:[a-z]+ )*[a-z]+)(?= ? ?[A-Z\[ ]|$)"


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def page(name):
    """A page without its examples, in which other programs may have a part."""
    text = re.sub(r"^\.S[Hh] EXAMPLES\n.*?(?=^\.S[Hh] )", "", read("docs", "man", name),
                  flags=re.M | re.S)
    return re.sub(r"\bFl -", "--", text.replace("\\-", "-"))


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def verbs(name):
    usage = help_of(name).split("\n\n  ", 1)[1].split("\n\n")[0]
    return re.findall(VERB, "  " + usage, re.MULTILINE)


def help_of(name, *verb):
    asked = subprocess.run([os.path.join(BIN, name), *verb, "--help"], capture_output=True,
                           text=True, check=True)
    return asked.stdout


def words_of_configuration():
    """The words, and the options of them all."""
    code = "".join(map(read, sorted(glob.glob("ahoyd/config*.c", root_dir=ROOT))))
    table = re.search(r"#define WORDS\(WORD\)(.*?)\n/\*", code, re.DOTALL)[1]
    return (set(re.findall(r"WORD\((\w+)\)", table)),
            set(re.findall(r"\.name = \"(\w+)\"", code)))


class Manual(unittest.TestCase):
    def same(self, helped, name):
        written = options(page(name))
        self.assertEqual(helped - written, set(), f"{name} lacks them")
        self.assertEqual(written - helped, set(), f"only {name} has them")

    def test_ahoyd(self):
        self.same(options(help_of("ahoyd")), "ahoyd.8")

    def test_ahoyctl(self):
        self.same(options(help_of("ahoyctl")), "ahoyctl.1")

    def test_ahoy(self):
        found = options(help_of("ahoy"))
        for verb in verbs("ahoy"):
            found |= options(help_of("ahoy", *verb.split()))
        self.assertGreater(len(found), 40)
        self.same(found, "ahoy.1")

    def test_verbs(self):
        for name, least in (("ahoy", 12), ("ahoyctl", 14)):
            found = verbs(name)
            self.assertGreaterEqual(len(found), least, found)
            self.assertIn({"ahoy": "load call", "ahoyctl": "user alias add"}[name], found)
            text = page(name + ".1")
            for verb in found:
                self.assertRegex(text, rf"(?m)^\.(It Cm|B[IR]?) \"?{verb}\b", name)

    def test_configuration(self):
        words, names = words_of_configuration()
        self.assertGreater(len(words), 20)
        self.assertGreater(len(names), 60)
        text, sample = page("ahoyd.lua.5"), read("docs", "ahoyd.lua")
        for word in words:
            self.assertRegex(text, rf"\.It (Ic |\\fB){word}\b")
            self.assertRegex(sample, rf"\b{word}\b")
        for name in names:
            self.assertRegex(text, rf"\b{name}\b")
            self.assertRegex(sample, rf"\b{name}\b")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
