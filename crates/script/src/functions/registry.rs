//! The libraries that the server knows: shared by all threads.
//!
//! Two maps change together: of libraries by name, and of functions by name without regard to
//! letter case. A call looks up a function and gets its library, which lives as long as somebody
//! runs it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::RwLock;

use super::library::Library;

/// What is done with libraries that are there when others are restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// They go.
    Flush,
    /// They stay, and so may not have the same names.
    Append,
    /// They go where they have the same name.
    Replace,
}

/// A name that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clash {
    /// That of a library.
    Library(Box<str>),
    /// That of a function, by a function of another library.
    Function(Box<str>),
}

#[derive(Clone, Debug, Default)]
struct Known {
    libraries: BTreeMap<Box<str>, Arc<Library>>,
    /// The library of a function, and which of its functions it is.
    functions: BTreeMap<Box<str>, (Arc<Library>, usize)>,
    bytes: usize,
}

/// All libraries.
#[derive(Debug, Default)]
pub struct Registry {
    known: RwLock<Known>,
}

/// How many libraries and functions there are, and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Libraries.
    pub libraries: usize,
    /// Functions.
    pub functions: usize,
    /// Bytes of texts and of what is kept for each.
    pub bytes: usize,
}

impl Registry {
    /// The library of a function, and which of its functions it is.
    #[must_use]
    pub fn find(&self, function: &[u8]) -> Option<(Arc<Library>, usize)> {
        let known = self.known.read();
        if let Some(found) = std::str::from_utf8(function).ok().and_then(|f| known.functions.get(f))
        {
            return Some(found.clone());
        }
        known.functions.get(&*folded(std::str::from_utf8(function).ok()?)).cloned()
    }

    /// Adds a library; `replaces` one of the same name.
    ///
    /// # Errors
    /// If a name is taken; nothing has changed then.
    pub fn add(&self, library: Library, replaces: bool) -> Result<(), Clash> {
        let replaced = self.known.write().add(Arc::new(library), replaces)?;
        if let Some(library) = replaced {
            library.forgotten.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether there is a library of this name.
    #[must_use]
    pub fn contains(&self, library: &str) -> bool {
        self.known.read().libraries.contains_key(library)
    }

    /// Adds libraries, all or none.
    ///
    /// # Errors
    /// If a name is taken; nothing has changed then.
    pub fn restore(&self, libraries: Vec<Arc<Library>>, policy: Policy) -> Result<(), Clash> {
        let mut known = self.known.write();
        let mut next = if policy == Policy::Flush { Known::default() } else { known.clone() };
        for library in libraries {
            next.add(library, policy == Policy::Replace)?;
        }
        let before = std::mem::replace(&mut *known, next);
        for (name, library) in before.libraries {
            let stays = known.libraries.get(&name).is_some_and(|same| Arc::ptr_eq(same, &library));
            library.forgotten.store(!stays, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Removes the library of this name; false if there is none.
    pub fn remove(&self, name: &[u8]) -> bool {
        let Ok(name) = std::str::from_utf8(name) else { return false };
        let removed = self.known.write().remove(name);
        removed.is_some_and(|library| {
            library.forgotten.store(true, Ordering::Relaxed);
            true
        })
    }

    /// Removes all. They come back, to be freed elsewhere.
    pub fn flush(&self) -> Vec<Arc<Library>> {
        let gone = std::mem::take(&mut *self.known.write());
        let gone = gone.libraries.into_values();
        gone.inspect(|library| library.forgotten.store(true, Ordering::Relaxed)).collect()
    }

    /// All libraries, by name.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Library>> {
        self.known.read().libraries.values().cloned().collect()
    }

    /// How many there are.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let known = self.known.read();
        Figures {
            libraries: known.libraries.len(),
            functions: known.functions.len(),
            bytes: known.bytes,
        }
    }
}

impl Known {
    /// Adds a library; returns the one that goes for it.
    fn add(
        &mut self,
        library: Arc<Library>,
        replaces: bool,
    ) -> Result<Option<Arc<Library>>, Clash> {
        let name = library.name.clone();
        if !replaces && self.libraries.contains_key(&name) {
            return Err(Clash::Library(name));
        }
        for function in &library.functions {
            let owner = self.functions.get(&folded(&function.name));
            if owner.is_some_and(|(owner, _)| owner.name != name) {
                return Err(Clash::Function(function.name.clone()));
            }
        }
        let replaced = self.remove(&name);
        for (index, function) in library.functions.iter().enumerate() {
            self.functions.insert(folded(&function.name), (library.clone(), index));
        }
        self.bytes += library.bytes();
        self.libraries.insert(name, library);
        Ok(replaced)
    }

    fn remove(&mut self, name: &str) -> Option<Arc<Library>> {
        let library = self.libraries.remove(name)?;
        for function in &library.functions {
            self.functions.remove(&folded(&function.name));
        }
        self.bytes -= library.bytes();
        Some(library)
    }
}

/// The name under which the map has a function.
fn folded(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::functions::library::{Function, Header};
    use crate::script::Flags;

    fn library(name: &str, functions: &[&str]) -> Library {
        let header = Header { name: name.into(), body: 0 };
        let function = |name: &&str| Function {
            name: (*name).into(),
            description: None,
            flags: Flags::NONE,
            reaches: AtomicBool::new(false),
        };
        Library::new(header, b"text", functions.iter().map(function).collect())
    }

    fn names(registry: &Registry) -> Vec<String> {
        registry.list().iter().map(|library| library.name.to_string()).collect()
    }

    #[test]
    fn the_names_of_functions_are_one_whatever_their_case() {
        let registry = Registry::default();
        registry.add(library("Lib", &["Get", "set"]), false).unwrap();
        assert_eq!(registry.find(b"gET").map(|(_, index)| index), Some(0));
        assert_eq!(registry.add(library("Lib", &[]), false), Err(Clash::Library("Lib".into())));
        assert_eq!(registry.add(library("b", &["SET"]), true), Err(Clash::Function("SET".into())));
        registry.add(library("lib", &["more"]), false).unwrap();
        assert_eq!(names(&registry), ["Lib", "lib"]);
        registry.add(library("Lib", &["other"]), true).unwrap();
        assert!(registry.find(b"get").is_none() && registry.find(b"other").is_some());
        assert!(registry.remove(b"Lib") && !registry.remove(b"Lib") && registry.remove(b"lib"));
        assert_eq!(registry.figures(), Figures::default());
    }

    #[test]
    fn what_is_restored_comes_whole_or_not_at_all() {
        let registry = Registry::default();
        registry.add(library("a", &["f"]), false).unwrap();
        let (kept, _) = registry.find(b"f").unwrap();
        let new = |name, functions: &[&str]| Arc::new(library(name, functions));
        let clash = vec![new("b", &["g"]), new("c", &["F"])];
        assert_eq!(registry.restore(clash, Policy::Append), Err(Clash::Function("F".into())));
        assert_eq!(names(&registry), ["a"]);
        let same = || vec![new("b", &["g"]), new("a", &["f"])];
        assert_eq!(registry.restore(same(), Policy::Append), Err(Clash::Library("a".into())));
        assert!(!kept.is_forgotten());
        registry.restore(same(), Policy::Replace).unwrap();
        assert_eq!(names(&registry), ["a", "b"]);
        assert!(kept.is_forgotten());
        registry.restore(vec![new("z", &["f"])], Policy::Flush).unwrap();
        assert_eq!(names(&registry), ["z"]);
        assert_eq!(registry.flush().len(), 1);
    }
}
