//! Looking ahead within a command that names several elements of one collection.
//!
//! As for the commands of a pipeline, the waits for memory of some look-ups overlap when all are
//! asked for before the first is made. The first element of a command was asked for with its
//! pipeline; the others are by this.

use collections::entry::Collection;
use collections::prefetch::LOOK_AHEAD_MAX;

/// The names of elements that a command works on, in order.
pub(crate) struct LookAhead<I> {
    /// Those that were not asked for.
    names: I,
    /// How many that were asked for come before them.
    asked: usize,
}

impl<'a, I: Iterator<Item = &'a [u8]>> LookAhead<I> {
    /// Of a command that names `count` elements.
    pub(crate) fn new(names: I, count: usize) -> Self {
        // A single one was asked for with its pipeline.
        Self { names, asked: if count > 1 { 0 } else { usize::MAX } }
    }

    /// To be called before each element is looked up.
    #[inline]
    pub(crate) fn step(&mut self, collection: &impl Collection) {
        if self.asked == 0 {
            self.ask(collection);
        }
        self.asked -= 1;
    }

    fn ask(&mut self, collection: &impl Collection) {
        let mut batch = [&[][..]; LOOK_AHEAD_MAX];
        let mut count = 0;
        for (place, name) in batch.iter_mut().zip(&mut self.names) {
            (*place, count) = (name, count + 1);
        }
        collection.prefetch(&batch[..count]);
        self.asked = count.max(1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use collections::Pieces;

    use super::*;

    /// Remembers what it was asked for.
    #[derive(Debug, Default)]
    struct Asked(Mutex<Vec<Vec<String>>>);

    impl Clone for Asked {
        fn clone(&self) -> Self {
            Self::default()
        }
    }

    impl Pieces for Asked {
        fn pieces(&self) -> usize {
            1
        }
    }

    impl Collection for Asked {
        const TYPE_NAME: &'static str = "asked";

        fn is_empty(&self) -> bool {
            false
        }

        fn elements(&self) -> usize {
            0
        }

        fn prefetch(&self, names: &[&[u8]]) {
            let names = names.iter().map(|name| String::from_utf8_lossy(name).into_owned());
            self.0.lock().unwrap().push(names.collect());
        }

        fn for_each(&self, _visit: &mut dyn FnMut(&[&[u8]])) {}

        fn encoding(&self) -> &'static str {
            "asked"
        }

        fn allocated_bytes(&self) -> usize {
            0
        }
    }

    #[test]
    fn every_element_is_asked_for_before_it_is_looked_up() {
        for count in [1, 2, LOOK_AHEAD_MAX, LOOK_AHEAD_MAX + 1, 3 * LOOK_AHEAD_MAX] {
            let names: Vec<String> = (0..count).map(|name| name.to_string()).collect();
            let collection = Asked::default();
            let mut ahead = LookAhead::new(names.iter().map(String::as_bytes), count);
            for (looked_up, name) in names.iter().enumerate() {
                ahead.step(&collection);
                let asked = collection.0.lock().unwrap().concat();
                assert!(count == 1 || asked[looked_up] == *name);
                assert!(asked.len() <= looked_up + LOOK_AHEAD_MAX);
            }
            let asked = collection.0.lock().unwrap().concat();
            assert_eq!(asked, if count > 1 { names } else { Vec::new() });
        }
    }
}
