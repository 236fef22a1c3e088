//! The system's errors in the words that operators know.

use std::io;

/// What is wrong, without the number that the standard library adds.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    // A disk in a test has no errors with numbers.
    if error.kind() == io::ErrorKind::NotFound {
        return "No such file or directory".to_owned();
    }
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_no_numbers() {
        assert_eq!(reason(&io::Error::from_raw_os_error(5)), "Input/output error");
        assert_eq!(reason(&io::ErrorKind::NotFound.into()), "No such file or directory");
    }
}
