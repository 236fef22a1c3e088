//! `DIGEST`: a short stand-in for a string, to compare by.
//!
//! The digest is XXH3 with 64 bits and seed 0, as 16 hexadecimal digits. It is no secret and no
//! proof: whoever chooses the value can choose its digest.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use twox_hash::XxHash3_64;

use super::value;

/// `DIGEST key`.
pub static DIGEST: DataCommand = DataCommand::new(
    Spec::new(
        "digest",
        Group::String,
        "8.4.0",
        2,
        "O(N) where N is the length of the string value.",
        "Returns a hash of a string's bytes in hexadecimal digits.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[Arg::key("key", 0)]),
    run,
);

const DIGEST_LEN: usize = 16;
const BAD_DIGEST: &str = "ERR must be exactly 16 hexadecimal characters";

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    match value::examine(cx, cx.arg(1)?, digest)? {
        Some(hash) => cx.reply.bulk(format!("{hash:016x}").as_bytes()),
        None => cx.reply.null(),
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// Whether `bytes` have this digest; its letters may be of either case.
///
/// # Errors
/// If it has not the length of a digest.
pub(crate) fn matches_digest(bytes: &[u8], text: &[u8]) -> Result<bool, CommandError> {
    if text.len() != DIGEST_LEN {
        return Err(CommandError::request(BAD_DIGEST));
    }
    let parsed = text.iter().try_fold(0u64, |hash, &digit| {
        Some(hash << 4 | u64::from(char::from(digit).to_digit(16)?))
    });
    Ok(parsed == Some(digest(bytes)))
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn digests_of_the_documentation() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SET k \"Hello world\""), "+OK\r\n");
        assert_eq!(bench.run("DIGEST k"), "$16\r\nb6acb9d84a38ff74\r\n");
        let zeros_first = "v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2\
                           jkfzkjytls2kwlj7626sd";
        bench.run(&format!("SET k {zeros_first}"));
        assert_eq!(bench.run("DIGEST k"), "$16\r\n00006c38adf31777\r\n");
        assert_eq!(bench.run("DIGEST missing"), "$-1\r\n");
    }

    #[test]
    fn an_integer_has_the_digest_of_its_digits() {
        let mut bench = Bench::new();
        bench.run("SET number 12345");
        bench.run("SETRANGE text 0 12345");
        assert_eq!(bench.run("DIGEST number"), bench.run("DIGEST text"));
    }
}
