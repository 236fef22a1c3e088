"""redis-py against a server: every command of the finished families, every reply checked.

    python run.py PORT [HOST]

Runs everything twice, over RESP2 and over RESP3. Exits non-zero at the first difference. What a
server is too old for is left out and named in the last line.
"""

import sys

import redis

import bitmaps
import blocking
import connection
import hash_expiry
import hashes
import keys
import lists
import probabilistic_and_geo
import server_commands
import sets
import sorting_and_dumping
import streams
import strings
import transactions
import zsets
from harness import Checks

FAMILIES = [
    strings, bitmaps, keys, lists, sets, hashes, zsets, streams, probabilistic_and_geo, blocking,
    hash_expiry, sorting_and_dumping,
    transactions, connection, server_commands,
]


def main():
    port = int(sys.argv[1])
    host = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    for protocol in (2, 3):
        checks = Checks(host, port, protocol)
        for family in FAMILIES:
            family.run(checks)
        left_out = "; left out: " + ", ".join(sorted(checks.left_out)) if checks.left_out else ""
        print(f"redis-py {redis.__version__} RESP{protocol}: {checks.count} checks{left_out}")
        checks.r.flushall()
        checks.r.close()


if __name__ == "__main__":
    main()
