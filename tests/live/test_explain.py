#!/usr/bin/env python3
"""ahoy explain as a person meets it: exit codes, texts, JSON, captures, what was pasted."""
import csv
import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unittest

from peer import PATIENCE

AHOY = pathlib.Path(sys.argv[1]).resolve() / "bin" / "ahoy"
TORTURE = pathlib.Path(__file__).resolve().parent.parent / "torture"

# RFC 3261 4, whose body is not shown there.
CLASSIC = """\
INVITE sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds
Max-Forwards: 70
To: Bob <sip:bob@biloxi.com>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710@pc33.atlanta.com
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.com>
Content-Type: application/sdp
Content-Length: 142

"""
CRLF = CLASSIC.replace("\n", "\r\n")
SOUND = CRLF.replace("Content-Length: 142", "Content-Length: 0")
TRACE = ('{"us":719071,"worker":0,"dir":"in","transport":"udp","local":"192.0.2.1:5060",'
         '"remote":"192.0.2.7:5062","start":"INVITE sip:bob@atlanta.example SIP/2.0",'
         '"call_id":"38\\"4@192.0.2.7","cseq":"2 INVITE","from":"alice@atlanta.example",'
         '"size":842}\n')

# A body of two parts, of which the second ends too early for its last row.
PARTS = """\
--b
Content-Type: application/sdp
Content-Disposition: session

v=0
o=- 1 1 IN IP4 192.0.2.1
s=-
c=IN IP4 192.0.2.1
t=0 0

--b
Content-Type: message/sipfrag

SIP/2.0 180 Ringing
To: <sip:bob@biloxi.com>
--b--
""".replace("\n", "\r\n")

# Five messages of RFC 3665 are not sound as printed: see tests/torture/README.md.
UNSOUND_FLOWS = {"2.1-F3", "3.10-F4", "3.9-F6", "3.9-F8", "3.9-F10"}


