//! An ordered map of which a clone is free: a B+ tree of reference-counted nodes.
//!
//! It holds what a stream has in order (sealed blocks by their first id, pending entries by id,
//! groups and consumers by name) and the slices of an array by their number. A clone shares the
//! root; a change copies the nodes on its way down that somebody else holds, at most one for each
//! level, and no others.
//!
//! ```text
//!              [ k0 | k3 | k9 ]            separators: at most the smallest key below, but for
//!             /      |       \             the first child, which takes everything smaller
//!  [k0 k1 k2]   [k3 k5 k8]   [k9 ...]      leaves: keys with their values
//! ```
//!
//! Invariants: no node is empty; all leaves are equally deep; keys ascend through the leaves; the
//! separator of every child but the first is a lower bound of its keys and above all keys before.
//!
//! Trade-offs: keys come mostly in ascending order, so a full node at the right edge is left full
//! and not halved; a node that shrinks is joined with a neighbour only when both together are
//! half full, so removal at the front, the common case, moves nothing. There are no links between
//! leaves (shared nodes cannot have them): an iterator goes on to the next leaf from the root.

use crate::unique::make_mut;
use std::borrow::Borrow;
use std::sync::Arc;

/// Most items of a node.
pub(crate) const FANOUT: usize = 64;
/// A node with fewer items looks for a neighbour to join.
const SMALL: usize = FANOUT / 4;
/// Two nodes join when they have at most this many items together.
const JOINED_MAX: usize = FANOUT / 2;

/// The map; see the module page.
#[derive(Debug)]
pub(crate) struct Tree<K, V> {
    root: Option<Arc<Node<K, V>>>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    Inner(Vec<Child<K, V>>),
}

type Child<K, V> = (K, Arc<Node<K, V>>);

/// What an insertion did to a node: the value it replaced, and the new node to its right.
struct Inserted<K, V> {
    replaced: Option<V>,
    split: Option<Child<K, V>>,
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Self {
        Self { root: None, len: 0 }
    }
}

impl<K, V> Clone for Tree<K, V> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), len: self.len }
    }
}

/// Looking.
impl<K, V> Tree<K, V> {
    /// The number of keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The leaf and the place of the first key for which `below` is false. `below` must be true
    /// for all keys up to some key and false from there on.
    fn seek(&self, below: impl Fn(&K) -> bool) -> Option<(&[(K, V)], usize)> {
        first_from(self.root.as_deref()?, &below)
    }

    /// The item of the first key for which `below` is false (see [`Tree::seek`]).
    pub fn first_from(&self, below: impl Fn(&K) -> bool) -> Option<(&K, &V)> {
        self.seek(below).map(|(leaf, at)| (&leaf[at].0, &leaf[at].1))
    }

    /// The item of the last key for which `below` is true (see [`Tree::seek`]).
    pub fn last_below(&self, below: impl Fn(&K) -> bool) -> Option<(&K, &V)> {
        last_below(self.root.as_deref()?, &below)
    }

    /// The items in ascending order, from the first key for which `below` is false on.
    pub fn iter_from(&self, below: impl Fn(&K) -> bool) -> Iter<'_, K, V>
    where
        K: Ord,
    {
        let (leaf, at) = self.seek(below).unwrap_or((&[], 0));
        Iter { tree: self, leaf, at }
    }

    /// The items in ascending order.
    pub fn iter(&self) -> Iter<'_, K, V>
    where
        K: Ord,
    {
        self.iter_from(|_| false)
    }

    /// The value of `key`.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut node = self.root.as_deref()?;
        loop {
            match node {
                Node::Leaf(items) => return Some(&items[find(items, key).ok()?].1),
                Node::Inner(children) => node = &children[child_of(children, key)].1,
            }
        }
    }
}

