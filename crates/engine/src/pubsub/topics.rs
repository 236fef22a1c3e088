//! Channels and their subscribers.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashbrown::{DefaultHashBuilder, HashMap};
use parking_lot::Mutex;

/// Parts of the table, each with its own lock, so that publishers to different channels seldom
/// wait for each other.
const PARTS: usize = 64;

/// A part with room for so many times its channels gives the room back.
const SPARSE: usize = 16;

type Part = Mutex<HashMap<Box<[u8]>, Listeners>>;

/// The channels that have subscribers.
#[derive(Debug)]
pub(super) struct Topics {
    parts: [Part; PARTS],
    len: AtomicUsize,
    hasher: DefaultHashBuilder,
}

impl Default for Topics {
    fn default() -> Self {
        let parts = std::array::from_fn(|_| Part::default());
        Self { parts, len: AtomicUsize::new(0), hasher: DefaultHashBuilder::default() }
    }
}

impl Topics {
    /// Number of channels with subscribers.
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with the subscribers of `name`, if there are any, while nobody else can come
    /// or go or be sent a message.
    pub(super) fn with<R>(&self, name: &[u8], visit: impl FnOnce(&Listeners) -> R) -> Option<R> {
        if self.is_empty() {
            return None;
        }
        self.part(name).lock().get(name).map(visit)
    }

    /// The names for which `wanted` holds.
    pub(super) fn names(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<Box<[u8]>> {
        let mut names = Vec::new();
        for part in &self.parts {
            let part = part.lock();
            names.extend(part.keys().filter(|name| wanted(name)).cloned());
        }
        names
    }

    pub(super) fn add(&self, name: &[u8], thread: usize, client: u64) {
        let mut part = self.part(name).lock();
        let listeners = part.entry(name.into()).or_insert_with(|| {
            self.len.fetch_add(1, Ordering::Relaxed);
            Listeners::default()
        });
        listeners.add(thread, client);
    }

    pub(super) fn remove(&self, name: &[u8], thread: usize, client: u64) {
        let mut part = self.part(name).lock();
        let Some(listeners) = part.get_mut(name) else { return };
        listeners.remove(thread, client);
        if listeners.is_empty() {
            part.remove(name);
            self.len.fetch_sub(1, Ordering::Relaxed);
            let len = part.len();
            if part.capacity() > SPARSE * (len + 1) {
                part.shrink_to(2 * len);
            }
        }
    }

    fn part(&self, name: &[u8]) -> &Part {
        &self.parts[self.hasher.hash_one(name) as usize % PARTS]
    }
}

/// Those who listen to one channel or pattern, by the event loop that owns them.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    threads: Vec<(usize, Arc<Vec<u64>>)>,
}

impl Listeners {
    /// Number of subscribers.
    pub(crate) fn len(&self) -> usize {
        self.threads.iter().map(|(_, clients)| clients.len()).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// Each event loop's number with its clients.
    pub(crate) fn by_thread(&self) -> impl Iterator<Item = (usize, &Arc<Vec<u64>>)> {
        self.threads.iter().map(|(thread, clients)| (*thread, clients))
    }

    pub(crate) fn add(&mut self, thread: usize, client: u64) {
        // A list that a message on its way holds is left to it.
        match self.threads.iter_mut().find(|(number, _)| *number == thread) {
            Some((_, clients)) => Arc::make_mut(clients).push(client),
            None => self.threads.push((thread, Arc::new(vec![client]))),
        }
    }

    pub(crate) fn remove(&mut self, thread: usize, client: u64) {
        let Some(at) = self.threads.iter().position(|(number, _)| *number == thread) else {
            return;
        };
        let clients = Arc::make_mut(&mut self.threads[at].1);
        // Who came first is served first: the order stays.
        clients.retain(|&known| known != client);
        if clients.is_empty() {
            self.threads.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_lives_as_long_as_it_has_listeners() {
        let topics = Topics::default();
        topics.add(b"a", 0, 1);
        topics.add(b"a", 1, 2);
        topics.add(b"b", 0, 1);
        assert_eq!((topics.len(), topics.with(b"a", Listeners::len)), (2, Some(2)));
        topics.remove(b"a", 0, 1);
        topics.remove(b"a", 0, 9);
        let left = topics.with(b"a", |listeners| {
            listeners.by_thread().map(|(thread, clients)| (thread, clients.to_vec())).collect()
        });
        assert_eq!(left, Some(vec![(1, vec![2])]));
        topics.remove(b"a", 1, 2);
        assert_eq!(topics.with(b"a", Listeners::len), None);
        assert_eq!(topics.names(|_| true), [Box::from(&b"b"[..])]);
    }

    #[test]
    fn many_channels_leave_no_room_behind() {
        let topics = Topics::default();
        let names: Vec<String> = (0..64 * 1000).map(|number| format!("ch:{number}")).collect();
        names.iter().for_each(|name| topics.add(name.as_bytes(), 0, 1));
        names.iter().for_each(|name| topics.remove(name.as_bytes(), 0, 1));
        assert!(topics.is_empty());
        assert!(topics.parts.iter().all(|part| part.lock().capacity() <= SPARSE));
    }

    #[test]
    fn a_list_on_its_way_does_not_change() {
        let mut listeners = Listeners::default();
        listeners.add(0, 1);
        let sent = listeners.by_thread().next().unwrap().1.clone();
        listeners.add(0, 2);
        assert_eq!((sent.len(), listeners.len()), (1, 2));
    }
}
