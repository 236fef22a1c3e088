//! A server process under test: started on a free port, measured from outside, stopped on drop.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client::{Address, Client, Options, Value};

use crate::{Result, shell};

/// How long a server may take to answer its first `PING`: it may have a large dataset to load.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take to stop after `SIGTERM` before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// How to start a server.
#[derive(Clone)]
pub struct Launch {
    /// Name in tables.
    pub label: String,
    /// Program and leading arguments.
    pub command: Vec<String>,
    /// Arguments behind the common ones.
    pub extra: Vec<String>,
}

impl Launch {
    /// A server started by `command`, a program with its arguments separated by spaces.
    pub fn new(label: &str, command: &str, extra: &str) -> Self {
        let (command, extra) = (shell::words(command), shell::words(extra));
        Launch { label: label.to_owned(), command, extra }
    }

    /// Starts it on a free port, without persistence, in a folder of its own.
    ///
    /// # Errors
    /// When it does not come up, with what it printed.
    pub fn start(&self) -> Result<Server> {
        self.start_with(|_| Ok(()))
    }

    /// As [`Launch::start`], after `prepare` has put files into the folder.
    ///
    /// # Errors
    /// As there, and what `prepare` says.
    pub fn start_with(&self, prepare: impl FnOnce(&Path) -> Result) -> Result<Server> {
        let port = free_port()?;
        let folder = std::env::temp_dir().join(format!("xtask-{}-{port}", std::process::id()));
        let failed = |e: std::io::Error| format!("cannot start {}: {e}", self.label);
        fs::create_dir_all(&folder).map_err(failed)?;
        prepare(&folder)?;
        let log = fs::File::create(folder.join("log")).map_err(failed)?;
        let (program, leading) = self.command.split_first().ok_or("no server command given")?;
        let child = Command::new(program)
            .args(leading)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(&folder)
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(&self.extra)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let launch = self.clone();
        let mut server = Server { label: self.label.clone(), port, launch, child, folder };
        server.await_pong()?;
        Ok(server)
    }
}

/// A running server.
pub struct Server {
    /// Name in tables.
    pub label: String,
    /// TCP port on the loopback interface.
    pub port: u16,
    launch: Launch,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// A connection to it.
    ///
    /// # Errors
    /// When it does not accept one.
    pub fn connect(&self) -> Result<Client> {
        let options =
            Options { read_timeout: Some(Duration::from_secs(120)), ..Options::default() };
        Client::connect(&Address::tcp("127.0.0.1", self.port), &options)
            .map_err(|e| format!("{}: {e}", self.label))
    }

    /// Another server, started as this one was.
    ///
    /// # Errors
    /// As [`Launch::start`].
    pub fn another(&self) -> Result<Server> {
        self.launch.start()
    }

    /// As [`Server::another`], with further arguments, and after `prepare` has put files into its
    /// folder.
    ///
    /// # Errors
    /// As [`Launch::start_with`].
    pub fn another_with(
        &self,
        arguments: &str,
        prepare: impl FnOnce(&Path) -> Result,
    ) -> Result<Server> {
        let mut launch = self.launch.clone();
        launch.extra.extend(shell::words(arguments));
        launch.start_with(prepare)
    }

    /// As [`Server::another_with`], but started from the configuration file `file`, which
    /// `prepare` has put into its folder.
    ///
    /// # Errors
    /// As [`Launch::start_with`].
    pub fn another_from(
        &self,
        file: &str,
        prepare: impl FnOnce(&Path) -> Result,
    ) -> Result<Server> {
        let mut launch = self.launch.clone();
        launch.command.push(file.to_owned());
        launch.start_with(prepare)
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of all its threads so far, user and system, in nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid()));
        let of_task = |entry: fs::DirEntry| -> Option<u64> {
            let text = fs::read_to_string(entry.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        tasks.into_iter().flatten().filter_map(|entry| of_task(entry.ok()?)).sum()
    }

    /// Its resident memory in bytes.
    pub fn rss_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok());
        kib.unwrap_or(0) * 1024
    }

    fn await_pong(&mut self) -> Result {
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline {
            let exited = self.child.try_wait().map_err(|e| e.to_string())?.is_some();
            if exited {
                break;
            }
            let pong = self.connect().map(|mut client| client.command(&["PING"]));
            match pong {
                // It refuses to serve while it loads its dataset.
                Ok(Ok(Value::Error(text))) if text.starts_with(b"LOADING") => {}
                Ok(Ok(_)) => return Ok(()),
                _ => {}
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        Err(format!("{} does not answer on port {}:\n{log}", self.label, self.port))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = self.pid().to_string();
        // `kill` the program: std can only send SIGKILL, which would hide a broken shutdown.
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        let deadline = Instant::now() + STOP_PATIENCE;
        while asked.is_ok() && Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            eprintln!("{} did not stop within {STOP_PATIENCE:?}: killed", self.label);
            // Failing to kill or to tidy up has no remedy here, and the task's result stands.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Sends commands in batches and checks that no reply is an error.
///
/// # Errors
/// The first error reply, or a broken connection.
pub fn pump<I>(client: &mut Client, commands: I) -> Result
where
    I: IntoIterator<Item = Vec<String>>,
{
    const BATCH: usize = 1_000;
    let mut commands = commands.into_iter();
    loop {
        let mut waiting = 0;
        for command in commands.by_ref().take(BATCH) {
            client.queue(&command);
            waiting += 1;
        }
        if waiting == 0 {
            return Ok(());
        }
        client.flush().map_err(|e| e.to_string())?;
        for _ in 0..waiting {
            expect_no_error(client.receive().map_err(|e| e.to_string())?)?;
        }
    }
}

/// Sends one command and returns its reply.
///
/// # Errors
/// An error reply, or a broken connection.
pub fn ask(client: &mut Client, command: &[&str]) -> Result<Value> {
    expect_no_error(client.command(command).map_err(|e| e.to_string())?)
}

/// As [`ask`], for an integer reply.
///
/// # Errors
/// As [`ask`], and when the reply is of another type.
pub fn ask_integer(client: &mut Client, command: &[&str]) -> Result<i64> {
    match ask(client, command)? {
        Value::Integer(number) => Ok(number),
        other => Err(format!("{command:?} replied {other:?}, not an integer")),
    }
}

fn expect_no_error(reply: Value) -> Result<Value> {
    match reply {
        Value::Error(text) => Err(format!("error reply: {}", String::from_utf8_lossy(&text))),
        reply => Ok(reply),
    }
}

/// A TCP port that was free a moment ago.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| format!("no free port: {e}"))?;
    Ok(listener.local_addr().map_err(|e| e.to_string())?.port())
}
