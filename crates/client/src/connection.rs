//! The connection: requests are queued in one buffer and written together, replies are decoded
//! one by one from what the socket has delivered so far.
//!
//! Sending and receiving are separate, so that the same type serves a plain request-and-reply
//! caller, a deep pipeline, a subscriber that only listens, and a protocol test that writes bytes
//! no client would. Nothing here interprets a reply: an error reply is a [`Value`], not an
//! [`Error`].

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::address::Address;
use crate::reply::Decoder;
use resp::{ReplyError, Value};

/// Bytes asked of the socket in one read.
const READ_BYTES: usize = 64 * 1024;

/// What a new connection does before the caller gets it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How long one socket read may wait; `None` waits for ever.
    pub read_timeout: Option<Duration>,
    /// How long the TCP handshake may take; `None` leaves it to the system.
    pub connect_timeout: Option<Duration>,
    /// Whether to negotiate RESP3 with `HELLO 3`.
    pub resp3: bool,
    /// User (empty: the default user) and password, sent by `AUTH` before anything else.
    pub credentials: Option<(String, String)>,
}

/// Why an exchange with the server failed.
#[derive(Debug)]
pub enum Error {
    /// The socket failed.
    Io(io::Error),
    /// No reply within the read timeout.
    TimedOut,
    /// The server closed the connection.
    Closed,
    /// The bytes received are no RESP.
    Protocol(ReplyError),
    /// The server refused `AUTH` or `HELLO` while connecting; its error text.
    Refused(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Io(error) => write!(f, "{error}"),
            Error::TimedOut => f.write_str("no reply within the read timeout"),
            Error::Closed => f.write_str("the server closed the connection"),
            Error::Protocol(error) => write!(f, "the reply is no RESP: {error}"),
            Error::Refused(text) => write!(f, "the server refused the connection: {text}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::TimedOut,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Error::Closed,
            _ => Error::Io(error),
        }
    }
}

/// The two kinds of socket behind one connection.
#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    fn open(address: &Address, options: &Options) -> io::Result<Self> {
        let (host, port) = match address {
            Address::Unix(path) => return Ok(Stream::Unix(UnixStream::connect(path)?)),
            Address::Tcp { host, port } => (host.as_str(), *port),
        };
        let mut refused = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for candidate in (host, port).to_socket_addrs()? {
            let opened = match options.connect_timeout {
                Some(limit) => TcpStream::connect_timeout(&candidate, limit),
                None => TcpStream::connect(candidate),
            };
            match opened {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Stream::Tcp(stream));
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(limit),
            Stream::Unix(stream) => stream.set_read_timeout(limit),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(into),
            Stream::Unix(stream) => stream.read(into),
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }
}

/// A blocking connection to a server.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    outgoing: Vec<u8>,
    decoder: Decoder,
    scratch: Box<[u8]>,
}

impl Client {
    /// Opens a connection, then authenticates and negotiates the protocol as `options` say.
    ///
    /// # Errors
    /// [`Error::Io`] when nothing listens there, [`Error::Refused`] when the server answers `AUTH`
    /// or
    /// `HELLO` with an error.
    pub fn connect(address: &Address, options: &Options) -> Result<Self, Error> {
        let stream = Stream::open(address, options)?;
        stream.set_read_timeout(options.read_timeout)?;
        let mut client = Client {
            stream,
            outgoing: Vec::new(),
            decoder: Decoder::new(),
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
        };
        if let Some((user, password)) = &options.credentials {
            let user = user.as_bytes();
            let arguments: &[&[u8]] = if user.is_empty() {
                &[b"AUTH", password.as_bytes()]
            } else {
                &[b"AUTH", user, password.as_bytes()]
            };
            client.expect_accepted(arguments)?;
        }
        if options.resp3 {
            client.expect_accepted(&[b"HELLO", b"3"])?;
        }
        Ok(client)
    }

    fn expect_accepted(&mut self, arguments: &[&[u8]]) -> Result<(), Error> {
        match self.command(arguments)? {
            Value::Error(text) => Err(Error::Refused(String::from_utf8_lossy(&text).into_owned())),
            _ => Ok(()),
        }
    }

    /// Changes how long one socket read may wait; `None` waits for ever.
    ///
    /// # Errors
    /// [`Error::Io`] when the system refuses, which it does for a zero duration.
    pub fn set_read_timeout(&mut self, limit: Option<Duration>) -> Result<(), Error> {
        Ok(self.stream.set_read_timeout(limit)?)
    }

    /// Sends one command and waits for its reply, which may be an error reply.
    ///
    /// # Errors
    /// Those of [`Client::flush`] and [`Client::receive`].
    pub fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Value, Error> {
        self.queue(arguments);
        self.flush()?;
        self.receive()
    }

