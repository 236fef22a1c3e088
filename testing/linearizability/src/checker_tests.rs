//! The checker itself: known histories, and histories of a simulated atomic store that pass as they
//! are and fail when a reply is falsified.

use super::*;
use crate::generate::{Plan, requests};

fn op(client: usize, invoked: u64, returned: u64, request: Op, reply: Value) -> Operation {
    Operation { client, invoked, returned, request: Request::One(request), reply }
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.into())
}

fn ok() -> Value {
    Value::Simple("OK".into())
}

fn set(value: &str) -> Op {
    Op::Set(0, value.into())
}

fn is_linearizable(history: &[Operation]) -> bool {
    match check(history, 1_000_000) {
        Verdict::Linearizable => true,
        Verdict::Violation { .. } => false,
        Verdict::Undecided => panic!("the search gave up"),
    }
}

#[test]
fn overlapping_operations_may_take_either_order() {
    for seen in [Value::NullBulk, bulk("a")] {
        let history = [op(0, 0, 10, set("a"), ok()), op(1, 1, 9, Op::Get(0), seen)];
        assert!(is_linearizable(&history));
    }
}

#[test]
fn a_stale_read_is_caught() {
    let history = [op(0, 0, 1, set("a"), ok()), op(1, 2, 3, Op::Get(0), Value::NullBulk)];
    assert!(!is_linearizable(&history));
}

#[test]
fn a_read_must_not_go_back_in_time() {
    // Both reads overlap the write, yet the second follows one that has seen it.
    let history = [
        op(0, 0, 10, set("a"), ok()),
        op(1, 1, 2, Op::Get(0), bulk("a")),
        op(1, 3, 4, Op::Get(0), Value::NullBulk),
    ];
    assert!(!is_linearizable(&history));
}

#[test]
fn a_lost_update_is_caught() {
    let both = |second| {
        [
            op(0, 0, 10, Op::Incr(0), Value::Integer(1)),
            op(1, 1, 9, Op::Incr(0), Value::Integer(second)),
        ]
    };
    assert!(is_linearizable(&both(2)) && !is_linearizable(&both(1)));
}

#[test]
fn a_torn_transaction_is_caught() {
    let write = Operation {
        client: 0,
        invoked: 0,
        returned: 10,
        request: Request::Block(vec![Op::Set(0, b"a".into()), Op::Set(1, b"a".into())]),
        reply: Value::Array(vec![ok(), ok()]),
    };
    let read = |first: Value, second: Value| {
        op(1, 1, 9, Op::MGet(vec![0, 1]), Value::Array(vec![first, second]))
    };
    let null = || Value::NullBulk;
    assert!(is_linearizable(&[write.clone(), read(null(), null())]));
    assert!(is_linearizable(&[write.clone(), read(bulk("a"), bulk("a"))]));
    assert!(!is_linearizable(&[write, read(bulk("a"), null())]));
}

#[test]
fn compare_and_set_may_fail_but_not_succeed_wrongly() {
    let cas = |invoked, seen: Value, exec: Value| Operation {
        client: 1,
        invoked,
        returned: invoked + 1,
        request: Request::CompareAndSet(0, b"b".into()),
        reply: Value::Array(vec![seen, exec]),
    };
    let write = op(0, 0, 1, set("a"), ok());
    let done = || Value::Array(vec![ok()]);
    assert!(is_linearizable(&[write.clone(), cas(2, bulk("a"), done())]));
    assert!(is_linearizable(&[write.clone(), cas(2, bulk("a"), Value::NullArray)]));
    assert!(!is_linearizable(&[write, cas(2, Value::NullBulk, done())]));
}

#[test]
fn keys_are_searched_apart_unless_a_command_joins_them() {
    let get = |key, time| op(0, time, time + 1, Op::Get(key), Value::NullBulk);
    let apart = [get(0, 0), get(1, 2), get(2, 4)];
    assert_eq!(partition(&apart).len(), 3);
    let joined = Op::MGet(vec![0, 2]);
    let reply = Value::Array(vec![Value::NullBulk, Value::NullBulk]);
    let history = [&apart[..], &[op(0, 6, 7, joined, reply)]].concat();
    let parts: Vec<usize> = partition(&history).iter().map(Vec::len).collect();
    assert_eq!(parts, [3, 1]);
}

