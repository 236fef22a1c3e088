//! `SORT` and `SORT_RO`: the elements of a list, set or sorted set in an order.
//!
//! A `BY` or `GET` pattern names keys by what is in the value, so nobody can tell them before. A
//! command line with such a pattern runs under all locks ([`Reach::Anywhere`]); without one only
//! the value and the destination of `STORE` are locked. The value itself is held by a reference,
//! and as soon as no further key is needed the locks are given back: sorting, and writing the
//! reply of a sort without `GET`, hold nobody up.

mod order;
mod pattern;
mod request;
#[cfg(test)]
mod tests;
mod texts;

use std::ops::Range;

use collections::list::{End, List};
use command::keys::FoundKey;
use command::spec::Reach;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Args;
use store::{Deadline, Event, EventClass, NewValue, Object, ObjectRef, ValueRef};

use order::{Comparison, Weights};
use pattern::Get;
use request::{Order, Request};
use texts::Texts;

const BY_AND_GET: KeySpec = KeySpec::unknown(KeyFlags::RO.union(KeyFlags::ACCESS))
    .notes("The keys of the optional BY and GET patterns, whose names are made of the elements.");
const STORE: KeySpec = KeySpec::unknown(KeyFlags::OW.union(KeyFlags::UPDATE))
    .notes("The key of the optional word STORE, which may stand anywhere.");

const READ_KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS)), BY_AND_GET];
const KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS)), BY_AND_GET, STORE];

const KEY: Arg = Arg::key("key", 0);
const BY: Arg = pattern_arg("by-pattern", "BY").optional();
const LIMIT: Arg =
    Arg::block("limit", &[Arg::integer("offset"), Arg::integer("count")]).token("LIMIT").optional();
const GET: Arg = pattern_arg("get-pattern", "GET").optional().multiple_token();
const ORDER: Arg =
    Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional();
const SORTING: Arg = Arg::word("sorting", "ALPHA").optional();
const DESTINATION: Arg = Arg::key("destination", 2).token("STORE").optional();

