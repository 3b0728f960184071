"""Registrations: what one costs in memory and on a disk, what a binding takes, and how long a
server that has many needs to start."""
import json
import os
import re
import statistics
import subprocess
import time

REST_S = 1
OUTLIVED_S = 40  # By then the answers that are kept for 32 s are gone.
COUNT = 60000  # REGISTERs, each of a new user.
SATURATED = 256  # Phones that wait at a time.
RATE = 10000  # Changes a second at which the wait for the disk is measured.
REFRESHING = 10000  # Users who do so meanwhile.
BINDINGS = [10000, 100000, 1000000]
FILLING_RATE = 6000  # By datagram each answer is kept for 32 s, and of those a worker has a limit.
ASKED_BYTES = 300
ASKED_P99_MS = 5
ASKED_START_S = 3
ASKED_LOOK_UP_NS = 300


def config(port, store):
    return f"""listen "udp:127.0.0.1:{port}"
domain("bench.example", {{ auth = "none" }})
store "{store}"
workers(1)
"""


def register(build, cpu, port, users, concurrent=SATURATED, rate=0, count=None, first=0):
    """Lets them register, once each or |count| times in all; what bench-register printed."""
    done = subprocess.run(
        [os.path.join(build, "bench", "bench-register"), "--server", str(port), "--users",
         str(users), "--count", str(count or users), "--concurrent", str(concurrent),
         "--rate", str(rate), "--first", str(first)],
        stdout=subprocess.PIPE, text=True, timeout=300,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    if done.returncode != 0:
        raise SystemExit(f"bench: registrations failed: {done.stdout}")
    return json.loads(done.stdout)


def cost(server, cpu_of, build, cpu, port):
    """Microseconds of CPU of a REGISTER, of a server that runs for a while: it has had as many
    before, and their answers are gone.  Its memory it still has (decision 103)."""
    register(build, cpu, port, COUNT)
    time.sleep(OUTLIVED_S)
    before = cpu_of(server.process.pid)[0]
    register(build, cpu, port, COUNT, first=COUNT)
    time.sleep(REST_S)
    return (cpu_of(server.process.pid)[0] - before) / COUNT * 1e6


def p99_ms(build, cpu, port):
    """Of phones that refresh, with a server that runs for a while: its file and the log before it
    have their size.  A file that grows waits for the file system's own log at each checkpoint."""
    register(build, cpu, port, REFRESHING, count=COUNT)
    return register(build, cpu, port, REFRESHING, rate=RATE, count=COUNT)["p99_ms"]


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) * 1024


def sizes(server, build, cpu, port):
    """[(bindings, bytes of each)]"""
    register(build, cpu, port, 1)
    empty = resident(server.process.pid)
    found = []
    for count in BINDINGS:
        register(build, cpu, port, count, rate=FILLING_RATE)
        time.sleep(OUTLIVED_S)
        server.trim()
        found.append((count, (resident(server.process.pid) - empty) / count))
    return found


def index(build, cpu):
    """Of a million bindings in the index alone: (bytes of each, nanoseconds to look one up that is
    expected, as a server does, and one that is not)."""
    done = subprocess.run([os.path.join(build, "bench", "bench-index")], stdout=subprocess.PIPE,
                          text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))
    figures = json.loads(done.stdout)
    return figures["bytes"], figures["expected_ns"], figures["look_up_ns"]


def median_costs(starts, turns, measure):
    """starts: [(name, start)]; measure(start) -> microseconds.  {name: median}"""
    figures = {name: [] for name, _ in starts}
    for turn in range(turns):
        for name, start in starts:
            figures[name].append(measure(start))
            print(f"  turn {turn + 1}: {name:14} {figures[name][-1]:5.1f} us/REGISTER", flush=True)
    return {name: statistics.median(values) for name, values in figures.items()}
