//! The number of another database, as `COPY` and `MOVE` take it.

use command::{ArgReader, CommandError};

/// The two names are one: the key would be copied or moved onto itself.
pub(super) fn same_object() -> CommandError {
    CommandError::request("ERR source and destination objects are the same")
}

/// Reads the number of one of `databases` databases. The words of the error tell apart what is no
/// number, what is none of 32 bits, and what is not configured.
pub(super) fn read(reader: &mut ArgReader<'_>, databases: usize) -> usize {
    let number = reader.integer();
    if i32::try_from(number).is_err() {
        reader.fail(CommandError::request(
            "ERR value is out of range, value must between -2147483648 and 2147483647",
        ));
    }
    match usize::try_from(number) {
        Ok(number) if number < databases => number,
        _ => {
            reader.fail(CommandError::DB_INDEX);
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;

    #[test]
    fn each_mistake_has_its_words() {
        let error = |number: &[u8]| {
            let args = OwnedArgs::from_slices(&[number]);
            let mut reader = ArgReader::new(args.as_args(), 0);
            let db = read(&mut reader, 16);
            reader.finish().map(|()| db).map_err(|error| error.to_string())
        };
        assert_eq!(error(b"15"), Ok(15));
        assert_eq!(error(b"x"), Err("ERR value is not an integer or out of range".into()));
        assert_eq!(error(b"16"), Err("ERR DB index is out of range".into()));
        assert_eq!(error(b"-1"), Err("ERR DB index is out of range".into()));
        let too_wide = "ERR value is out of range, value must between -2147483648 and 2147483647";
        assert_eq!(error(b"2147483648"), Err(too_wide.into()));
        assert_eq!(error(b"-2147483649"), Err(too_wide.into()));
    }
}