/// Changing.
impl<K: Clone + Ord, V: Clone> Tree<K, V> {
    /// The value of `key`, for changing; copies shared nodes on the way only if the key exists.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let mut node = self.root.as_mut()?;
        loop {
            match make_mut(node) {
                Node::Leaf(items) => {
                    let at = find(items, key).ok()?;
                    return Some(&mut items[at].1);
                }
                Node::Inner(children) => {
                    let at = child_of(children, key);
                    node = &mut children[at].1;
                }
            }
        }
    }

    /// Adds or replaces a value, and returns the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let Some(root) = &mut self.root else {
            self.root = Some(Arc::new(Node::Leaf(vec![(key, value)])));
            self.len = 1;
            return None;
        };
        let inserted = insert(root, key, value);
        if let Some(right) = inserted.split {
            let left = (first_key(root).clone(), Arc::clone(root));
            let mut children = Vec::with_capacity(FANOUT);
            children.extend([left, right]);
            *root = Arc::new(Node::Inner(children));
        }
        self.len += usize::from(inserted.replaced.is_none());
        inserted.replaced
    }

    /// Removes `key`, and returns its value; copies nothing if the key does not exist.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let root = self.root.as_mut()?;
        let removed = remove(root, key)?;
        self.len -= 1;
        self.root = self.root.take().filter(|_| self.len > 0).map(without_top);
        Some(removed)
    }
}

/// Building.
impl<K: Clone, V> Tree<K, V> {
    /// A tree of items whose keys ascend. O(n), with full nodes.
    pub fn from_ascending(items: impl IntoIterator<Item = (K, V)>) -> Self {
        let mut items = items.into_iter();
        let (mut len, mut level) = (0, Vec::new());
        loop {
            let leaf: Vec<_> = items.by_ref().take(FANOUT).collect();
            let Some((first, _)) = leaf.first() else { break };
            len += leaf.len();
            level.push((first.clone(), Arc::new(Node::Leaf(leaf))));
        }
        while level.len() > 1 {
            let mut below = level.into_iter();
            level = Vec::with_capacity(below.len().div_ceil(FANOUT));
            while below.len() > 0 {
                let children: Vec<_> = below.by_ref().take(FANOUT).collect();
                level.push((children[0].0.clone(), Arc::new(Node::Inner(children))));
            }
        }
        Self { root: level.pop().map(|(_, root)| root), len }
    }
}

/// Cutting.
impl<K: Clone, V: Clone> Tree<K, V> {
    /// Takes out all items in front of the first key for which `below` is false (see
    /// [`Tree::seek`]). Copies shared nodes along the cut; takes O(log n), and a look at each leaf
    /// that is taken out.
    pub fn split_front(&mut self, below: impl Fn(&K) -> bool) -> Self {
        let Some(root) = self.root.take() else { return Self::default() };
        let (front, back) = split(root, &below);
        let front = Self { len: front.as_deref().map_or(0, count), root: front.map(without_top) };
        self.root = back.map(without_top);
        self.len -= front.len;
        front
    }
}

/// What is left of a cut, and what is right of it.
type Halves<K, V> = (Option<Arc<Node<K, V>>>, Option<Arc<Node<K, V>>>);

/// Cuts a node in front of the first key for which `below` is false. The parts are as high as it
/// was.
fn split<K: Clone, V: Clone>(node: Arc<Node<K, V>>, below: &impl Fn(&K) -> bool) -> Halves<K, V> {
    let (front, back) = match Arc::unwrap_or_clone(node) {
        Node::Leaf(mut items) => {
            let back = items.split_off(items.partition_point(|(key, _)| below(key)));
            (Node::Leaf(items), Node::Leaf(back))
        }
        Node::Inner(mut children) => {
            let at = children.partition_point(|(key, _)| below(key)).saturating_sub(1);
            let mut back = children.split_off(at);
            let (separator, cut) = back.remove(0);
            let (left, right) = split(cut, below);
            children.extend(left.map(|left| (separator.clone(), left)));
            if let Some(right) = right {
                back.insert(0, (separator, right));
            }
            (Node::Inner(children), Node::Inner(back))
        }
    };
    let unless_empty = |node: Node<K, V>| (node.size() > 0).then(|| Arc::new(node));
    (unless_empty(front), unless_empty(back))
}

