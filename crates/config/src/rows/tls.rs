//! Parameters of encrypted connections.

use super::general::END as PREVIOUS;
use crate::choice::{Choices, TlsAuthClients, TlsAuthClientsUser};
use crate::handle::{Bool, Choice, Int, Text};
use crate::row::{INT_MAX, Unit, boolean, choice, int, text};

rows! {
    Tls after PREVIOUS;

    TLS_PORT: Int = int("tls-port", 0, 0, 65535).indispensable(),
        "Port for encrypted connections; 0 turns them off.";
    TLS_CERT_FILE: Text = text("tls-cert-file", "").reapplied().planned(),
        "Certificate of the server.";
    TLS_KEY_FILE: Text = text("tls-key-file", "").reapplied().planned(),
        "Private key of the server's certificate.";
    TLS_KEY_FILE_PASS: Text = text("tls-key-file-pass", "").sensitive().planned(),
        "Password of the server's private key.";
    TLS_CLIENT_CERT_FILE: Text = text("tls-client-cert-file", "").reapplied().planned(),
        "Certificate for outgoing connections; empty uses the server's.";
    TLS_CLIENT_KEY_FILE: Text = text("tls-client-key-file", "").reapplied().planned(),
        "Private key for outgoing connections.";
    TLS_CLIENT_KEY_FILE_PASS: Text = text("tls-client-key-file-pass", "").sensitive().planned(),
        "Password of the private key for outgoing connections.";
    TLS_DH_PARAMS_FILE: Text = text("tls-dh-params-file", "").reapplied().planned(),
        "Diffie-Hellman parameters for old clients.";
    TLS_CA_CERT_FILE: Text = text("tls-ca-cert-file", "").reapplied().planned(),
        "File with the certificates of trusted authorities.";
    TLS_CA_CERT_DIR: Text = text("tls-ca-cert-dir", "").reapplied().planned(),
        "Directory with the certificates of trusted authorities.";
    TLS_AUTH_CLIENTS: Choice<TlsAuthClients> =
        choice("tls-auth-clients", TlsAuthClients::WORDS, TlsAuthClients::Yes as i64).planned(),
        "Whether clients and replicas must show a certificate.";
    TLS_AUTH_CLIENTS_USER: Choice<TlsAuthClientsUser> =
        choice("tls-auth-clients-user", TlsAuthClientsUser::WORDS, 0).planned(),
        "Field of a client's certificate that names its user.";
    TLS_REPLICATION: Bool = boolean("tls-replication", false).planned(),
        "Connect to the primary over TLS.";
    TLS_CLUSTER: Bool = boolean("tls-cluster", false).planned(),
        "Use TLS on the cluster bus.";
    TLS_PROTOCOLS: Text = text("tls-protocols", "").planned(),
        "Protocol versions to accept, separated by spaces.";
    TLS_CIPHERS: Text = text("tls-ciphers", "").planned(),
        "Ciphers up to TLS 1.2, in OpenSSL's notation.";
    TLS_CIPHERSUITES: Text = text("tls-ciphersuites", "").planned(),
        "Cipher suites of TLS 1.3.";
    TLS_PREFER_SERVER_CIPHERS: Bool = boolean("tls-prefer-server-ciphers", false).planned(),
        "Choose ciphers by the server's order of preference instead of the client's.";
    TLS_SESSION_CACHING: Bool = boolean("tls-session-caching", true).planned(),
        "Let clients resume sessions, which makes reconnecting cheaper.";
    TLS_SESSION_CACHE_SIZE: Int = int("tls-session-cache-size", 20480, 0, INT_MAX).planned(),
        "Sessions kept for resumption; 0 for no limit.";
    TLS_SESSION_CACHE_TIMEOUT: Int =
        int("tls-session-cache-timeout", 300, 0, INT_MAX).unit(Unit::Seconds).planned(),
        "How long a session can be resumed.";
    MAX_NEW_TLS_CONNECTIONS_PER_CYCLE: Int =
        int("max-new-tls-connections-per-cycle", 1, 1, 1000).planned(),
        "Encrypted connections accepted in one turn of an event loop.";
}
