//! The list against a deque: all changes, with limits that change on the way, compressed nodes,
//! and clones held while writing.
#![no_main]

use std::collections::VecDeque;
use std::ops::ControlFlow;

use collections::entry::Collection;
use collections::list::{End, Limits, List};
use libfuzzer_sys::fuzz_target;

type Model = VecDeque<Vec<u8>>;

/// A text from two bytes: an integer, or a letter repeated up to 16,000 times.
fn element(a: u8, b: u8) -> Vec<u8> {
    match a % 4 {
        0 => b.to_string().into_bytes(),
        1 => (i64::from(b) << (a / 4)).to_string().into_bytes(),
        2 => vec![b; usize::from(a)],
        _ => vec![b'a' + b % 26; usize::from(a) * usize::from(b) / 4],
    }
}

fn remove_equal(model: &mut Model, element: &[u8], start: End, limit: usize) -> usize {
    for removed in 0..limit {
        let found = match start {
            End::Front => model.iter().position(|e| e == element),
            End::Back => model.iter().rposition(|e| e == element),
        };
        match found {
            Some(index) => drop(model.remove(index)),
            None => return removed,
        }
    }
    limit
}

fn assert_equal(list: &List, model: &Model) {
    assert_eq!(list.len(), model.len());
    let mut expected = model.iter();
    list.for_each(&mut |parts| assert_eq!(Some(parts[0]), expected.next().map(Vec::as_slice)));
    assert!(expected.next().is_none());
    // From behind, from somewhere in the middle.
    let from = model.len() / 2;
    let mut expected = model.iter().take(from + 1).rev();
    let _ = list.visit::<()>(from, End::Back, &mut |item| {
        let mut text = Vec::new();
        item.write_text(&mut text);
        assert_eq!(Some(&text), expected.next());
        ControlFlow::Continue(())
    });
    assert!(expected.next().is_none());
}

fuzz_target!(|steps: Vec<(u8, u8, u8, u16)>| {
    let (mut list, mut model) = (List::default(), Model::new());
    let mut limits = Limits::default();
    let mut frozen = Vec::new();
    for (step, a, b, at) in steps {
        let end = if step < 128 { End::Front } else { End::Back };
        let new = element(a, b);
        let at = usize::from(at) % (model.len() + 1);
        let inside = at < model.len();
        match step % 9 {
            0 => (0..=b % 32).for_each(|_| {
                list.push(end, &new, limits);
                match end {
                    End::Front => model.push_front(new.clone()),
                    End::Back => model.push_back(new.clone()),
                }
            }),
            1 => {
                let popped = list.pop(end, limits, |item| {
                    let mut text = Vec::new();
                    item.write_text(&mut text);
                    text
                });
                let expected = match end {
                    End::Front => model.pop_front(),
                    End::Back => model.pop_back(),
                };
                assert_eq!(popped, expected);
            }
            2 if inside => {
                list.insert(at, end, &new, limits);
                model.insert(at + usize::from(end == End::Back), new);
            }
            3 if inside => {
                list.set(at, &new, limits);
                model[at] = new;
            }
            4 => {
                let removed = remove_equal(&mut model, &new, end, usize::from(b % 5));
                assert_eq!(list.remove_equal(&new, end, usize::from(b % 5), limits).0, removed);
            }
            5 => {
                list.remove_range(at, usize::from(b), limits);
                model.drain(at..(at + usize::from(b)).min(model.len()));
            }
            6 => {
                let max_listpack_size = i64::from(a as i8);
                limits = Limits { max_listpack_size, compress_depth: u32::from(b % 4) };
            }
            7 if frozen.len() < 4 => frozen.push((list.clone(), model.clone())),
            _ => assert_equal(&list, &model),
        }
    }
    frozen.push((list, model));
    for (list, model) in &frozen {
        assert_equal(list, model);
    }
});