    /// Sends all commands in one write and returns their replies in order.
    ///
    /// A server that stops reading while its replies are not taken would block both sides, so a
    /// caller with more than some megabytes to send splits them.
    ///
    /// # Errors
    /// Those of [`Client::flush`] and [`Client::receive`]; the connection is then out of step and
    /// only good for dropping.
    pub fn pipeline<C, A>(&mut self, commands: C) -> Result<Vec<Value>, Error>
    where
        C: IntoIterator,
        C::Item: AsRef<[A]>,
        A: AsRef<[u8]>,
    {
        let mut count = 0;
        for command in commands {
            self.queue(command.as_ref());
            count += 1;
        }
        self.flush()?;
        (0..count).map(|_| self.receive()).collect()
    }

    /// Appends one command to the outgoing buffer without sending it.
    pub fn queue<A: AsRef<[u8]>>(&mut self, arguments: &[A]) {
        encode_command(arguments, &mut self.outgoing);
    }

    /// Appends bytes to the outgoing buffer as they are, for tests of the protocol itself.
    pub fn queue_raw(&mut self, bytes: &[u8]) {
        self.outgoing.extend_from_slice(bytes);
    }

    /// Sends everything queued.
    ///
    /// # Errors
    /// [`Error::Closed`] or [`Error::Io`]; what was queued is dropped.
    pub fn flush(&mut self) -> Result<(), Error> {
        let sent = self.stream.write_all(&self.outgoing);
        self.outgoing.clear();
        Ok(sent?)
    }

    /// Waits for the next reply or push message.
    ///
    /// # Errors
    /// [`Error::TimedOut`] leaves the connection usable: a reply that arrives later is received by
    /// the next call. After any other error the connection is only good for dropping.
    pub fn receive(&mut self) -> Result<Value, Error> {
        loop {
            if let Some(value) = self.decoder.decode().map_err(Error::Protocol)? {
                return Ok(value);
            }
            match self.stream.read(&mut self.scratch) {
                Ok(0) => return Err(Error::Closed),
                Ok(count) => self.decoder.feed(&self.scratch[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for bytes and returns them undecoded: what [`Client::receive`] has not consumed, else
    /// one socket read.
    ///
    /// # Errors
    /// As [`Client::receive`], [`Error::Protocol`] excepted.
    pub fn receive_raw(&mut self) -> Result<Vec<u8>, Error> {
        let rest = self.decoder.take_rest();
        if !rest.is_empty() {
            return Ok(rest);
        }
        match self.stream.read(&mut self.scratch)? {
            0 => Err(Error::Closed),
            count => Ok(self.scratch[..count].to_vec()),
        }
    }
}

/// Appends `arguments` to `out` as a RESP array of bulk strings, the form every command is sent in.
pub fn encode_command<A: AsRef<[u8]>>(arguments: &[A], out: &mut Vec<u8>) {
    resp::encode_command(arguments.iter().map(AsRef::as_ref), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// Serves one connection: checks that `expected` arrives, then answers with `reply` in two
    /// pieces.
    fn serve_once(expected: &'static [u8], reply: &'static [u8]) -> Address {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut got = vec![0; expected.len()];
            socket.read_exact(&mut got).unwrap();
            assert_eq!(got, expected);
            let (first, second) = reply.split_at(reply.len() / 2);
            socket.write_all(first).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            socket.write_all(second).unwrap();
        });
        Address::tcp("127.0.0.1", port)
    }

    #[test]
    fn a_pipeline_is_one_write_and_replies_keep_their_order() {
        let address = serve_once(
            b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n",
            b"$2\r\nhi\r\n+PONG\r\n",
        );
        let mut client = Client::connect(&address, &Options::default()).unwrap();
        let replies = client.pipeline([vec!["GET", "a"], vec!["PING"]]).unwrap();
        assert_eq!(replies, [Value::Bulk(b"hi".to_vec()), Value::Simple(b"PONG".to_vec())]);
        assert!(matches!(client.receive(), Err(Error::Closed)));
    }

    #[test]
    fn a_refused_login_is_an_error_of_connect() {
        let address = serve_once(b"*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n", b"-WRONGPASS no\r\n");
        let credentials = Some((String::new(), "p".to_owned()));
        let options = Options { credentials, ..Options::default() };
        let refused = Client::connect(&address, &options).unwrap_err();
        assert!(matches!(refused, Error::Refused(text) if text == "WRONGPASS no"));
    }

    #[test]
    fn a_time_out_leaves_the_connection_usable() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let read_timeout = Some(Duration::from_millis(10));
        let options = Options { read_timeout, ..Options::default() };
        let mut client = Client::connect(&Address::tcp("127.0.0.1", port), &options).unwrap();
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b":4").unwrap();
        assert!(matches!(client.receive(), Err(Error::TimedOut)));
        socket.write_all(b"2\r\n").unwrap();
        assert_eq!(client.receive().unwrap(), Value::Integer(42));
    }
}
