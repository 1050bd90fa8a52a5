# SPDX-License-Identifier: BSD-3-Clause
"""Questions the integration suites ask about the JSON of `coopvmm ps` and `coopvmm stat`."""
import json
import sys


def testbed(doc, name):
    for t in doc["testbeds"]:
        if t["name"] == name:
            return t
    sys.exit(f"no testbed {name}")


def main():
    doc = json.load(sys.stdin)
    what, args = sys.argv[1], sys.argv[2:]
    if what == "running":
        t = testbed(doc, args[0])
        ok = t["vms"] and all(v["state"] in ("running", "ended") for v in t["vms"])
        sys.exit(0 if ok else 1)
    if what == "pid":
        t = testbed(doc, args[0])
        if args[1] == "iocored":
            print(t["iocored"]["pid"])
        else:
            print(next(v["pid"] for v in t["vms"] if v["name"] == args[1]))
        return
    if what == "get":  # a path of keys
        for key in args:
            doc = doc[int(key)] if isinstance(doc, list) else doc[key]
        print(doc)
        return
    sys.exit(f"unknown question {what}")


main()
