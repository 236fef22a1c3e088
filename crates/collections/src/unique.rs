//! Making what is shared one's own before it is changed (law 3).

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

/// The value for writing, copied first if somebody else holds it: `Arc::make_mut` of an `Arc` to
/// which there are no weak references, as there are none in this crate. Not having to look for
/// those it gets by without a locked instruction, and it is called for every node of the path of
/// every change.
#[inline]
pub(crate) fn make_mut<T: Clone>(shared: &mut Arc<T>) -> &mut T {
    if Arc::strong_count(shared) == 1 {
        // What the others read before they let go, they have read before this one writes.
        fence(Ordering::Acquire);
    } else {
        *shared = Arc::new(T::clone(shared));
    }
    debug_assert_eq!(Arc::weak_count(shared), 0, "nobody makes weak references");
    // SAFETY: the only reference there is, which is borrowed mutably for as long as the result, so
    // nobody can clone it meanwhile; and there are no weak ones that could become others.
    unsafe { &mut *Arc::as_ptr(shared).cast_mut() }
}
