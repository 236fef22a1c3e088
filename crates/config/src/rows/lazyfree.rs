//! What is freed in the background instead of at once.

use super::memory::END as PREVIOUS;
use crate::handle::Bool;
use crate::row::boolean;

rows! {
    LazyFree after PREVIOUS;

    LAZYFREE_LAZY_EVICTION: Bool = boolean("lazyfree-lazy-eviction", false).debug(),
        "Log evicted keys as unlinked; large values are freed in the background in any case.";
    LAZYFREE_LAZY_EXPIRE: Bool = boolean("lazyfree-lazy-expire", false).debug(),
        "Log expired keys as unlinked; large values are freed in the background in any case.";
    LAZYFREE_LAZY_SERVER_DEL: Bool = boolean("lazyfree-lazy-server-del", false).debug(),
        "As lazyfree-lazy-expire, for keys that commands replace or empty.";
    LAZYFREE_LAZY_USER_DEL: Bool = boolean("lazyfree-lazy-user-del", false).debug(),
        "Accepted for compatibility: DEL frees large values in the background, as UNLINK does.";
    LAZYFREE_LAZY_USER_FLUSH: Bool = boolean("lazyfree-lazy-user-flush", false).debug(),
        "Let FLUSHALL, FLUSHDB, SCRIPT FLUSH and FUNCTION FLUSH work in the background by default.";
    LAZYEXPIRE_NESTED_ARBITRARY_KEYS: Bool =
        boolean("lazyexpire-nested-arbitrary-keys", true).hidden().planned(),
        "Delete expired keys also where a script or transaction touches keys it did not declare.";
}
