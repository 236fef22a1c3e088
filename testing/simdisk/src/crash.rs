//! What a machine finds that has lost its power.
//!
//! What was flushed is there. Of what was not, anything may be: of the bytes behind the flushed
//! part of a file any number, cut in the middle of anything, and behind them zeros where the length
//! had reached the disk and the bytes had not; of the names that were created, changed and removed
//! since their directory was flushed, each change or none, in whatever combination. A flush that
//! failed has promised nothing, and what it was to write may be lost although later flushes
//! succeed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use stdx::rng::Rng;

use crate::{Inode, Operation, SimDisk, State};

/// A file on its way to the disk.
#[derive(Clone, Debug, Default)]
struct File {
    content: Vec<u8>,
    /// Bytes at the beginning that are on the disk.
    flushed: usize,
    /// Bytes that a failed flush has lost.
    lost: Vec<Range<usize>>,
}

/// A change of names that is not on the disk yet.
#[derive(Clone, Debug)]
struct Change {
    directory: String,
    /// The names that change, and what they stand for then.
    names: Vec<(String, Option<Inode>)>,
}

#[derive(Debug, Default)]
struct Machine {
    files: BTreeMap<Inode, File>,
    /// As the process sees them.
    names: BTreeMap<String, Inode>,
    /// On the disk.
    flushed: BTreeMap<String, Inode>,
    changes: Vec<Change>,
    directories: BTreeSet<String>,
}

fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(directory, _)| directory)
}

impl Machine {
    fn perform(&mut self, operation: &Operation) {
        match operation {
            Operation::Create { name, inode } => {
                self.files.insert(*inode, File::default());
                self.change(vec![(name.clone(), Some(*inode))]);
            }
            Operation::Append { inode, bytes } => {
                self.files.entry(*inode).or_default().content.extend_from_slice(bytes);
            }
            Operation::Truncate { inode, len } => {
                let file = self.files.entry(*inode).or_default();
                file.content.resize(*len, 0);
                file.flushed = file.flushed.min(*len);
                // What is written there from now on is written anew.
                file.lost.iter_mut().for_each(|lost| lost.end = lost.end.min(*len));
            }
            Operation::Sync { inode, ok } => {
                let file = self.files.entry(*inode).or_default();
                let end = file.content.len();
                if !ok {
                    file.lost.push(file.flushed..end);
                }
                file.flushed = end;
            }
            Operation::Rename { from, to } => {
                let inode = self.names.get(from).copied();
                self.change(vec![(from.clone(), None), (to.clone(), inode)]);
            }
            Operation::Remove { name } => self.change(vec![(name.clone(), None)]),
            // Directories are created once, before anything is put into them.
            Operation::Directory { name } => {
                self.directories.insert(name.clone());
            }
            Operation::SyncDirectory { name } => {
                let (done, rest) =
                    self.changes.drain(..).partition(|change| change.directory == *name);
                self.changes = rest;
                let done: Vec<Change> = done;
                done.iter().for_each(|change| apply(&mut self.flushed, change));
            }
        }
    }

    fn change(&mut self, names: Vec<(String, Option<Inode>)>) {
        let directory = parent(&names.last().expect("a change is of some name").0).to_owned();
        let change = Change { directory, names };
        apply(&mut self.names, &change);
        self.changes.push(change);
    }

    /// What is found after a loss of power now.
    fn image(mut self, rng: &mut Rng) -> State {
        for change in &self.changes {
            if rng.below(2) == 0 {
                apply(&mut self.flushed, change);
            }
        }
        let mut image = State { directories: self.directories, ..State::default() };
        for (name, inode) in &self.flushed {
            let file = self.files.get(inode).cloned().unwrap_or_default();
            let number = image.files.len();
            image.files.push(torn(file, rng));
            image.names.insert(name.clone(), number);
        }
        image
    }
}

fn apply(names: &mut BTreeMap<String, Inode>, change: &Change) {
    for (name, inode) in &change.names {
        match inode {
            Some(inode) => names.insert(name.clone(), *inode),
            None => names.remove(name),
        };
    }
}

/// What is found of a file.
fn torn(mut file: File, rng: &mut Rng) -> Vec<u8> {
    for lost in file.lost {
        let end = lost.end.min(file.content.len());
        if lost.start < end && rng.below(2) == 0 {
            file.content[lost.start..end].fill(0);
        }
    }
    let loose = file.content.len() - file.flushed.min(file.content.len());
    if loose == 0 {
        return file.content;
    }
    // All, nothing and something in between are equally likely.
    let kept = match rng.below(3) {
        0 => loose,
        1 => 0,
        _ => rng.index(loose + 1),
    };
    let zeros = if rng.below(4) == 0 { rng.index(loose - kept + 1) } else { 0 };
    file.content.truncate(file.flushed + kept);
    file.content.resize(file.flushed + kept + zeros, 0);
    file.content
}

impl SimDisk {
    /// What a machine finds that lost its power after the first `operations` of this disk's
    /// operations: one of the possibilities, drawn with `seed`.
    #[must_use]
    pub fn after_crash(&self, operations: usize, seed: u64) -> Self {
        let state = self.state.lock();
        let mut machine = Machine::default();
        state.history[..operations].iter().for_each(|operation| machine.perform(operation));
        let image = machine.image(&mut Rng::seed(seed));
        drop(state);
        let disk = Self::new();
        *disk.state.lock() = image;
        disk.remember();
        disk
    }

