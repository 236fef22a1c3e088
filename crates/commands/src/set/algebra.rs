//! Intersection, union and difference of sets that are held by reference.
//!
//! Each gives the members of the result to a closure, which may say that it has enough. Integer
//! sets are sorted, and are merged; for others the cheapest way is chosen from the sizes.

use std::ops::ControlFlow;

use collections::hash_table::HashTable;
use collections::listpack::Item;
use collections::prefetch::LOOK_AHEAD_MAX;
use collections::set::Set;

/// About so many look-ups, whose waits for memory overlap, take as long as an insertion.
const LOOK_UPS_PER_INSERTION: usize = 3;

/// What a closure says after each member.
pub(super) type Go = ControlFlow<()>;

/// What is done with several sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Intersection,
    Union,
    /// The members of the first that are in none of the others.
    Difference,
}

/// Gives the members of the result to `each`; a set that is none has no members. `seed` keys what
/// is hashed on the way.
pub(super) fn combine(
    operation: Operation,
    sets: &[Option<Set>],
    seed: u64,
    each: &mut dyn FnMut(Item<'_>) -> Go,
) {
    // Whether all went through or `each` had enough makes no difference here.
    let _ = match operation {
        Operation::Intersection => match sets.iter().map(Option::as_ref).collect() {
            Some(sets) => intersection(sets, each),
            None => Go::Continue(()),
        },
        Operation::Union => union(&sets.iter().flatten().collect::<Vec<_>>(), seed, each),
        Operation::Difference => match sets.split_first() {
            Some((Some(first), others)) => {
                let others: Vec<&Set> = others.iter().flatten().collect();
                difference(first, &others, seed, each)
            }
            _ => Go::Continue(()),
        },
    };
}

/// Goes through the smallest set and asks the others, the next smallest first.
fn intersection(mut sets: Vec<&Set>, each: &mut dyn FnMut(Item<'_>) -> Go) -> Go {
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first() else { return Go::Continue(()) };
    if let Some(mut integers) = smallest.integers() {
        let sorted: Option<Vec<_>> = others.iter().map(|set| set.integers()).collect();
        if let Some(sorted) = sorted {
            let mut sorted: Vec<_> = sorted.into_iter().map(Iterator::peekable).collect();
            return integers.try_for_each(|value| {
                let in_all = sorted.iter_mut().all(|other| {
                    while other.next_if(|&candidate| candidate < value).is_some() {}
                    other.peek() == Some(&value)
                });
                if in_all { each(Item::Int(value)) } else { Go::Continue(()) }
            });
        }
    }
    sift(smallest, others, true, each)
}

/// Gives those members of `set` to `each` that are in all `others`, or in none, as `wanted` says.
fn sift(set: &Set, others: &[&Set], wanted: bool, each: &mut dyn FnMut(Item<'_>) -> Go) -> Go {
    let (mut members, mut some) = (set.iter(), Vec::with_capacity(LOOK_AHEAD_MAX));
    loop {
        some.extend(members.by_ref().take(LOOK_AHEAD_MAX));
        if some.is_empty() {
            return Go::Continue(());
        }
        for other in others {
            other.sift(&mut some, wanted);
        }
        some.drain(..).try_for_each(&mut *each)?;
    }
}

fn union(sets: &[&Set], seed: u64, each: &mut dyn FnMut(Item<'_>) -> Go) -> Go {
    let sorted: Option<Vec<_>> = sets.iter().map(|set| set.integers()).collect();
    if let Some(sorted) = sorted {
        let mut integers: Vec<i64> = sorted.into_iter().flatten().collect();
        // A stable sort finds the ascending runs, which the sets are, and merges them.
        integers.sort();
        integers.dedup();
        return integers.into_iter().try_for_each(|value| each(Item::Int(value)));
    }
    let mut sets = sets.to_vec();
    // Whoever has the most members is not looked through.
    sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let asked: usize = sets.iter().enumerate().map(|(before, set)| before * set.len()).sum();
    let added: usize = sets.iter().map(|set| set.len()).sum();
    if asked <= added.saturating_mul(LOOK_UPS_PER_INSERTION) {
        let mut parts = (0..).zip(&sets);
        return parts.try_for_each(|(before, set)| sift(set, &sets[..before], false, each));
    }
    let mut seen = HashTable::new(seed);
    let mut digits = itoa::Buffer::new();
    sets.iter().flat_map(|set| set.iter()).try_for_each(|member| {
        if seen.insert(member.text(&mut digits), None) { each(member) } else { Go::Continue(()) }
    })
}

/// Either each member of the first set is looked for in all others, or the members of all others
/// are taken out of a copy of the first.
fn difference(first: &Set, others: &[&Set], seed: u64, each: &mut dyn FnMut(Item<'_>) -> Go) -> Go {
    let total: usize = others.iter().map(|set| set.len()).sum();
    // A look-up costs about half of a removal, and most members are found in the first few sets.
    let asking = first.len().saturating_mul(others.len()) / 2;
    if asking <= first.len().saturating_add(total) {
        let mut others = others.to_vec();
        // The largest is the likeliest to have a member.
        others.sort_by_key(|set| std::cmp::Reverse(set.len()));
        return sift(first, &others, false, each);
    }
    let mut left = HashTable::new(seed);
    let mut digits = itoa::Buffer::new();
    first.iter().for_each(|member| {
        left.insert(member.text(&mut digits), None);
    });
    for member in others.iter().flat_map(|set| set.iter()) {
        left.remove(member.text(&mut digits));
        if left.is_empty() {
            break;
        }
    }
    left.iter().try_for_each(|member| each(Item::Bytes(member.name())))
}
