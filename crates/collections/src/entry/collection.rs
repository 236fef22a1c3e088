//! Values that are more than a string: what they have in common, and the table of their kinds.
//!
//! A collection is one word, a reference to nodes that may be shared with a snapshot, a reply in
//! flight or a copy. So it fits the value word of an entry, and cloning it takes the same time
//! whatever its size. A new type is a module, an implementation of [`Collection`] and a row of the
//! table below; the compiler then names every place that must know it.

use std::fmt;

use crate::Pieces;

/// What every collection can do.
///
/// `Default` is the empty one. `Clone` shares all nodes, in constant time; a change through `&mut`
/// copies the nodes that it touches and others hold.
pub trait Collection: Pieces + Default + Clone + fmt::Debug + Send + Sync {
    /// The name of its type, which `TYPE` prints.
    const TYPE_NAME: &'static str;
    /// Whether the order of its elements is a part of its value: true for lists and streams.
    const IS_ORDERED: bool = false;
    /// Whether a key may hold an empty one. Else removing the last element removes the key.
    const KEPT_WHEN_EMPTY: bool = false;

    /// Whether there are no elements.
    fn is_empty(&self) -> bool;

    /// Number of elements, as `LLEN` and its kin count them.
    fn elements(&self) -> usize;

    /// A time that no element's own deadline is before, if one has one: unix time in milliseconds.
    #[inline]
    fn earliest(&self) -> Option<u64> {
        None
    }

    /// Asks the processor for what looking up the elements of these names will read, at most
    /// sixteen; nothing where that is near at hand anyway.
    fn prefetch(&self, _names: &[&[u8]]) {}

    /// Shows every element, each as its parts: a field and its value, a member and the text of its
    /// score. For comparing datasets.
    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]]));

    /// The name of its encoding, which `OBJECT ENCODING` prints.
    fn encoding(&self) -> &'static str;

    /// About how many bytes of memory it occupies, nodes that are shared included in full. Takes
    /// no longer than its number of nodes.
    fn allocated_bytes(&self) -> usize;
}

/// A collection that an entry can hold: one row of the table of kinds.
pub trait Stored: Collection + Into<Object> {
    /// The collection of this type, if `object` is one.
    fn of(object: ObjectRef<'_>) -> Option<&Self>;

    #[doc(hidden)]
    const KIND: ObjectKind;
}

/// The table: the name of the kind, its type and its number in the layout of entries.
macro_rules! objects {
    ($($name:ident: $type:ty = $number:literal;)*) => {
        #[doc(hidden)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum ObjectKind {
            $($name = $number,)*
        }

        /// A collection of any type, on its way into an entry.
        #[derive(Clone, Debug)]
        pub enum Object {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $name($type),
            )*
        }

