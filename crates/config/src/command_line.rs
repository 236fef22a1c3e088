//! The command line of the server, turned into lines of a configuration file.
//!
//! `server [file] [--name value...]... [-]`: a path, options, and `-` first or last to read more
//! lines from standard input. Options come after both, so they win. An option may hold its value
//! (`"--port 7000"`), a value may look like an option when it directly follows a name
//! (`--proc-title-template --x`), and `--save` alone means `--save ""`.

use stdx::text::quote_into;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// `-v`, `--version`: print the version.
    Version,
    /// `-h`, `--help`: print the usage.
    Help,
    /// `--test-memory megabytes`: test the memory of the machine; none when no number follows.
    TestMemory(Option<u64>),
    /// `--check-system`: look for settings of the system that hurt.
    CheckSystem,
    /// Serve.
    Serve(CommandLine),
}

/// Where the configuration of a server comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// Path of the configuration file.
    pub file: Option<Vec<u8>>,
    /// Whether standard input holds more lines.
    pub reads_stdin: bool,
    /// The options as lines.
    pub options: Vec<u8>,
}

impl Invocation {
    /// Reads the arguments after the program's name.
    #[must_use]
    pub fn parse<A: AsRef<[u8]>>(args: &[A]) -> Self {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        match args.as_slice() {
            [b"-v" | b"--version", ..] => Self::Version,
            [b"-h" | b"--help", ..] => Self::Help,
            [b"--test-memory", rest @ ..] => {
                let number = rest.first().and_then(|text| std::str::from_utf8(text).ok());
                Self::TestMemory(number.and_then(|text| text.parse().ok()))
            }
            [b"--check-system"] => Self::CheckSystem,
            args => Self::Serve(CommandLine::parse(args)),
        }
    }
}

impl CommandLine {
    fn parse(args: &[&[u8]]) -> Self {
        let mut line = Self::default();
        // A name without value was read: what follows is its value, whatever it looks like.
        let mut expects_value = false;
        for (at, &arg) in args.iter().enumerate() {
            let is_last = at + 1 == args.len();
            if at == 0 && !arg.starts_with(b"-") {
                line.file = Some(arg.to_vec());
            } else if arg == b"-" && (at == 0 || is_last) {
                line.reads_stdin = true;
            } else if !expects_value && let Some(option) = arg.strip_prefix(b"--") {
                expects_value = line.add_option(option, args.get(at + 1).copied());
            } else {
                quote_into(&mut line.options, arg);
                line.options.push(b' ');
                expects_value = false;
            }
        }
        line
    }

    /// Starts a line; returns whether the next argument is a value for sure.
    fn add_option(&mut self, option: &[u8], next: Option<&[u8]>) -> bool {
        if !self.options.is_empty() {
            self.options.push(b'\n');
        }
        self.options.extend_from_slice(option);
        self.options.push(b' ');
        if option.trim_ascii().iter().any(u8::is_ascii_whitespace) {
            return false;
        }
        let ends_here = next.is_none_or(|next| next.starts_with(b"--"));
        match option.to_ascii_lowercase().as_slice() {
            b"save" if ends_here => {
                self.options.extend_from_slice(b"\"\" ");
                false
            }
            _ => true,
        }
    }

    /// The whole configuration: the texts of the file and of standard input, then the options.
    #[must_use]
    pub fn assemble(&self, file: &[u8], stdin: &[u8]) -> Vec<u8> {
        let mut text = [file, stdin].concat();
        if !self.options.is_empty() {
            // Always a new line, so that line numbers in reports are those of Redis.
            text.push(b'\n');
            text.extend_from_slice(&self.options);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(args: &[&str]) -> String {
        match Invocation::parse(args) {
            Invocation::Serve(line) => String::from_utf8(line.options).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn questions() {
        assert_eq!(Invocation::parse(&["-v"]), Invocation::Version);
        assert_eq!(Invocation::parse(&["--version", "x"]), Invocation::Version);
        assert_eq!(Invocation::parse(&["-h"]), Invocation::Help);
        assert_eq!(Invocation::parse(&["--test-memory", "5"]), Invocation::TestMemory(Some(5)));
        assert_eq!(Invocation::parse(&["--test-memory"]), Invocation::TestMemory(None));
        assert_eq!(Invocation::parse(&["--check-system"]), Invocation::CheckSystem);
        // Only the first argument asks; later it is an option like any other.
        assert_eq!(options(&["x.conf", "--version"]), "version ");
    }

    #[test]
    fn forms_of_options() {
        for (args, lines) in [
            (&["--port", "7000", "--maxmemory", "1gb"][..], "port \"7000\" \nmaxmemory \"1gb\" "),
            (&["--port 7000", "--loglevel verbose"], "port 7000 \nloglevel verbose "),
            (&["--bind", "::1", "1.1.1.1", "--hz", "5"], "bind \"::1\" \"1.1.1.1\" \nhz \"5\" "),
            (&["--save", "--hz", "5"], "save \"\" \nhz \"5\" "),
            (&["--hz", "5", "--SAVE"], "hz \"5\" \nSAVE \"\" "),
            (&["--save", "", "--hz", "5"], "save \"\" \nhz \"5\" "),
            (&["--save", "3600 1"], "save \"3600 1\" "),
            (
                &["--proc-title-template", "--save", "--save", ""],
                "proc-title-template \"--save\" \nsave \"\" ",
            ),
            (&["--port", "--loglevel", "verbose"], "port \"--loglevel\" \"verbose\" "),
            (&["--replicaof", "--127.0.0.1", "--abc"], "replicaof \"--127.0.0.1\" \nabc "),
            (&["--port", "1", "--loglevel"], "port \"1\" \nloglevel "),
            (
                &["x.conf", "loglevel", "verbose", "--maxmemory '7mb'"],
                "\"loglevel\" \"verbose\" \nmaxmemory '7mb' ",
            ),
            (&["--port", "17150", ""], "port \"17150\" \"\" "),
            (&["--", "--port", "1"], " \"--port\" \"1\" "),
            (&["-x"], "\"-x\" "),
        ] {
            assert_eq!(options(args), lines, "{args:?}");
        }
    }

    #[test]
    fn sources() {
        let Invocation::Serve(line) = Invocation::parse(&["a.conf", "--hz", "5", "-"]) else {
            panic!("it serves")
        };
        assert_eq!(line.file.as_deref(), Some(&b"a.conf"[..]));
        assert!(line.reads_stdin);
        assert_eq!(line.assemble(b"port 1\n", b"hz 9\n"), b"port 1\nhz 9\n\nhz \"5\" ");
        let Invocation::Serve(line) = Invocation::parse(&["-", "--hz", "5"]) else {
            panic!("it serves")
        };
        assert!(line.reads_stdin && line.file.is_none());
        let Invocation::Serve(line) = Invocation::parse(&["a.conf", "-", "--hz", "5"]) else {
            panic!("it serves")
        };
        assert!(!line.reads_stdin, "a dash in the middle is a value");
        assert_eq!(Invocation::parse::<&str>(&[]), Invocation::Serve(CommandLine::default()));
    }
}