/// The node below which the tree branches for the first time.
fn without_top<K, V>(mut root: Arc<Node<K, V>>) -> Arc<Node<K, V>> {
    while let Node::Inner(children) = &*root
        && let [(_, only)] = &children[..]
    {
        root = Arc::clone(only);
    }
    root
}

/// The number of items below a node.
fn count<K, V>(node: &Node<K, V>) -> usize {
    match node {
        Node::Leaf(items) => items.len(),
        Node::Inner(children) => children.iter().map(|(_, child)| count(child)).sum(),
    }
}

fn find<K: Borrow<Q>, V, Q: Ord + ?Sized>(items: &[(K, V)], key: &Q) -> Result<usize, usize> {
    items.binary_search_by(|(probe, _)| probe.borrow().cmp(key))
}

/// The child under which `key` is, if it is anywhere.
fn child_of<K: Borrow<Q>, V, Q: Ord + ?Sized>(children: &[Child<K, V>], key: &Q) -> usize {
    let from_it = children.partition_point(|(separator, _)| separator.borrow() <= key);
    from_it.saturating_sub(1)
}

fn first_key<K, V>(node: &Node<K, V>) -> &K {
    match node {
        Node::Leaf(items) => &items[0].0,
        Node::Inner(children) => &children[0].0,
    }
}

fn first_from<'a, K, V>(
    node: &'a Node<K, V>,
    below: &impl Fn(&K) -> bool,
) -> Option<(&'a [(K, V)], usize)> {
    match node {
        Node::Leaf(items) => {
            let at = items.partition_point(|(key, _)| below(key));
            (at < items.len()).then_some((items, at))
        }
        Node::Inner(children) => {
            let at = children.partition_point(|(key, _)| below(key)).saturating_sub(1);
            // The child may end below the place; then the next one begins behind it.
            let next = || first_from(&children.get(at + 1)?.1, below);
            first_from(&children[at].1, below).or_else(next)
        }
    }
}

fn last_below<'a, K, V>(
    node: &'a Node<K, V>,
    below: &impl Fn(&K) -> bool,
) -> Option<(&'a K, &'a V)> {
    match node {
        Node::Leaf(items) => {
            let at = items.partition_point(|(key, _)| below(key)).checked_sub(1)?;
            Some((&items[at].0, &items[at].1))
        }
        Node::Inner(children) => {
            let at = children.partition_point(|(key, _)| below(key)).saturating_sub(1);
            // A separator is a lower bound: all keys of the child may be above the place.
            let before = || last_below(&children[at.checked_sub(1)?].1, below);
            last_below(&children[at].1, below).or_else(before)
        }
    }
}

fn insert<K: Clone + Ord, V: Clone>(
    node: &mut Arc<Node<K, V>>,
    key: K,
    value: V,
) -> Inserted<K, V> {
    match make_mut(node) {
        Node::Leaf(items) => match find(items, &key) {
            Ok(at) => {
                let replaced = Some(std::mem::replace(&mut items[at].1, value));
                Inserted { replaced, split: None }
            }
            Err(at) => {
                let right = insert_at(items, at, (key, value));
                let split = right.map(|right| (right[0].0.clone(), Arc::new(Node::Leaf(right))));
                Inserted { replaced: None, split }
            }
        },
        Node::Inner(children) => {
            let at = child_of(children, &key);
            let below = insert(&mut children[at].1, key, value);
            let right = below.split.and_then(|child| insert_at(children, at + 1, child));
            let split = right.map(|right| (right[0].0.clone(), Arc::new(Node::Inner(right))));
            Inserted { replaced: below.replaced, split }
        }
    }
}

