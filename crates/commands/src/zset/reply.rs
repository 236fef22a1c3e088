//! How members and scores are replied: in RESP3 a score is a double and a member with its score a
//! pair, in RESP2 both are strings one behind the other.

use collections::sorted_set::{Element, Member};
use resp::{Reply, Version};

/// Writes a member.
pub(super) fn member(reply: &mut Reply, member: Member<'_>) {
    match member {
        Member::Bytes(bytes) => reply.bulk(bytes),
        Member::Int(number) => reply.bulk_int(number),
    }
}

/// Writes a member and its score as two elements of an aggregate that is open.
pub(super) fn both(reply: &mut Reply, element: Element<'_>) {
    member(reply, element.member);
    reply.double(element.score);
}

/// Writes an array of members, with their scores if wanted.
pub(super) fn elements<'a>(
    reply: &mut Reply,
    elements: impl ExactSizeIterator<Item = Element<'a>>,
    with_scores: bool,
) {
    let len = elements.len();
    if !with_scores {
        reply.array(len);
        elements.for_each(|element| member(reply, element.member));
    } else if reply.version() == Version::Resp3 {
        pairs(reply, elements);
    } else {
        reply.array(2 * len);
        elements.for_each(|element| both(reply, element));
    }
}

/// Writes an array of pairs, which some commands reply in RESP2 too.
pub(super) fn pairs<'a>(reply: &mut Reply, elements: impl ExactSizeIterator<Item = Element<'a>>) {
    reply.array(elements.len());
    elements.for_each(|element| {
        reply.array(2);
        both(reply, element);
    });
}
