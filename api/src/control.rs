//! The control socket: how the command line reaches the running hub. One line of JSON asks,
//! one line answers. Only the owner of the data directory can open it.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin::{CONSOLE, Command, Refusal};
use crate::app::App;

/// No command is longer.
const MAX_REQUEST_BYTES: u64 = 64 * 1024;

/// How long either side waits for the other.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the hub answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// It is done; this is what it tells.
    Done(String),
    /// It is not done; this is why.
    Refused(String),
}

/// Opens the socket in place of one that an earlier hub has left behind. Whoever calls holds
/// the write lock, so no other hub uses it.
pub(crate) fn bind(path: &Path) -> anyhow::Result<UnixListener> {
    if path.exists() {
        std::fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    let listener =
        UnixListener::bind(path).with_context(|| format!("cannot make {}", path.display()))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))
        .with_context(|| format!("cannot protect {}", path.display()))?;
    Ok(listener)
}

/// Answers commands until `shutdown`.
pub(crate) async fn serve(app: Arc<App>, listener: UnixListener, shutdown: CancellationToken) {
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = clients.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let app = app.clone();
                    clients.spawn(async move {
                        if tokio::time::timeout(TIMEOUT, answer(app, stream)).await.is_err() {
                            tracing::debug!("a command on the control socket was not finished");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket does not accept");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
}

async fn answer(app: Arc<App>, mut stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut line = String::new();
    tokio::io::BufReader::new(read.take(MAX_REQUEST_BYTES))
        .read_line(&mut line)
        .await?;
    let answer = match serde_json::from_str::<Command>(&line) {
        Ok(command) => match app.administer(command, CONSOLE.to_owned()).await {
            Ok(outcome) => Answer::Done(outcome.output),
            Err(refusal) => Answer::Refused(reason(&refusal)),
        },
        Err(_) => Answer::Refused("this command is of another version than the hub".to_owned()),
    };
    let mut json = serde_json::to_vec(&answer)?;
    json.push(b'\n');
    write.write_all(&json).await
}

/// On the hub's own console the whole chain helps, and commands.
pub fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Fault(error) => format!("{refusal}: {error:#}"),
        Refusal::NotFound { list, .. } => {
            format!("{refusal}: `netmonitor {list}` shows those that there are")
        }
        refusal => refusal.to_string(),
    }
}

/// Has the running hub carry out a command. None if no hub runs in this data directory.
pub fn ask(path: &Path, command: &Command) -> anyhow::Result<Option<Result<String, String>>> {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    let mut stream = match std::os::unix::net::UnixStream::connect(path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| {
                let path = path.display();
                format!("cannot open {path}: --data-dir must name the data directory of the hub")
            });
        }
    };
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut json = serde_json::to_vec(command)?;
    json.push(b'\n');
    stream.write_all(&json)?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .context("the hub did not answer")?;
    let answer = serde_json::from_str(&line).context("the hub did not answer")?;
    Ok(Some(match answer {
        Answer::Done(output) => Ok(output),
        Answer::Refused(reason) => Err(reason),
    }))
}
