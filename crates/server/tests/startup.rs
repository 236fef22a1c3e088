//! From the command line to a serving process, and the ways in which it refuses.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use support::{BINARY, Client, Directory, Server, free_port, run, wait_for};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn questions_are_answered_without_starting() {
    for flag in ["-v", "--version"] {
        let output = run(&[flag]);
        assert!(output.status.success());
        let line = text(&output.stdout);
        assert!(line.starts_with("Ferrite server v="), "{line}");
        assert!(line.contains("malloc=jemalloc-5."), "{line}");
    }
    for flags in [&["-h"][..], &["--help"], &["server", "--help"]] {
        let output = run(flags);
        assert!(output.status.success());
        assert!(text(&output.stdout).starts_with("Usage: ferrite"), "{flags:?}");
    }
    let output = run(&["--check-system"]);
    assert!(text(&output.stdout).contains("[THP]..."), "{output:?}");
    let output = run(&["--test-memory", "1"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn missing_tools_say_so() {
    for tool in ["cli", "benchmark", "sentinel"] {
        let output = run(&[tool]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stderr), format!("ferrite {tool} is not in this build yet.\n"));
        let output = Command::new(BINARY).arg0(format!("/x/redis-{tool}")).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn bad_parameters_are_fatal() {
    let cases = [
        (&["--port", "abc"][..], "'port \"abc\"'\nargument couldn't be parsed into an integer"),
        (&["--port", "70000"], "argument must be between 0 and 65535 inclusive"),
        (&["--port"], "'port'\nwrong number of arguments"),
        (&["--no-such-thing", "1"], "Bad directive or wrong number of arguments"),
        (&["--loglevel", "--bla"], "argument(s) must be one of the following"),
        (&["--dir", "/no/such/directory"], "Can't chdir to '/no/such/directory': No such file"),
        (&["--logfile", "/no/such/file"], "Can't open the log file: No such file or directory"),
        // Going on without these would be worse than not starting.
        (&["--aclfile", "/etc/users.acl"], "This directive is not supported by this version"),
        (&["--replicaof", "127.0.0.1", "6379"], "This directive is not supported by this version"),
        (&["--cluster-enabled", "yes"], "This directive is not supported by this version"),
        (&["--tls-port", "6380"], "This directive is not supported by this version"),
        (&["--user", "default", "off"], "This directive is not supported by this version"),
        (&["--loadmodule", "/x.so"], "This directive is not supported by this version"),
    ];
    for (args, reason) in cases {
        let output = run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let report = text(&output.stderr);
        assert!(report.starts_with("\n*** FATAL CONFIG FILE ERROR (Redis "), "{args:?}: {report}");
        assert!(report.contains("Reading the configuration file, at line "), "{args:?}: {report}");
        assert!(report.contains(reason), "{args:?}: {report}");
    }
}

#[test]
fn info_has_no_name_that_tools_would_have_to_know() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(b"INFO server\r\nQUIT\r\n");
    let info = client.rest();
    assert!(info.contains("\nferrite_version:"), "{info}");
    assert!(!info.contains("server_name:"), "{info}");
}

#[test]
fn a_missing_file_is_fatal() {
    let output = run(&["/no/such/file.conf"]);
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stdout);
    let reason = "Fatal error, can't open config file '/no/such/file.conf': No such file";
    assert!(log.contains(reason), "{log}");
}

#[test]
fn file_include_stdin_and_options_add_up() {
    let directory = Directory::new();
    let port = free_port();
    directory.write("more-1.conf", "maxmemory 7mb\ntimeout 77");
    directory.write("more-2.conf", "timeout 78");
    let path = directory.path().display().to_string();
    let conf = format!("# comment\nport 1\ndir \"{path}\"\ninclude more-*.conf\nhz 11\n");
    let conf = directory.write("main.conf", &conf);
    let mut child = Command::new(BINARY)
        .args([&conf, "--port", &port.to_string(), "--logfile", "log", "--loglevel debug", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"hz 22\nport 2\n").unwrap();
    let log = directory.path().join("log");
    wait_for("the log", || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        log.contains("Ready to accept").then_some(())
    });
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut client = Client::new(stream);
    let expected = [
        ("maxmemory", "7340032"),
        ("timeout", "78"),
        ("hz", "22"),
        ("loglevel", "debug"),
        ("dir", &path),
    ];
    for (name, value) in expected {
        client.send(format!("CONFIG GET {name}\r\n").as_bytes());
        let reply = format!("*2\r\n${}\r\n{name}\r\n${}\r\n{value}\r\n", name.len(), value.len());
        client.expect(reply.as_bytes());
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_log_says_what_tools_look_for() {
    let server = Server::start(&["--always-show-logo", "yes"]);
    let log = server.log();
    let pid = server.pid();
    let words = [
        "Ferrite is starting".to_owned(),
        format!("Port: {}", server.port),
        format!(" PID: {pid}"),
        "Server initialized".to_owned(),
        "Ready to accept connections tcp".to_owned(),
    ];
    let mut from = 0;
    for word in words {
        let at = log[from..].find(&word);
        from += at.unwrap_or_else(|| panic!("no {word:?} in its place in\n{log}"));
    }
    let line = log.lines().find(|line| line.contains("Server initialized")).unwrap();
    let parts: Vec<&str> = line.split(' ').collect();
    assert_eq!(parts[0], format!("{pid}:M"));
    assert_eq!((parts[4].len(), parts[5]), ("00:00:00.000".len(), "*"));
}

#[test]
fn a_port_in_use_is_fatal() {
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let output = run(&["--port", &port, "--bind", "127.0.0.1"]);
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stdout);
    let reason = format!(
        "Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in \
         use"
    );
    assert!(log.contains(&reason), "{log}");
    assert!(log.contains(&format!("Failed listening on port {port} (TCP), aborting.")), "{log}");
    let output = run(&["--port", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("Configured to not listen anywhere, exiting."));
}

#[test]
fn a_unix_socket_for_nobody_is_fatal() {
    let directory = Directory::new();
    let path = directory.file("socket");
    let group = ["--unixsocketgroup", "no group of this name"];
    let output = run(&[&["--port", "0", "--unixsocket", &path][..], &group].concat());
    assert_eq!(output.status.code(), Some(1));
    let log = text(&output.stdout);
    let reason = "Failed opening Unix socket: getgrnam error for group 'no group of this name'";
    assert!(log.contains(reason), "{log}");
}

#[test]
fn the_title_shows_the_name_and_the_address() {
    let (port, directory) = (free_port(), Directory::new());
    let mut command = Command::new(BINARY);
    command.arg0("some/where/redis-server").args(["--port", &port.to_string()]);
    let server = Server::spawn(command, port, directory);
    let title = || {
        let bytes = std::fs::read(format!("/proc/{}/cmdline", server.pid())).unwrap();
        text(&bytes).trim_end_matches('\0').to_owned()
    };
    assert_eq!(title(), format!("some/where/redis-server *:{port}"));
    let mut client = server.connect();
    let template = "CONFIG SET proc-title-template \"TEST {title} {port}\"";
    assert_eq!(client.command(template), "+OK");
    assert_eq!(title(), format!("TEST some/where/redis-server {port}"));
    let long = "x".repeat(5_000);
    let template = format!("CONFIG SET proc-title-template {long}");
    assert_eq!(client.command(&template), "+OK");
    assert!(title().starts_with("xxxx"));
    assert_eq!(client.command("PING"), "+PONG");
}

#[test]
fn a_daemon_leaves_its_process_id_and_cleans_up() {
    let directory = Directory::new();
    let (port, pid_file) = (free_port(), directory.file("ferrite.pid"));
    let (log, socket) = (directory.file("log"), directory.file("socket"));
    let conf = format!("port {port}\nlogfile {log}\nunixsocket {socket}\npidfile {pid_file}\n");
    let link = directory.file("redis-server");
    std::os::unix::fs::symlink(BINARY, &link).unwrap();
    let mut child = Command::new(&link)
        .args(["--daemonize", "yes", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(conf.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let read_log = || std::fs::read_to_string(&log).unwrap_or_default();
    wait_for("the daemon", || {
        read_log().contains("Ready to accept connections unix").then_some(())
    });
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    assert_ne!(pid.trim(), child.id().to_string());
    // Fields 5 and 6 of `stat`: the process leads its own group and session.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!((fields[2], fields[3]), (pid.trim(), pid.trim()));
    // The name that `pgrep` and `killall` look for.
    let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.trim())).unwrap();
    assert_eq!(name.trim(), "redis-server");
    let mut client = Client::new(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    client.send(b"SHUTDOWN NOSAVE\r\n");
    assert_eq!(client.rest(), "");
    wait_for("the end", || read_log().contains("ready to exit, bye bye").then_some(()));
    wait_for("the pid file to go", || std::fs::metadata(&pid_file).is_err().then_some(()));
    assert!(std::fs::metadata(&socket).is_err());
}

#[test]
fn systemd_is_told() {
    let directory = Directory::new();
    let path = directory.file("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let port = free_port();
    let mut command = Command::new(BINARY);
    command
        .args(["--supervised", "systemd", "--port", &port.to_string()])
        .env("NOTIFY_SOCKET", &path);
    let mut server = Server::spawn(command, port, Directory::new());
    let message = || {
        let mut bytes = [0; 500];
        let length = socket.recv(&mut bytes).unwrap();
        text(&bytes[..length])
    };
    assert!(message().contains("READY=1"));
    server.signal("TERM");
    assert!(message().contains("STOPPING=1"));
    assert!(server.wait().success());
}

#[test]
fn a_low_limit_of_open_files_lowers_maxclients() {
    let (port, directory) = (free_port(), Directory::new());
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n 200; exec {BINARY} --port {port} --maxclients 1000")]);
    let server = Server::spawn(command, port, directory);
    assert!(server.log().contains("maxclients has been reduced to 168"), "{}", server.log());
    let mut client = server.connect();
    client.send(b"CONFIG GET maxclients\r\n");
    client.expect(b"*2\r\n$10\r\nmaxclients\r\n$3\r\n168\r\n");
    let reply = client.command("CONFIG SET maxclients 100000");
    assert!(reply.contains("The operating system is not able to handle"), "{reply}");
}

#[test]
fn the_kernel_learns_how_readily_to_kill() {
    // Raising the score takes no privilege.
    let options = ["--oom-score-adj", "absolute", "--oom-score-adj-values", "301 302 303"];
    let server = Server::start(&options);
    let score = || {
        let path = format!("/proc/{}/oom_score_adj", server.pid());
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    };
    assert_eq!(score(), "301");
    let mut client = server.connect();
    assert_eq!(client.command("CONFIG SET oom-score-adj-values \"401 402 403\""), "+OK");
    assert_eq!(score(), "401");
}

#[test]
fn an_unknown_locale_is_refused() {
    let output = run(&["--port", "0", "--locale-collate", "nowhere"]);
    let log = text(&output.stdout);
    assert!(log.contains("Failed to configure LOCALE for invalid locale name."), "{log}");
    let server = Server::start(&["--locale-collate", "C"]);
    let mut client = server.connect();
    assert_eq!(
        client.command("CONFIG SET locale-collate nowhere"),
        "-ERR CONFIG SET failed (possibly related to argument 'locale-collate') - Invalid locale \
         name"
    );
    client.send(b"CONFIG GET locale-collate\r\n");
    client.expect(b"*2\r\n$14\r\nlocale-collate\r\n$1\r\nC\r\n");
    assert_eq!(client.command("CONFIG SET locale-collate POSIX"), "+OK");
}
