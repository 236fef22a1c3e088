//! A collection of one number, to test what all collections have in common.

use std::sync::Arc;

use super::Collection;

/// A number; 0 is the empty collection.
#[derive(Clone, Debug, Default)]
pub struct Probe(pub Arc<u64>);

impl Collection for Probe {
    const TYPE_NAME: &'static str = "set";

    fn is_empty(&self) -> bool {
        *self.0 == 0
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        visit(&[&self.0.to_le_bytes()]);
    }

    fn encoding(&self) -> &'static str {
        "number"
    }

    fn allocated_bytes(&self) -> usize {
        24
    }

    fn pieces(&self) -> usize {
        1
    }
}