        /// A borrowed collection of any type.
        #[derive(Clone, Copy, Debug)]
        pub enum ObjectRef<'a> {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $name(&'a $type),
            )*
        }

        impl ObjectKind {
            pub(super) const fn from_number(number: u8) -> Self {
                match number {
                    $($number => Self::$name,)*
                    _ => unreachable!(),
                }
            }

            /// Frees the collection that a value word owns.
            ///
            /// # Safety
            /// `word` holds a collection of this kind, which is not used afterwards.
            pub(super) unsafe fn drop_in_place(self, word: *mut u8) {
                match self {
                    $(
                        // SAFETY: the caller's promise.
                        Self::$name => unsafe { word.cast::<$type>().drop_in_place() },
                    )*
                }
            }
        }

        impl Object {
            pub(super) const fn kind(&self) -> ObjectKind {
                match *self {
                    $(Self::$name(_) => ObjectKind::$name,)*
                }
            }

            /// The collection, borrowed.
            #[must_use]
            pub const fn as_ref(&self) -> ObjectRef<'_> {
                match self {
                    $(Self::$name(object) => ObjectRef::$name(object),)*
                }
            }

            /// Moves the collection into a value word.
            ///
            /// # Safety
            /// `word` is valid for writing eight bytes and aligned to them.
            pub(super) unsafe fn write(self, word: *mut u8) {
                match self {
                    $(
                        // SAFETY: the caller's promise; a collection is one word.
                        Self::$name(object) => unsafe { word.cast::<$type>().write(object) },
                    )*
                }
            }
        }

        impl<'a> ObjectRef<'a> {
            /// The collection in a value word.
            ///
            /// # Safety
            /// `word` holds a collection of this kind, unchanged during `'a`.
            pub(super) unsafe fn read(kind: ObjectKind, word: *const u8) -> Self {
                match kind {
                    $(
                        // SAFETY: the caller's promise.
                        ObjectKind::$name => Self::$name(unsafe { &*word.cast::<$type>() }),
                    )*
                }
            }

            /// The collection as a value of its own that shares its nodes.
            #[must_use]
            pub fn share(self) -> Object {
                match self {
                    $(Self::$name(object) => Object::$name(object.clone()),)*
                }
            }

            /// As [`Collection::TYPE_NAME`].
            #[must_use]
            pub const fn type_name(self) -> &'static str {
                match self {
                    $(Self::$name(_) => <$type>::TYPE_NAME,)*
                }
            }

            /// As [`Collection::IS_ORDERED`].
            #[must_use]
            pub const fn is_ordered(self) -> bool {
                match self {
                    $(Self::$name(_) => <$type>::IS_ORDERED,)*
                }
            }

            /// The kind.
            #[inline]
            pub(crate) const fn kind(self) -> ObjectKind {
                match self {
                    $(Self::$name(_) => ObjectKind::$name,)*
                }
            }

            /// As [`Collection::elements`].
            #[inline]
            #[must_use]
            pub fn elements(self) -> usize {
                match self {
                    $(Self::$name(object) => object.elements(),)*
                }
            }

            /// As [`Collection::prefetch`].
            pub fn prefetch(self, names: &[&[u8]]) {
                match self {
                    $(Self::$name(object) => object.prefetch(names),)*
                }
            }

            /// As [`Collection::for_each`].
            pub fn for_each(self, visit: &mut dyn FnMut(&[&[u8]])) {
                match self {
                    $(Self::$name(object) => object.for_each(visit),)*
                }
            }

            /// As [`Collection::encoding`].
            #[must_use]
            pub fn encoding(self) -> &'static str {
                match self {
                    $(Self::$name(object) => object.encoding(),)*
                }
            }

            /// As [`Collection::allocated_bytes`].
            #[must_use]
            pub fn allocated_bytes(self) -> usize {
                match self {
                    $(Self::$name(object) => object.allocated_bytes(),)*
                }
            }

            /// As [`Pieces::pieces`].
            #[must_use]
            pub fn pieces(self) -> usize {
                match self {
                    $(Self::$name(object) => object.pieces(),)*
                }
            }
        }

        $(
            const _: () = assert!(size_of::<$type>() == 8 && align_of::<$type>() <= 8);

            impl From<$type> for Object {
                fn from(object: $type) -> Self {
                    Self::$name(object)
                }
            }

            impl Stored for $type {
                const KIND: ObjectKind = ObjectKind::$name;

                #[inline]
                fn of(object: ObjectRef<'_>) -> Option<&Self> {
                    match object {
                        ObjectRef::$name(object) => Some(object),
                        #[allow(unreachable_patterns, reason = "the table may have one row")]
                        _ => None,
                    }
                }
            }
        )*
    };
}

// The numbers are part of the layout of entries: 0 to 2 are strings.
objects! {
    List: crate::list::List = 3;
    Set: crate::set::Set = 4;
    Hash: crate::hash::Hash = 5;
    Stream: crate::stream::Stream = 7;
    SortedSet: crate::sorted_set::SortedSet = 6;
    Array: crate::array::Array = 8;
}
