//! `DEBUG PROTOCOL`: one reply of each type.

use ::command::CommandError;
use resp::Version;

use crate::admin::AdminCx;

pub(super) fn protocol(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let name = admin.cx.arg(2)?.to_ascii_lowercase();
    let reply = &mut *admin.cx.reply;
    match name.as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(DOUBLE),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|n| reply.integer(n));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|n| reply.integer(n));
        }
        b"map" => {
            reply.map(3);
            (0..3).for_each(|n| {
                reply.integer(n);
                reply.boolean(n == 1);
            });
        }
        b"attrib" => {
            // An attribute stands before a reply; RESP2 has the reply alone.
            if reply.attribute(1) {
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" => {
            if reply.version() == Version::Resp2 {
                return Err(CommandError::request(RESP3_ONLY));
            }
            // A push comes beside a reply, for which the client waits.
            reply.bulk(b"Some real reply following the push reply");
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
        }
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"verbatim" => reply.verbatim(b"txt", b"This is a verbatim\nstring"),
        b"bignum" => reply.big_number(b"1234567999999999999999999999999999999"),
        _ => {
            return Err(CommandError::request(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
            ));
        }
    }
    Ok(())
}

/// What upstream answers, digit for digit; that it looks like pi is not our choice.
#[expect(clippy::approx_constant)]
const DOUBLE: f64 = 3.141;

const RESP3_ONLY: &str = "ERR RESP2 is not supported by this command";