class Explain(unittest.TestCase):
    def explain(self, *arguments, data=b"", code=None):
        if isinstance(data, str):
            data = data.encode()
        result = subprocess.run([AHOY, "explain", *arguments], input=data, capture_output=True,
                                timeout=PATIENCE, check=False)
        text = result.stdout.decode()
        if code is not None:
            self.assertEqual(result.returncode, code, text + result.stderr.decode())
        else:
            self.assertIn(result.returncode, (0, 1), result.stderr.decode())
        return text, result

    def explain_json(self, *arguments, data=b"", code=None):
        text, _ = self.explain("--json", *arguments, data=data, code=code)
        return [json.loads(line) for line in text.splitlines()]

    def test_misuse(self):
        self.explain("--frob", code=2)
        self.explain("one", "two", code=2)
        self.explain("/nowhere/at/all", code=2)
        self.explain(tempfile.gettempdir(), code=2)
        self.explain("-", data="\r\n\r\n", code=2)
        self.assertIn("--json", self.explain("--help", code=0)[0])

    def test_sound(self):
        text, _ = self.explain(data=SOUND, code=0)
        self.assertIn("verdict: 0 faults, 0 warnings, 0 notes", text)
        self.assertIn("sender: alice@atlanta.com, from pc33.atlanta.com by UDP", text)
        self.assertIn("branch=z9hG4bK776asdhds: what marks this transaction", text)

    def test_the_classic_invite(self):
        text, _ = self.explain(data=CRLF, code=1)
        self.assertIn("fault in line 10, column 17: Content-Length: Content-Length says 142, but 0 "
                      "bytes of body follow (RFC 3261 18.3)", text)
        self.assertIn("over UDP a server answers this with 400 Bad Request (18.3); over TCP the "
                      "receiver waits for 142 more bytes", text)
        self.assertIn("mend: write Content-Length: 0, or send the body that is missing: 142 bytes",
                      text)
        self.assertIn("answer: a server answers this with 400 Bad Request", text)

    def test_pasted_with_lf(self):
        text, _ = self.explain(data=SOUND.replace("\r\n", "\n") * 2, code=1)
        self.assertEqual(text.count("lines end in LF alone"), 1)
        self.assertEqual(text.count("message "), 2)
        self.assertIn("verdict: 1 fault, 0 warnings, 0 notes", text)
        self.assertIn("verdict: 0 faults, 0 warnings, 0 notes", text)

    def test_pasted_with_an_indent(self):
        pasted = "".join("      " + line + "\n" for line in CLASSIC.splitlines())
        text, _ = self.explain(data=pasted, code=1)
        self.assertIn("fault in line 10, column 23: Content-Length", text)
        self.assertIn("verdict: 2 faults", text)

    def test_captures_of_several(self):
        # By Content-Length; by an empty line where that lies; with a body that holds a message.
        for parts in ([SOUND, SOUND], [CRLF, SOUND], [SOUND + "\r\n\r\n", CRLF]):
            objects = self.explain_json(data="".join(parts))
            self.assertEqual([one["message"] for one in objects], [1, 2])
            self.assertEqual([one["faults"] for one in objects],
                             [int("142" in part) for part in parts])
        inner = "SIP/2.0 200 OK\r\n\r\nSIP/2.0 200 OK\r\n"
        outer = SOUND.replace("application/sdp", "message/sipfrag")
        outer = outer.replace("Length: 0", f"Length: {len(inner)}") + inner
        self.assertEqual(len(self.explain_json(data=outer + SOUND, code=0)), 2)

    @staticmethod
    def with_body(kind, body):
        message = SOUND.replace("application/sdp", kind)
        return message.replace("Length: 0", f"Length: {len(body)}") + body

    def test_bodies_of_several_parts(self):
        message = self.with_body("multipart/mixed;boundary=b", PARTS)
        text, _ = self.explain(data=message, code=0)
        for line in ("  12  --b\n        part 1: 63 bytes of application/sdp (RFC 2046 5.1)\n",
                     "          disposition session: describes the session (RFC 3261 20.11)\n",
                     "  17  o=- 1 1 IN IP4 192.0.2.1\n        o=: who made this description",
                     "  25  SIP/2.0 180 Ringing\n        start line: a response",
                     "warning in line 26, column 25: To: expected CRLF, found the end of the line",
                     "  27  --b--\n        multipart: the end of the last part",
                     "verdict: 0 faults, 1 warning, 0 notes"):
            self.assertIn(line, text)
        remarks = self.explain_json(data=message, code=0)[0]["remarks"]
        within = [one["within"] for one in remarks if "within" in one]
        self.assertEqual(sorted(set(within)), ["body", "part 1", "part 2"])
        bad = [one for one in remarks if one["kind"] == "warning"]
        self.assertEqual([(one["line"], one["column"], one["within"], one["subject"])
                          for one in bad], [(26, 25, "part 2", "To")])

    def test_fragments(self):
        message = self.with_body("message/sipfrag", "SIP/2.0 7 Ringing\r\nCSeq: 2 INVITE\r\n")
        text, _ = self.explain(data=message, code=0)
        self.assertIn("warning in line 12, column 9: start line: expected a status", text)
        self.assertIn("  13  CSeq: 2 INVITE\n        CSeq: numbers the requests", text)

    def test_what_the_phone_traced(self):
        parts = (f"--- 1764282423.001 > 127.0.0.1:5060 {len(part)} bytes\n{part}\n"
                 for part in (SOUND, SOUND.replace("Content-Length: 0\r\n", ""), CRLF))
        objects = self.explain_json(data="".join(parts), code=1)
        self.assertEqual([one["faults"] for one in objects], [0, 0, 1])
        self.assertEqual([one["warnings"] for one in objects], [0, 0, 0])

    def test_trace(self):
        bad = TRACE.replace('842}', '842,"malformed":true}')
        objects = self.explain_json(data=TRACE + "\n" + bad, code=1)
        self.assertEqual([one["faults"] for one in objects], [0, 1])
        self.assertEqual(objects[0]["remote"], "192.0.2.7:5062")
        self.assertEqual(objects[0]["start"], "INVITE sip:bob@atlanta.example SIP/2.0")
        text, _ = self.explain(data=TRACE, code=0)
        self.assertIn("at 719071 us, in by udp, here 192.0.2.1:5060, there 192.0.2.7:5062", text)
        self.assertIn('Call-ID: 38"4@192.0.2.7', text)
        self.explain(data=TRACE + '{"start":\n', code=1)

    def test_torture(self):
        with open(TORTURE / "expected.tsv", encoding="ascii") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        self.assertGreater(len(rows), 50)
        for row in rows:
            with self.subTest(row["name"]):
                path = TORTURE / "messages" / (row["name"] + ".dat")
                first = self.explain_json(path)[0]
                self.assertEqual(first["faults"] > 0, row["verdict"] == "reject")
                if row["verdict"] == "reject":
                    faults = [one for one in first["remarks"] if one["kind"] == "fault"]
                    self.assertTrue(all("consequence" in one and "mend" in one for one in faults))
                self.explain(path)

    def test_flows(self):
        paths = sorted((TORTURE / "flows").glob("*.sip"))
        self.assertGreater(len(paths), 100)
        whole = b"".join(path.read_bytes() for path in paths)
        alone = {path.stem: self.explain_json(path) for path in paths}
        self.assertEqual({name for name, one in alone.items() if one[0]["faults"]}, UNSOUND_FLOWS)
        self.assertEqual(len(self.explain_json(data=whole)), len(paths))

    def test_control_bytes_are_escaped(self):
        data = SOUND.replace("To: Bob", "Subject: \x1b[31m\r\nTo: Bob").encode()
        data += b"\x00\x07\xff"
        for arguments in ((), ("--json",)):
            _, result = self.explain(*arguments, data=data, code=1)
            self.assertFalse(any(byte < 0x20 and byte != 0x0a for byte in result.stdout))
            self.assertIn(b"x1b[31m", result.stdout)

    def test_noise(self):
        for data in (b"\x00" * 70000, b"{" * 5000, b"\n" * 99 + b"a", b"SIP/2.0", os.urandom(5000),
                     b"INVITE a SIP/2.0\r\n" * 400, b": \r\n" * 3000 + b"\r\n"):
            self.explain_json(data=data, code=1)
            self.explain(data=data, code=1)

    def test_colours_are_for_terminals(self):
        self.assertNotIn("\x1b", self.explain(data=CRLF, code=1)[0])
        self.assertIn(b"\x1b[31mfault", self.on_a_terminal({}))
        self.assertNotIn(b"\x1b", self.on_a_terminal({"NO_COLOR": "1"}))

    def on_a_terminal(self, more):
        """What it prints there about the classic INVITE."""
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        with tempfile.NamedTemporaryFile() as file:
            file.write(CRLF.encode())
            file.flush()
            ours, theirs = pty.openpty()
            with subprocess.Popen([AHOY, "explain", file.name], stdout=theirs,
                                  env={**environment, **more}):
                os.close(theirs)
                shown = b""
                while True:
                    try:
                        piece = os.read(ours, 65536)
                    except OSError:  # The other side is closed.
                        break
                    if not piece:
                        break
                    shown += piece
        os.close(ours)
        return shown


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
