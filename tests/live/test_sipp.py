#!/usr/bin/env python3
"""Calls from SIPp to SIPp through ahoyd, over UDP and TCP, IPv4 and IPv6: none may fail, and the
server's memory must be as small after many calls as after a few.

test_sipp.py BUILD [--calls 20000] [--rate 500] [--only udp4] [--no-memory]
"""
import argparse
import csv
import pathlib
import socket
import subprocess
import sys
import time

from peer import Ahoyd, free_port, need

HERE = pathlib.Path(__file__).resolve().parent
FIRST = 2000        # Calls after which memory is measured for the first time.
GROWTH_KB = 1024    # More than that, after all calls, is a leak.
REST_S = 40         # Until the last transaction is over.


def sipp(folder, name, scenario, local, port, transport, *more):
    """Starts SIPp in the foreground mode of scripts: no screen, statistics to a file."""
    command = [need("sipp"), "-sf", str(HERE / "sipp" / scenario), "-i", local, "-p", str(port),
               "-t", transport, "-nostdin", "-trace_stat", "-fd", "1", "-stf", f"{name}.csv",
               "-trace_err", "-error_file", f"{name}.err", *more]
    with open(folder / f"{name}.out", "w") as out:
        return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT)


def result(folder, name):
    """(successful, failed) calls of a caller that has ended."""
    with open(folder / f"{name}.csv") as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])


def put_calls(server, name, port, callee, ip, transport, calls, rate):
    """Puts calls through the server; returns how many succeeded and failed."""
    local = "127.0.0.1" if ip == 4 else "[::1]"
    target = f"127.0.0.1:{port}" if ip == 4 else f"[::1]:{port}"
    family = socket.AF_INET if ip == 4 else socket.AF_INET6
    caller = sipp(server.path, name, "uac.xml", local, free_port(family), transport, target,
                  "-s", "service", "-m", str(calls), "-r", str(rate), "-l", str(rate * 20),
                  "-timeout", str(60 + calls // rate * 3), "-timeout_error")
    caller.wait(120 + calls // rate * 4)
    if callee.poll() is not None:
        raise SystemExit(f"the callee's SIPp ended: {callee.returncode}")
    return result(server.path, name)


def run(build, ip, transport, calls, rate, check_memory):
    """One transport and family; returns a line that says how it went, and whether it went well."""
    family = socket.AF_INET if ip == 4 else socket.AF_INET6
    host = "127.0.0.1" if ip == 4 else "[::1]"
    port, callee_port = free_port(family), free_port(family)
    config = f"""listen "{transport}:{host}:{port}"
store "memory:"
trunk("callee", {{ "sip:{host}:{callee_port};transport={transport}" }})
route {{ domain = "bench.example", to = "callee", from = "anyone" }}
workers(1)
"""
    sipp_transport = ("u" if transport == "udp" else "t") + "1"
    with Ahoyd(build, config) as server:
        local = "127.0.0.1" if ip == 4 else "[::1]"
        callee = sipp(server.path, "callee", "uas.xml", local, callee_port, sipp_transport)
        try:
            time.sleep(0.5)
            growth = ""
            first = min(FIRST, calls)
            done, failed = put_calls(server, "first", port, callee, ip, sipp_transport, first, rate)
            if check_memory:
                time.sleep(REST_S)
                server.trim()
                before = server.rss_kb()
            if calls > first:
                more = put_calls(server, "all", port, callee, ip, sipp_transport, calls - first,
                                 rate)
                done, failed = done + more[0], failed + more[1]
            if check_memory:
                time.sleep(REST_S)
                server.trim()
                after = server.rss_kb()
                growth = f", RSS {before} kB after {first} calls, {after} kB after all"
                if after - before > GROWTH_KB:
                    failed += 1
                    growth += ": TOO MUCH"
        finally:
            callee.kill()
            callee.wait()
    sound = failed == 0 and done == calls
    return f"{transport} IPv{ip}: {done} calls, {failed} failed{growth}", sound


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=250)
    parser.add_argument("--only", choices=["udp4", "udp6", "tcp4", "tcp6"])
    parser.add_argument("--no-memory", action="store_true", help="a sanitized build keeps its own")
    options = parser.parse_args()
    need("sipp")
    well = True
    for transport in ["udp", "tcp"]:
        for ip in [4, 6]:
            if options.only in (None, f"{transport}{ip}"):
                line, sound = run(options.build, ip, transport, options.calls, options.rate,
                                  options.calls > FIRST and not options.no_memory)
                print(line, flush=True)
                well = well and sound
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