#[test]
fn the_search_is_bounded() {
    let history: Vec<Operation> = (0..40)
        .map(|client| {
            let index = u64::try_from(client).unwrap();
            op(client, index, 1000 + index, Op::Append(0, b"1".into()), Value::Integer(99))
        })
        .collect();
    // No order explains these replies, but the first step already says so.
    assert!(matches!(check(&history, 10), Verdict::Violation { .. }));
    let concurrent: Vec<Operation> = (0..20)
        .map(|client| {
            let index = u64::try_from(client).unwrap();
            op(client, index, 1000 + index, set(&format!("v{client}")), ok())
        })
        .chain([op(20, 2000, 2001, Op::Get(0), Value::NullBulk)])
        .collect();
    assert_eq!(check(&concurrent, 100), Verdict::Undecided);
}

/// A history of clients that take turns at random on an atomic store: each operation takes effect
/// at one instant between its two times.
fn simulated(seed: u64) -> Vec<Operation> {
    let transactions = seed.is_multiple_of(2);
    let plan = Plan { seed, clients: 5, requests: 20, keys: 3, transactions, scripts: false };
    let mut rng = crate::generate::Mix::new(seed);
    let mut waiting: Vec<Vec<Request>> =
        (0..plan.clients).map(|client| requests(&plan, client)).collect();
    let mut state = State::new();
    let mut open: Vec<Option<(Operation, bool)>> = vec![None; plan.clients];
    let mut history = Vec::new();
    let mut time = 0;
    while history.len() < plan.clients * plan.requests {
        time += 1;
        let client = usize::try_from(rng.below(5)).unwrap();
        open[client] = match open[client].take() {
            None => waiting[client].pop().map(|request| {
                let reply = Value::Null;
                (Operation { client, invoked: time, returned: 0, request, reply }, false)
            }),
            Some((mut operation, false)) => {
                operation.reply = answer(&operation.request, &mut state);
                Some((operation, true))
            }
            Some((mut operation, true)) => {
                operation.returned = time;
                history.push(operation);
                None
            }
        };
    }
    history
}

fn answer(request: &Request, state: &mut State) -> Value {
    match request {
        Request::One(op) => op.apply(state),
        Request::Block(ops) | Request::Script { ops, .. } => {
            Value::Array(ops.iter().map(|op| op.apply(state)).collect())
        }
        Request::CompareAndSet(key, value) => {
            let seen = Op::Get(*key).apply(state);
            let set = Op::Set(*key, value.clone()).apply(state);
            Value::Array(vec![seen, Value::Array(vec![set])])
        }
    }
}

#[test]
fn simulated_histories_pass_and_falsified_ones_fail() {
    for seed in 0..60 {
        let history = simulated(seed);
        assert!(is_linearizable(&history), "seed {seed}");
        // Every value that is written as text is unique: nobody can have read this one.
        let mut falsified = history.clone();
        let read = falsified.iter_mut().rev().find(|operation| {
            matches!(operation.request, Request::One(Op::Get(_) | Op::GetSet(..)))
        });
        let read = read.unwrap_or_else(|| panic!("seed {seed} reads nothing"));
        read.reply = bulk("written by nobody");
        assert!(!is_linearizable(&falsified), "falsified, seed {seed}");
    }
}

#[test]
fn a_history_that_forgets_a_write_fails() {
    let mut caught = 0;
    for seed in 0..60 {
        let mut history = simulated(seed);
        // The write never happened, yet somebody may have read it: then no order explains that.
        let Some(at) = history.iter().position(|operation| {
            let Request::One(Op::Set(key, value)) = &operation.request else { return false };
            let seen = Value::Bulk(value.clone());
            history.iter().any(|other| {
                other.reply == seen
                    && matches!(&other.request, Request::One(Op::Get(k)) if k == key)
            }) && value.starts_with(b"c")
        }) else {
            continue;
        };
        history.remove(at);
        assert!(!is_linearizable(&history), "seed {seed}");
        caught += 1;
    }
    assert!(caught > 5, "only {caught} histories had such a write");
}
