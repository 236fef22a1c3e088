//! Starting the real program and talking to it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_ferrite");

/// A port that nobody uses at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An empty directory that is deleted with this value.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ferrite-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file inside, as text for command lines.
    pub fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        std::fs::write(self.0.join(name), content).unwrap();
        self.file(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).stdin(Stdio::null()).output().unwrap()
}

/// One request of several parts.
pub fn request(parts: &[&str]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", parts.len());
    for part in parts {
        request.push_str(&format!("${}\r\n{part}\r\n", part.len()));
    }
    request.into_bytes()
}

/// Calls `probe` until it gives something.
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub port: u16,
    pub directory: Directory,
}

impl Server {
    /// Starts with a free port, two event loops, and `options`.
    pub fn start(options: &[&str]) -> Self {
        let mut more_tries = 0..9;
        loop {
            let port = free_port();
            let directory = Directory::new();
            let port_text = port.to_string();
            let path = directory.path().display().to_string();
            let base = ["--port", &port_text, "--dir", &path, "--io-threads", "2"];
            let mut command = Command::new(BINARY);
            command.args(base).args(options);
            match Self::launch(command, port, directory) {
                Ok(server) => return server,
                // Another test's client or server was given the port meanwhile.
                Err(report)
                    if report.contains("Address already in use") && more_tries.next().is_some() => {
                }
                Err(report) => panic!("{report}"),
            }
        }
    }

    /// Starts `command`, which is to listen at `port`, and waits until it serves.
    pub fn spawn(command: Command, port: u16, directory: Directory) -> Self {
        Self::launch(command, port, directory).unwrap_or_else(|report| panic!("{report}"))
    }

    /// As [`Self::spawn`]; what is known of its end if it ended.
    fn launch(mut command: Command, port: u16, directory: Directory) -> Result<Self, String> {
        let log = File::create(directory.path().join("stdout")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.current_dir(directory.path()).spawn().unwrap();
        let mut server = Self { child, port, directory };
        wait_for("the server to be ready", || {
            if let Some(status) = server.child.try_wait().unwrap() {
                return Some(Err(format!("the server ended with {status}:\n{}", server.log())));
            }
            server.log().contains("Ready to accept connections").then_some(Ok(()))
        })
        .map(|()| server)
    }

    /// What the server wrote to its standard output and error.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.directory.path().join("stdout")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn wait_for_log(&self, text: &str) {
        wait_for(text, || self.log().contains(text).then_some(()));
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        wait_for("the server to end", || self.child.try_wait().unwrap())
    }

    pub fn connect(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).unwrap())
    }

    /// The value of a field of `INFO`.
    pub fn info(&self, field: &str) -> u64 {
        let text = self.connect().command("INFO everything");
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
        line.unwrap_or_else(|| panic!("no {field} in\n{text}")).parse().unwrap()
    }

    /// Resident memory in bytes.
    pub fn resident(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.pid())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One connection.
pub struct Client<S = TcpStream> {
    pub stream: S,
}

impl Client<TcpStream> {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }
}

impl<S: Read + Write> Client<S> {
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Reads exactly `expected`.
    pub fn expect(&mut self, expected: &[u8]) {
        let mut received = vec![0; expected.len()];
        self.stream.read_exact(&mut received).unwrap();
        assert_eq!(String::from_utf8_lossy(&received), String::from_utf8_lossy(expected));
    }

    /// Reads up to the end of the stream.
    pub fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            // A server that closes with bytes unread resets the connection.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error} after {bytes:?}"),
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads a line without its end.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        line.truncate(line.len() - 2);
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Sends an inline command; a bulk string is returned as it is, anything else as its line.
    pub fn command(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n").as_bytes());
        let head = self.line();
        let Some(length) = head.strip_prefix('$') else { return head };
        let Ok(length) = length.parse::<usize>() else { return head };
        let mut body = vec![0; length + 2];
        self.stream.read_exact(&mut body).unwrap();
        body.truncate(length);
        String::from_utf8(body).unwrap()
    }
}
