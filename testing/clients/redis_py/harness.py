"""What every family of checks needs: a connection per protocol, counted assertions, version gates.

A check compares the whole reply, never a part of it. The first difference ends the run with the
command's line, since a client that has lost step makes every later check meaningless.
"""

import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"

class Checks:
    """Counts the checks made through one connection, which speaks RESP2 or RESP3."""

    def __init__(self, host, port, protocol):
        self.host, self.port, self.protocol = host, port, protocol
        self.count = 0
        self.left_out = set()
        self.r = self.connect()
        info = self.r.info("server")
        self.version = tuple(int(part) for part in info["redis_version"].split("."))
        self.r.flushall()

    def connect(self, **options):
        """Another connection of the same protocol."""
        # No retries: redis-py would otherwise repeat a refused AUTH for ten seconds.
        once = Retry(NoBackoff(), 0)
        options = {"protocol": self.protocol, "socket_timeout": 10, "retry": once, **options}
        return redis.Redis(host=self.host, port=self.port, **options)

    def since(self, version, what):
        """Whether the server is new enough for `what`; if not, that is noted in the summary."""
        wanted = tuple(int(part) for part in version.split("."))
        if self.version[: len(wanted)] >= wanted:
            return True
        self.left_out.add(f"{what} (since {version})")
        return False

    def has(self, command):
        """Whether the server has a command at all; if not, that is noted in the summary."""
        if command.lower().encode() in {name.lower() for name in self.r.command_list()}:
            return True
        self.left_out.add(f"{command} (not on this server)")
        return False

    def eventually(self, condition, what):
        """`condition()` comes to hold within five seconds."""
        self.count += 1
        deadline = time.monotonic() + 5
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"RESP{self.protocol}: {what}")
            time.sleep(0.01)

    def eq(self, got, want):
        """The reply is exactly `want`, in type too."""
        self.count += 1
        same_type = type(got) is type(want) or (isinstance(got, int) and isinstance(want, int))
        if got != want or not same_type:
            raise AssertionError(f"RESP{self.protocol}: got {got!r}, wanted {want!r}")

    def within(self, got, low, high):
        """The reply is a number in a closed range: for times and random choices."""
        self.count += 1
        if not low <= got <= high:
            raise AssertionError(f"RESP{self.protocol}: {got!r} is not in {low!r}..{high!r}")

    def true(self, condition, what):
        """`condition` holds for a reply that cannot be spelled out."""
        self.count += 1
        if not condition:
            raise AssertionError(f"RESP{self.protocol}: {what}")

    def error(self, words, call, *arguments, **options):
        """The call raises an error reply whose text is exactly `words` (without `ERR`)."""
        self.count += 1
        try:
            got = call(*arguments, **options)
        except redis.exceptions.RedisError as error:
            if str(error) != words:
                raise AssertionError(
                    f"RESP{self.protocol}: error {str(error)!r}, wanted {words!r}"
                ) from error
            return
        raise AssertionError(f"RESP{self.protocol}: got {got!r}, wanted the error {words!r}")

    def wrong_type(self, key, *commands):
        """Each command line, with `key` put behind its name, is refused for the key's type."""
        for line in commands:
            name, *rest = line.split()
            self.error(WRONG_TYPE, self.r.execute_command, name, key, *rest)

    def raw(self, want, *command):
        """Sends a command as it is and compares the reply before any client-side conversion."""
        connection = self.r.connection_pool.get_connection()
        try:
            connection.send_command(*command)
            self.eq(connection.read_response(), want)
        finally:
            self.r.connection_pool.release(connection)