    /// What another process finds after this one was killed: everything that was written.
    #[must_use]
    pub fn after_kill(&self, operations: usize) -> Self {
        let state = self.state.lock();
        let mut machine = Machine::default();
        state.history[..operations].iter().for_each(|operation| machine.perform(operation));
        let mut image = State { directories: machine.directories, ..State::default() };
        for (name, inode) in &machine.names {
            image.files.push(machine.files.get(inode).cloned().unwrap_or_default().content);
            image.names.insert(name.clone(), image.files.len() - 1);
        }
        drop(state);
        let disk = Self::new();
        *disk.state.lock() = image;
        disk.remember();
        disk
    }

    /// Makes what is there the beginning of the history, all of it on the disk.
    fn remember(&self) {
        let mut state = self.state.lock();
        let mut history = Vec::new();
        history.extend(state.directories.iter().cloned().map(|name| Operation::Directory { name }));
        for (name, &inode) in &state.names {
            history.push(Operation::Create { name: name.clone(), inode });
            history.push(Operation::Append { inode, bytes: state.files[inode].clone() });
            history.push(Operation::Sync { inode, ok: true });
        }
        let places: BTreeSet<&str> = state.names.keys().map(|name| parent(name)).collect();
        history.extend(
            places.into_iter().map(|name| Operation::SyncDirectory { name: name.to_owned() }),
        );
        state.history = history;
    }
}

#[cfg(test)]
mod tests {
    use persistence::Storage;

    use super::*;
    use crate::{Fault, On};

    /// All contents that a file may have after a crash, none if it may be missing.
    fn possible(disk: &SimDisk, name: &str) -> BTreeSet<Option<Vec<u8>>> {
        let all = disk.operations();
        (0..400).map(|seed| disk.after_crash(all, seed).content(name)).collect()
    }

    #[test]
    fn flushed_bytes_survive_and_others_may() {
        let disk = SimDisk::new();
        let mut file = disk.create("f").unwrap();
        file.write_all(b"ab").unwrap();
        assert!(possible(&disk, "f").contains(&None), "nobody has flushed the name");
        disk.sync_directory("").unwrap();
        file.sync().unwrap();
        assert_eq!(possible(&disk, "f"), BTreeSet::from([Some(b"ab".to_vec())]));
        file.write_all(b"cd").unwrap();
        let found = possible(&disk, "f");
        for content in [&b"ab"[..], b"abc", b"abcd", b"ab\0", b"ab\0\0", b"abc\0"] {
            assert!(found.contains(&Some(content.to_vec())), "{content:?}");
        }
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn a_rename_shows_the_old_file_or_the_new_one() {
        let disk = SimDisk::new();
        disk.put("f", b"old");
        disk.append("f").unwrap().sync().unwrap();
        disk.sync_directory("").unwrap();
        let mut new = disk.create("t").unwrap();
        new.write_all(b"new").unwrap();
        new.sync().unwrap();
        disk.rename("t", "f").unwrap();
        let both = BTreeSet::from([Some(b"old".to_vec()), Some(b"new".to_vec())]);
        assert_eq!(possible(&disk, "f"), both);
        disk.sync_directory("").unwrap();
        assert_eq!(possible(&disk, "f"), BTreeSet::from([Some(b"new".to_vec())]));
    }

    #[test]
    fn a_failed_flush_may_have_lost_what_later_ones_cannot_bring_back() {
        let disk = SimDisk::new();
        let mut file = disk.create("f").unwrap();
        disk.sync_directory("").unwrap();
        disk.fail(On::Sync, Fault::Io, 0, 1);
        file.write_all(b"ab").unwrap();
        assert!(file.sync().is_err());
        file.sync().unwrap();
        let both = BTreeSet::from([Some(b"ab".to_vec()), Some(b"\0\0".to_vec())]);
        assert_eq!(possible(&disk, "f"), both);
        assert_eq!(disk.after_kill(disk.operations()).content("f"), Some(b"ab".to_vec()));
        let mut anew = disk.create("f").unwrap();
        anew.write_all(b"cd").unwrap();
        anew.sync().unwrap();
        assert_eq!(possible(&disk, "f"), BTreeSet::from([Some(b"cd".to_vec())]));
    }

    #[test]
    fn a_full_disk_takes_what_it_can() {
        let disk = SimDisk::new();
        let mut file = disk.create("f").unwrap();
        disk.fail(On::Write, Fault::Full(2), 0, 1);
        disk.fail(On::Write, Fault::Full(0), 0, 1);
        assert!(file.write_all(b"abcd").is_err());
        assert_eq!(disk.content("f"), Some(b"ab".to_vec()));
        disk.fail(On::Rename, Fault::ReadOnly, 1, 1);
        disk.rename("f", "g").unwrap();
        assert!(disk.rename("g", "f").is_err());
        disk.mend();
        disk.rename("g", "f").unwrap();
    }
}
