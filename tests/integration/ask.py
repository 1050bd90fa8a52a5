# SPDX-License-Identifier: BSD-3-Clause
"""Questions the integration suites ask about the JSON of `coopvmm ps` and `coopvmm stat`."""
import json
import sys


def testbed(doc, name):
    for t in doc["testbeds"]:
        if t["testbed"] == name:
            return t
    sys.exit(f"no testbed {name}")


def gap(path, since):
    """The longest time without a reply in `ping -D` output, in ms, from `since` (epoch) on."""
    with open(path) as f:
        times = [float(l[1 : l.index("]")]) for l in f if l.startswith("[") and "icmp_seq" in l and "time=" in l]
    before = [t for t in times if t <= since][-1:]
    after = [t for t in times if since < t < since + 10]
    times = before + after
    return max((b - a) * 1000 for a, b in zip(times, times[1:])) if after else float("inf")


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "gap":
        print(round(gap(args[0], float(args[1]))))
        return
    doc = json.load(sys.stdin)
    if what == "running":
        t = testbed(doc, args[0])
        sys.exit(0 if t["state"] == "running" else 1)
    if what == "pid":
        t = testbed(doc, args[0])
        if args[1] == "iocored":
            print(t["iocored"]["pid"])
        else:
            print(next(v["pid"] for v in t["vms"] if v["name"] == args[1]))
        return
    if what == "rundir":
        print(testbed(doc, args[0])["rundir"])
        return
    if what == "restarts":
        n = testbed(doc, args[0])["iocored"]["restarts"]
        sys.exit(0 if n == int(args[1]) else f"{n} restarts, not {args[1]}")
    if what == "requests":  # of `coopvmm stat --json`: served by all I/O cores
        print(doc["totals"]["requests"] + doc["totals"]["posted"])
        return
    if what == "kvm":  # of `coopvmm check --json`: "works", or why not
        found = next(f["found"] for f in doc["findings"] if f["topic"] == "kvm")
        print("works" if found.startswith("works") else found)
        return
    if what == "get":  # a path of keys
        for key in args:
            doc = doc[int(key)] if isinstance(doc, list) else doc[key]
        print(doc)
        return
    sys.exit(f"unknown question {what}")


main()
