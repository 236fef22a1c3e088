//! What applications are built of above a client: locks over several servers, rate limits,
//! sessions of web servers, and caches that the server keeps true.
//!
//! These are the scripts, expiries and invalidations that most deployments of Redis run. Each
//! program compares what its library answers, and prints what must be the same on redis-server.

use super::clients::{node_script, python_script};
use super::programs::{SCRIPTING, TRACKING, compared, compared_on};
use super::{Bench, Outcome, install};
use crate::Result;

/// Servers of which a majority holds a lock.
const LOCK_SERVERS: usize = 3;

/// Redlock in Python: pottery.
pub fn pottery(bench: &Bench) -> Result<Outcome> {
    compared_on(bench, &[SCRIPTING], LOCK_SERVERS, || {
        python_script(install::python_with_libraries(), "libraries/redlock.py")
    })
}

/// Redlock in Node: redlock.
pub fn redlock(bench: &Bench) -> Result<Outcome> {
    compared_on(bench, &[SCRIPTING], LOCK_SERVERS, || node_script("redlock.js"))
}

/// Rate limits in Python: limits.
pub fn limits(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING], || {
        python_script(install::python_with_libraries(), "libraries/rate_limits.py")
    })
}

/// Rate limits in Node: rate-limiter-flexible.
pub fn rate_limiter_flexible(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING], || node_script("rate_limits.js"))
}

/// Sessions of Flask: Flask-Session.
pub fn flask_session(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[], || {
        python_script(install::python_with_libraries(), "libraries/sessions.py")
    })
}

/// Sessions of express-session: connect-redis.
pub fn connect_redis(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[], || node_script("sessions.js"))
}

/// The cache of redis-py.
pub fn redis_py_cache(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING, TRACKING], || {
        python_script(install::python_with_redis(), "libraries/cache.py")
    })
}

/// The cache of node-redis.
pub fn node_redis_cache(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING, TRACKING], || node_script("cache.js"))
}
