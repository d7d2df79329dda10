//! One question to Docker or Podman: HTTP over a socket of the system.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::ANSWER_WITHIN;

/// An answer is no longer, in bytes: that about 1,000 containers has 2 MB.
const LONGEST: u64 = 8 << 20;

/// Lines of the head of an answer; Docker has ten.
const HEADERS: usize = 64;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocketError {
    /// Nobody can be asked.
    #[error("cannot ask {path}: may the agent's user read and write it?")]
    Connect {
        /// Whom.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The conversation broke off.
    #[error("no whole answer")]
    Io(#[from] io::Error),
    /// It is not HTTP.
    #[error("the answer is not understood")]
    Http(#[from] httparse::Error),
    /// It is shorter than it says, or longer than anything.
    #[error("the answer is not whole")]
    NotWhole,
    /// It is a refusal.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// It is no JSON, or something else than was asked for.
    #[error("the answer is not what was asked for")]
    Json(#[from] serde_json::Error),
}

/// Asks for one thing. HTTP/1.0, so that the answer ends with the connection, and is in one piece.
pub(super) fn get<T: DeserializeOwned>(socket: &Path, path: &str) -> Result<T, SocketError> {
    let connect = |source| SocketError::Connect {
        path: socket.display().to_string(),
        source,
    };
    let mut stream = UnixStream::connect(socket).map_err(connect)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    parse(&answer)
}

fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, SocketError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(body) = head.parse(answer)? else {
        return Err(SocketError::NotWhole);
    };
    match head.code {
        Some(200) => Ok(serde_json::from_slice(&answer[body..])?),
        Some(code) => Err(SocketError::Status(code)),
        None => Err(SocketError::NotWhole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_its_body_and_everything_else_is_an_error() {
        let ok = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[1,2]";
        assert_eq!(parse::<Vec<u8>>(ok).unwrap(), [1, 2]);
        let check = |answer: &[u8], expected: &str| {
            let error = parse::<Vec<u8>>(answer).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check(b"", "the answer is not whole");
        check(b"HTTP/1.0 200 OK\r\nContent-Ty", "the answer is not whole");
        check(
            b"HTTP/1.0 404 Not Found\r\n\r\n{}",
            "the answer has the status 404",
        );
        check(
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
            "the answer is not understood",
        );
        check(
            b"HTTP/1.0 200 OK\r\n\r\n[1,2",
            "the answer is not what was asked for",
        );
    }
}