/// Inserts into a node's items, and returns the right part if they had to be cut in two: in the
/// middle, or at the end for an item that comes last.
fn insert_at<T>(items: &mut Vec<T>, at: usize, item: T) -> Option<Vec<T>> {
    if items.len() < FANOUT {
        items.insert(at, item);
        return None;
    }
    let cut = if at == FANOUT { FANOUT } else { FANOUT / 2 };
    let mut right = Vec::with_capacity(FANOUT);
    right.extend(items.drain(cut..));
    if at < cut {
        items.insert(at, item)
    } else {
        right.insert(at - cut, item)
    }
    Some(right)
}

/// Removes a key that may exist; leaves `node` empty if it was the last.
fn remove<K: Clone + Ord + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(
    node: &mut Arc<Node<K, V>>,
    key: &Q,
) -> Option<V> {
    match make_mut(node) {
        Node::Leaf(items) => Some(items.remove(find(items, key).ok()?).1),
        Node::Inner(children) => {
            let at = child_of(children, key);
            let removed = remove(&mut children[at].1, key);
            tidy(children, at);
            removed
        }
    }
}

/// Drops the child at `at` if it is empty, or joins it with a neighbour if both are small.
fn tidy<K: Clone, V: Clone>(children: &mut Vec<Child<K, V>>, at: usize) {
    let size = children[at].1.size();
    if size == 0 {
        children.remove(at);
        return;
    }
    let left = if at + 1 < children.len() { at } else { at.wrapping_sub(1) };
    if size >= SMALL || left >= children.len() {
        return;
    }
    if children[left].1.size() + children[left + 1].1.size() > JOINED_MAX {
        return;
    }
    let (separator, right) = children.remove(left + 1);
    match (make_mut(&mut children[left].1), Arc::unwrap_or_clone(right)) {
        (Node::Leaf(items), Node::Leaf(more)) => items.extend(more),
        (Node::Inner(items), Node::Inner(mut more)) => {
            // As a first child it could have smaller keys than its separator; no longer.
            more[0].0 = separator;
            items.extend(more);
        }
        _ => unreachable!("neighbours are equally deep"),
    }
}

impl<K, V> Node<K, V> {
    fn size(&self) -> usize {
        match self {
            Self::Leaf(items) => items.len(),
            Self::Inner(children) => children.len(),
        }
    }
}

/// The items of a tree in ascending order.
#[derive(Debug)]
pub(crate) struct Iter<'a, K, V> {
    tree: &'a Tree<K, V>,
    leaf: &'a [(K, V)],
    at: usize,
}

