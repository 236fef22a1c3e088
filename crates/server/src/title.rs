//! The process title: `proc-title-template` filled in.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use config::Config;

/// The title and what of it never changes.
#[derive(Debug)]
pub struct ProcessTitle {
    /// None where the system does not let a process change its title.
    memory: Mutex<Option<sys::title::Title>>,
    /// The program's name as it was called.
    name: Vec<u8>,
}

impl ProcessTitle {
    /// Takes over the memory of the arguments; the program was called as `name`.
    pub fn take(name: Vec<u8>) -> Self {
        Self { memory: Mutex::new(sys::title::Title::take().ok()), name }
    }

    /// Shows the title that the parameters ask for.
    pub fn show(&self, config: &Config, config_file: &str) {
        if !config.get(config::rows::SET_PROC_TITLE) {
            return;
        }
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = memory.as_mut() {
            let template = config.get(config::rows::PROC_TITLE_TEMPLATE);
            memory.set(&fill_in(&template, |name| self.variable(name, config, config_file)));
        }
    }

    fn variable(&self, name: &[u8], config: &Config, config_file: &str) -> Vec<u8> {
        let number = |number: i64| number.to_string().into_bytes();
        match name {
            b"title" => self.name.clone(),
            b"listen-addr" => listen_address(config),
            b"port" => number(config.get(config::rows::PORT)),
            b"tls-port" => number(config.get(config::rows::TLS_PORT)),
            b"unixsocket" => config.get(config::rows::UNIXSOCKET).to_vec(),
            b"config-file" => config_file.as_bytes().to_vec(),
            // `server-mode`, which says nothing of a server alone; the parser admits no others.
            _ => Vec::new(),
        }
    }
}

/// The first address with the port, or the unix socket of a server without a port.
fn listen_address(config: &Config) -> Vec<u8> {
    let port = match (config.get(config::rows::PORT), config.get(config::rows::TLS_PORT)) {
        (0, 0) => return config.get(config::rows::UNIXSOCKET).to_vec(),
        (0, tls_port) => tls_port,
        (port, _) => port,
    };
    let addresses = config.get(config::rows::BIND);
    let first = addresses.first().map_or(&b"*"[..], |address| address);
    let mut text = String::from_utf8_lossy(first).into_owned();
    // Writing to a string cannot fail.
    let _ = write!(text, ":{port}");
    text.into_bytes()
}

/// Replaces each `{name}` by its value and each `{{` by one brace, and trims the end.
fn fill_in(template: &[u8], value: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut title = Vec::new();
    let mut rest = template;
    while let Some((&first, tail)) = rest.split_first() {
        let end = tail.iter().position(|&byte| byte == b'}');
        match (first, tail.first(), end) {
            (b'{', Some(b'{'), _) => {
                title.push(b'{');
                rest = &tail[1..];
            }
            (b'{', _, Some(end)) => {
                title.extend(value(&tail[..end]));
                rest = &tail[end + 1..];
            }
            _ => {
                title.push(first);
                rest = tail;
            }
        }
    }
    title.truncate(title.trim_ascii_end().len());
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_in() {
        let value = |name: &[u8]| match name {
            b"title" => b"ferrite".to_vec(),
            b"port" => b"7000".to_vec(),
            _ => Vec::new(),
        };
        let cases = [
            ("{title} *:{port} {server-mode}", "ferrite *:7000"),
            ("TEST {title}{{{port}", "TEST ferrite{7000"),
            ("plain", "plain"),
            ("{", "{"),
            ("", ""),
        ];
        for (template, title) in cases {
            assert_eq!(fill_in(template.as_bytes(), value), title.as_bytes(), "{template}");
        }
    }

    #[test]
    fn the_address_is_the_first_one_or_the_socket() {
        let environment = config::Environment { cores: 1, directory: b"/".to_vec() };
        let config = Config::new(&environment);
        assert_eq!(listen_address(&config), b"*:6379");
        config.assign(config::rows::BIND, b"127.0.0.1 -::1").unwrap();
        assert_eq!(listen_address(&config), b"127.0.0.1:6379");
        config.assign(config::rows::PORT, b"0").unwrap();
        config.assign(config::rows::UNIXSOCKET, b"/tmp/x.sock").unwrap();
        assert_eq!(listen_address(&config), b"/tmp/x.sock");
    }
}
