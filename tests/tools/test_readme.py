#!/usr/bin/env python3
"""The front doors: what the Vietnamese one has its reader type and see is what the English one has,
and no page sends anybody to one that is not there."""

import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOORS = ("README.md", "README.vi.md")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """The fenced blocks, without the comments behind what is typed, which are translated."""
    return [re.sub(r"[ ]+(?:#|--) .*", "", block) for block in
            re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)]


def words(text):
    """What stands between back quotes in the prose: commands, options, files."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return sorted(re.findall(r"`([^`\n]+)`", prose))


def links(text):
    return sorted(link for link in re.findall(r"\]\(([^)\s]+)\)", text)
                  if not link.startswith("#") and link not in DOORS)


def anchor(title):
    """How GitHub names the place of a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class Readme(unittest.TestCase):
    maxDiff = None

    def test_both_say_the_same(self):
        english, vietnamese = map(read, DOORS)
        self.assertGreater(len(blocks(english)), 5)
        self.assertEqual(blocks(vietnamese), blocks(english))
        self.assertEqual(words(vietnamese), words(english))
        self.assertEqual(links(vietnamese), links(english))

    def test_each_leads_to_the_other(self):
        for one, other in (DOORS, DOORS[::-1]):
            self.assertIn(f"]({other})", read(one).split("\n## ")[0])

    def test_no_link_leads_nowhere(self):
        pages = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard",
                                "*.md"], cwd=ROOT, capture_output=True, text=True,
                               check=False).stdout.split() or list(DOORS)
        self.assertGreaterEqual(set(pages), set(DOORS))
        for page in pages:
            text = read(page)
            titles = [anchor(title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
            for link in re.findall(r"\]\(([^)\s:]+)\)", text):
                path, _, place = link.partition("#")
                target = os.path.join(ROOT, os.path.dirname(page), path)
                self.assertTrue(not path or os.path.exists(target), f"{page}: {link}")
                if not path:
                    self.assertIn(place, titles, f"{page}: {link}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
