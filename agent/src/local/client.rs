//! The other side of the socket: those who ask.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{Question, Report};
use crate::notices::Notice;

/// How long an agent may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How the agent is doing that runs on this machine. None if none does, or it is another user's.
pub(crate) async fn ask_status(sockets: &[PathBuf]) -> Option<Report> {
    for path in sockets {
        let asked = timeout(ANSWER_WITHIN, async {
            let mut lines = ask(path, Question::Status).await?;
            let line = lines.next_line().await?.unwrap_or_default();
            Ok::<Report, io::Error>(serde_json::from_str(&line)?)
        });
        match asked.await {
            Ok(Ok(report)) => return Some(report),
            Ok(Err(error)) => {
                tracing::debug!(%error, path = %path.display(), "no agent answers");
            }
            Err(_) => tracing::debug!(path = %path.display(), "no agent answers in time"),
        }
    }
    None
}

/// Notices, as they come.
pub(crate) struct Listening(Lines<BufReader<UnixStream>>);

/// Listens to the first agent that answers.
pub(crate) async fn listen(sockets: &[PathBuf]) -> io::Result<Listening> {
    let mut why = io::Error::new(io::ErrorKind::NotFound, "there is nowhere to ask");
    for path in sockets {
        match ask(path, Question::Notices).await {
            Ok(lines) => return Ok(Listening(lines)),
            Err(error) => why = error,
        }
    }
    Err(why)
}

impl Listening {
    /// The next one; none when the agent ends.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Notice>> {
        let Some(line) = self.0.next_line().await? else {
            return Ok(None);
        };
        Ok(Some(serde_json::from_str(&line)?))
    }
}

async fn ask(path: &PathBuf, question: Question) -> io::Result<Lines<BufReader<UnixStream>>> {
    let mut stream = UnixStream::connect(path).await?;
    let mut line = serde_json::to_vec(&question)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(BufReader::new(stream).lines())
}
