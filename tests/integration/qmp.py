# SPDX-License-Identifier: BSD-3-Clause
"""One command to a QEMU by its machine protocol: qmp.py SOCKET COMMAND ARGUMENTS (JSON). Prints what it returns."""
import json
import socket
import sys


def answer(f):
    for line in f:
        message = json.loads(line)
        if "error" in message:
            sys.exit(message["error"]["desc"])
        if "return" in message:
            return message["return"]
    sys.exit("QEMU is gone")


s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
s.connect(sys.argv[1])
f = s.makefile("rw")
f.readline()  # who it is
for command, arguments in (("qmp_capabilities", {}), (sys.argv[2], json.loads(sys.argv[3]))):
    f.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    f.flush()
    returned = answer(f)
json.dump(returned, sys.stdout)