impl<'a, K: Ord, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.leaf.len() {
            let last = &self.leaf.last()?.0;
            (self.leaf, self.at) = self.tree.seek(|key| key <= last).unwrap_or((&[], 0));
        }
        let (key, value) = self.leaf.get(self.at)?;
        self.at += 1;
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use stdx::rng::Rng;

    use super::*;

    impl<K: Clone + Ord + std::fmt::Debug, V> Tree<K, V> {
        /// Checks the invariants of the module page.
        fn check(&self) {
            let mut keys = Vec::new();
            if let Some(root) = &self.root {
                check(root, None, &mut keys);
            }
            assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
            assert_eq!(keys.len(), self.len);
        }
    }

    fn check<K: Clone + Ord, V>(node: &Node<K, V>, bound: Option<&K>, out: &mut Vec<K>) -> usize {
        assert!((1..=FANOUT).contains(&node.size()));
        match node {
            Node::Leaf(items) => {
                assert!(bound.is_none_or(|bound| *bound <= items[0].0));
                out.extend(items.iter().map(|(key, _)| key.clone()));
                0
            }
            Node::Inner(children) => {
                let mut depth = None;
                for (index, (separator, child)) in children.iter().enumerate() {
                    assert!(index == 0 || out.last() < Some(separator));
                    let lower = if index == 0 { bound } else { Some(separator) };
                    let below = check(child, lower, out);
                    assert_eq!(*depth.get_or_insert(below), below);
                }
                depth.expect("no node is empty") + 1
            }
        }
    }

    fn run(seed: u64, keys: u64, steps: u64) {
        println!("seed {seed}; replay: run({seed}, {keys}, {steps})");
        let mut rng = Rng::seed(seed);
        let (mut tree, mut model) = (Tree::<u64, u64>::default(), BTreeMap::new());
        let mut frozen: Vec<(Tree<u64, u64>, BTreeMap<u64, u64>)> = Vec::new();
        for step in 0..steps {
            let key = rng.below(keys);
            // Phases that grow and phases that shrink, so that every shape is met.
            let grow = step / 2000 % 2 == 0;
            match rng.below(10) {
                0..=5 if grow => assert_eq!(tree.insert(key, step), model.insert(key, step)),
                0..=5 => assert_eq!(tree.remove(&key), model.remove(&key)),
                6 => {
                    if let Some(value) = tree.get_mut(&key) {
                        *value += 1;
                        *model.get_mut(&key).unwrap() += 1;
                    }
                }
                7 => {
                    let next = model.range(key..).next();
                    assert_eq!(tree.first_from(|probe| *probe < key), next);
                    let before = model.range(..key).next_back();
                    assert_eq!(tree.last_below(|probe| *probe < key), before);
                }
                8 if rng.chance(1, 200) => {
                    let back = model.split_off(&key);
                    let front = std::mem::replace(&mut model, back);
                    let taken = tree.split_front(|probe| *probe < key);
                    taken.check();
                    tree.check();
                    assert!(taken.iter().eq(front.iter()));
                }
                8 if rng.chance(1, 200) => {
                    tree = Tree::from_ascending(model.iter().map(|(key, value)| (*key, *value)));
                    tree.check();
                }
                8 => assert!(tree.iter_from(|probe| *probe < key).eq(model.range(key..))),
                _ if rng.chance(1, 50) => {
                    frozen.truncate(3);
                    frozen.insert(0, (tree.clone(), model.clone()));
                }
                _ => assert_eq!(tree.get(&key), model.get(&key)),
            }
            assert_eq!(tree.len(), model.len());
            if step % 97 == 0 {
                tree.check();
            }
        }
        for (tree, model) in &frozen {
            tree.check();
            assert!(tree.iter().eq(model.iter()), "a clone is frozen");
        }
        for key in model.keys() {
            tree.remove(key);
        }
        assert!(tree.root.is_none());
    }

    #[test]
    fn behaves_as_a_map() {
        run(1, 50, 10_000);
        run(2, 3_000, 40_000);
        run(3, 1 << 40, 20_000);
    }

    #[test]
    fn ascending_keys_leave_full_nodes() {
        let mut tree = Tree::default();
        for key in 0..10_000u64 {
            tree.insert(key, ());
        }
        tree.check();
        fn leaves<K, V>(node: &Node<K, V>) -> usize {
            match node {
                Node::Leaf(_) => 1,
                Node::Inner(children) => children.iter().map(|(_, child)| leaves(child)).sum(),
            }
        }
        assert_eq!(leaves(tree.root.as_ref().unwrap()), 10_000usize.div_ceil(FANOUT));
        (0..10_000u64).for_each(|key| assert!(tree.remove(&key).is_some()));
    }

    #[test]
    fn a_change_copies_one_path() {
        let mut tree = Tree::default();
        for key in 0..10_000u64 {
            tree.insert(key, Arc::new(key));
        }
        let frozen = tree.clone();
        tree.insert(5_000, Arc::new(0));
        let copied = tree.iter().filter(|(_, value)| Arc::strong_count(value) > 1).count();
        assert!((1..FANOUT).contains(&copied), "{copied} values were copied, one leaf's expected");
        assert_eq!(**frozen.get(&5_000).unwrap(), 5_000);
    }
}
