"""Counted assertions for libraries that are built upon a client.

What a program prints must be the same on every server, so the numbers of its checks are in its
summary and nothing that depends on time or chance is: `cargo xtask compat` compares the texts.
"""

import time

PATIENCE_SECONDS = 30

_checks = 0


def equal(got, want):
    """The result is exactly `want`."""
    global _checks
    _checks += 1
    if got != want:
        raise AssertionError(f"got {got!r}, wanted {want!r}")


def within(got, low, high):
    """The result is a number in a closed range: for what depends on time."""
    global _checks
    _checks += 1
    if not low <= got <= high:
        raise AssertionError(f"{got!r} is not in {low!r}..{high!r}")


def raises(kind, call, *arguments, **options):
    """The call raises an exception of exactly that class."""
    global _checks
    _checks += 1
    try:
        got = call(*arguments, **options)
    except Exception as error:
        if type(error) is not kind:
            raise
        return
    raise AssertionError(f"got {got!r}, wanted {kind.__name__}")


def eventually(condition, what):
    """`condition()` comes to hold in reasonable time."""
    global _checks
    _checks += 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not after {PATIENCE_SECONDS} seconds")
        time.sleep(0.01)


def summary(label):
    """Names the library and how much was checked."""
    print(f"{label}: {_checks} checks")