/// A pattern of the keys of the second key spec.
const fn pattern_arg(name: &'static str, token: &'static str) -> Arg {
    let mut arg = Arg::pattern(name).display("pattern").token(token);
    arg.key_spec = Some(1);
    arg
}

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    let complexity = "O(N+M*log(M)) for N elements, of which M are returned; O(N) if they keep \
                      the order that they have.";
    let types = Categories::SET.union(Categories::SORTEDSET).union(Categories::LIST);
    Spec::new(name, Group::Generic, since, -2, complexity, summary)
        .acl(types.union(Categories::DANGEROUS))
}

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE key]`.
pub(super) static SORT: DataCommand = DataCommand::new(
    spec("sort", "1.0.0", "Sorts the elements of a list, set or sorted set; may store them.")
        .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::MOVABLE_KEYS))
        .keys(KEYS)
        .more_keys(|args, found| {
            if let Some(index) = request::destination(args) {
                found(FoundKey { index, flags: STORE.flags });
            }
            reach(args)
        })
        .args(&[KEY, BY, LIMIT, GET, ORDER, SORTING, DESTINATION]),
    |cx| run(cx, true),
);

/// `SORT_RO`: `SORT` without `STORE`.
pub(super) static SORT_RO: DataCommand = DataCommand::new(
    spec("sort_ro", "7.0.0", "Returns the elements of a list, set or sorted set, sorted.")
        .flags(Flags::READONLY.union(Flags::MOVABLE_KEYS))
        .keys(READ_KEYS)
        .more_keys(|args, _| reach(args))
        .args(&[KEY, BY, LIMIT, GET, ORDER, SORTING]),
    |cx| run(cx, false),
);

fn reach(args: Args<'_>) -> Reach {
    if request::follows_patterns(args) { Reach::Anywhere } else { Reach::Named }
}

fn run(cx: &mut Cx<'_>, may_store: bool) -> Result<(), CommandError> {
    let mut request = Request::parse(cx.args, may_store)?;
    let object = held(cx, request.key)?;
    let is_set = matches!(object, Some(Object::Set(_)));
    let keeps_order = request.settle_order(is_set, cx.db.effects.in_script);
    let len = object.as_ref().map_or(0, len);
    let mut window = request.window(len);
    let mut texts = Texts::default();
    if let Some(object) = &object {
        if keeps_order {
            texts = in_place(object, window, request.descending);
            window = 0..texts.len();
        } else {
            texts = all(object);
        }
    }
    let weights = if keeps_order { Weights::Own } else { weigh(cx, &request, &texts)? };
    if request.needs_no_more_keys() {
        cx.db.release();
    }
    let order: Vec<usize> = if keeps_order {
        window.collect()
    } else {
        order::sort(&Comparison { texts: &texts, weights: &weights, request: &request }, window)
    };
    match request.store {
        None => answer(cx, &request, &texts, &order),
        Some(destination) => store(cx, &request, destination, &texts, &order),
    }
    Ok(())
}

/// The value, held by a reference.
fn held(cx: &mut Cx<'_>, key: &[u8]) -> Result<Option<Object>, CommandError> {
    let Some(entry) = cx.db.read(key) else { return Ok(None) };
    match entry.value() {
        ValueRef::Object(
            object @ (ObjectRef::List(_) | ObjectRef::Set(_) | ObjectRef::SortedSet(_)),
        ) => Ok(Some(object.share())),
        _ => Err(CommandError::WRONG_TYPE),
    }
}

const NO_OTHER_TYPE: &str = "other types were refused when the value was looked up";

fn len(object: &Object) -> usize {
    match object {
        Object::List(list) => list.len(),
        Object::Set(set) => set.len(),
        Object::SortedSet(set) => set.len(),
        _ => unreachable!("{NO_OTHER_TYPE}"),
    }
}

/// All elements, in any order.
fn all(object: &Object) -> Texts {
    match object {
        Object::Set(set) => set.iter().collect(),
        object => in_place(object, 0..len(object), false),
    }
}

/// Those elements of `window` in the order that they have; counted from the other end, and
/// backwards, if `descending`. Sets have no order that could be turned around.
fn in_place(object: &Object, window: Range<usize>, descending: bool) -> Texts {
    let (skipped, count) = (window.start, window.len());
    if count == 0 {
        return Texts::default();
    }
    match object {
        Object::List(list) if descending => {
            list_part(list, list.len() - 1 - skipped, count, End::Back)
        }
        Object::List(list) => list_part(list, skipped, count, End::Front),
        Object::Set(set) => set.iter().skip(skipped).take(count).collect(),
        Object::SortedSet(set) if descending => {
            let end = set.len() - skipped;
            set.range(end - count..end).rev().map(|element| element.member).collect()
        }
        Object::SortedSet(set) => set.range(window).map(|element| element.member).collect(),
        _ => unreachable!("{NO_OTHER_TYPE}"),
    }
}

fn list_part(list: &List, from: usize, count: usize, start: End) -> Texts {
    use std::ops::ControlFlow;
    let mut texts = Texts::default();
    let _ = list.visit::<()>(from, start, &mut |item| {
        texts.push(item);
        if texts.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    texts
}

/// What the elements are compared by.
fn weigh(cx: &mut Cx<'_>, request: &Request<'_>, texts: &Texts) -> Result<Weights, CommandError> {
    let mut digits = itoa::Buffer::new();
    let mut scratch = Vec::new();
    match (&request.order, request.alpha) {
        (Order::By(pattern), true) => {
            let mut weights = Vec::with_capacity(texts.len());
            for text in texts.iter() {
                weights.push(pattern.find(&mut cx.db, text, &mut scratch, |found| {
                    found.and_then(|found| Some(found.text(&mut digits)?.into()))
                }));
            }
            Ok(Weights::Texts(weights))
        }
        (Order::By(pattern), false) => {
            let mut weights = Vec::with_capacity(texts.len());
            for text in texts.iter() {
                let weight = pattern.find(&mut cx.db, text, &mut scratch, |found| {
                    found.and_then(|found| Some(order::number(found.text(&mut digits)?)))
                });
                weights.push(weight.unwrap_or(Some(0.0)));
            }
            order::numbers(weights)
        }
        (_, true) => Ok(Weights::Own),
        (_, false) => order::numbers(texts.iter().map(order::number).collect()),
    }
}

fn answer(cx: &mut Cx<'_>, request: &Request<'_>, texts: &Texts, order: &[usize]) {
    cx.reply.array(order.len() * request.gets.len().max(1));
    let mut scratch = Vec::new();
    for &index in order {
        let text = texts.get(index);
        if request.gets.is_empty() {
            cx.reply.bulk(text);
        }
        for get in &request.gets {
            match get {
                Get::Element => cx.reply.bulk(text),
                Get::Nothing => cx.reply.null(),
                Get::Pattern(pattern) => {
                    let reply = &mut *cx.reply;
                    pattern.find(&mut cx.db, text, &mut scratch, |found| match found {
                        Some(found) => found.reply(reply),
                        None => reply.null(),
                    });
                }
            }
        }
    }
}

fn store(
    cx: &mut Cx<'_>,
    request: &Request<'_>,
    destination: &[u8],
    texts: &Texts,
    order: &[usize],
) {
    let limits = crate::list::limits(cx.config);
    let mut list = List::default();
    let (mut scratch, mut digits) = (Vec::new(), itoa::Buffer::new());
    for &index in order {
        let text = texts.get(index);
        if request.gets.is_empty() {
            list.push(End::Back, text, limits);
        }
        for get in &request.gets {
            let mut push = |text: &[u8]| list.push(End::Back, text, limits);
            match get {
                Get::Element => push(text),
                Get::Nothing => push(b""),
                Get::Pattern(pattern) => pattern.find(&mut cx.db, text, &mut scratch, |found| {
                    push(found.and_then(|found| found.text(&mut digits)).unwrap_or_default());
                }),
            }
        }
    }
    let len = list.len();
    let mut edit = cx.db.edit(destination);
    if len == 0 {
        edit.remove(Event::generic("del"));
    } else {
        let event = Event { class: EventClass::List, name: "sortstore" };
        edit.set(NewValue::Object(list.into()), Deadline::Clear, event);
        // Every element counts as a change; the key itself has been counted.
        edit.effects().dirty += len as u64 - 1;
    }
    cx.reply.integer(len as i64);
}
