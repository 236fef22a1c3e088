"""Server-side sessions of Flask-Session: `python sessions.py PORT`.

A browser keeps an id in a cookie; everything else lies in the server under a key that expires.
"""

import concurrent.futures
import datetime
import importlib.metadata
import sys
import time

import flask
import redis
from flask_session import Session

import expect

LIFETIME_SECONDS = 1_000
BROWSERS = 50
THREADS = 8


def application(r, serialization, lifetime):
    app = flask.Flask("checks")
    app.config.update(
        SECRET_KEY="checks", SESSION_TYPE="redis", SESSION_REDIS=r, SESSION_PERMANENT=True,
        SESSION_SERIALIZATION_FORMAT=serialization,
        PERMANENT_SESSION_LIFETIME=datetime.timedelta(seconds=lifetime),
    )
    Session(app)

    @app.post("/login/<name>")
    def login(name):
        app.session_interface.regenerate(flask.session)
        flask.session.update(name=name, cart=[], nested={"text": "é\0", "number": 1.5})
        return "in"

    @app.post("/cart/<int:item>")
    def cart(item):
        flask.session["cart"] = [*flask.session["cart"], item]
        return str(len(flask.session["cart"]))

    @app.get("/")
    def show():
        return flask.jsonify(dict(flask.session))

    @app.post("/logout")
    def logout():
        flask.session.clear()
        return "out"

    return app


def shown(browser):
    return {k: v for k, v in browser.get("/").get_json().items() if not k.startswith("_")}


def one_session(r, app):
    browser = app.test_client()
    expect.equal(shown(browser), {})
    expect.equal(browser.post("/login/ada").text, "in")
    first = r.keys("session:*")
    expect.equal(len(first), 1)
    expect.within(r.ttl(first[0]), LIFETIME_SECONDS - 50, LIFETIME_SECONDS)
    expect.equal([browser.post(f"/cart/{item}").text for item in (7, 8, 9)], ["1", "2", "3"])
    wanted = {"name": "ada", "cart": [7, 8, 9], "nested": {"text": "é\0", "number": 1.5}}
    expect.equal(shown(browser), wanted)
    # A new login gets a new id, and the old one is worthless.
    expect.equal(browser.post("/login/ada").text, "in")
    second = r.keys("session:*")
    expect.equal((len(second), second == first), (1, False))
    # A session that the server has lost is a new one.
    r.delete(*second)
    expect.equal(shown(browser), {})
    browser.post("/login/ada")
    browser.post("/logout")
    expect.equal(r.keys("session:*"), [])


def many_sessions(r, app):
    def visit(number):
        browser = app.test_client()
        browser.post(f"/login/user{number}")
        for item in range(number):
            browser.post(f"/cart/{item}")
        return shown(browser)

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        for number, seen in enumerate(pool.map(visit, range(BROWSERS))):
            expect.equal((seen["name"], seen["cart"]), (f"user{number}", list(range(number))))
    names = r.keys("session:*")
    expect.equal(len(names), BROWSERS)
    expect.equal(min(r.ttl(name) for name in names) > 0, True)
    print(f"{len(names)} sessions, each with its own cart")
    r.delete(*names)


def expiring(r):
    browser = application(r, "json", 1).test_client()
    browser.post("/login/ada")
    time.sleep(1.2)
    expect.equal(shown(browser), {})


def main():
    r = redis.Redis(port=int(sys.argv[1]), socket_timeout=30)
    r.flushall()
    for serialization in ("msgpack", "json"):
        app = application(r, serialization, LIFETIME_SECONDS)
        one_session(r, app)
        many_sessions(r, app)
    expiring(r)
    r.flushall()
    expect.summary(f"Flask-Session {importlib.metadata.version('flask-session')}")


if __name__ == "__main__":
    main()
