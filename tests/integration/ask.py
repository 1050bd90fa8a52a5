# SPDX-License-Identifier: BSD-3-Clause
"""Questions the integration suites ask about the JSON of `coopvmm ps` and `coopvmm stat`."""
import json
import sys


def testbed(doc, name):
    for t in doc["testbeds"]:
        if t["testbed"] == name:
            return t
    sys.exit(f"no testbed {name}")


def main():
    doc = json.load(sys.stdin)
    what, args = sys.argv[1], sys.argv[2:]
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
    if what == "get":  # a path of keys
        for key in args:
            doc = doc[int(key)] if isinstance(doc, list) else doc[key]
        print(doc)
        return
    sys.exit(f"unknown question {what}")


main()
