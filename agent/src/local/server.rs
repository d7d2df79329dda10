//! The agent's side of the socket.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use netmonitor_protocol::DeviceId;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{FailedCollector, QUESTION_MAX, Question, Report};
use crate::VERSION;
use crate::delivery::Delivery;
use crate::doings::Doings;
use crate::notices::{Notice, Notices};

/// So many may be connected at once; others wait until one goes.
const CONNECTIONS: usize = 32;

/// So many of one user: nobody keeps the others out.
const OF_ONE_USER: usize = 8;

/// How long a question, or the reading of a line, may take.
const WITHIN: Duration = Duration::from_secs(5);

/// The wait after the socket could not be used.
const AGAIN: Duration = Duration::from_secs(10);

/// What those who ask are told.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) device: DeviceId,
    pub(crate) doings: Arc<Doings>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) notices: Arc<Notices>,
}

/// Answers at the socket, until dropped. Without it nothing else stops.
pub(crate) async fn serve(path: PathBuf, server: Server) {
    loop {
        match bind(&path).await {
            Ok(listener) => return accept(listener, &server).await,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "nobody on this machine can ask");
                sleep(AGAIN * 60).await;
            }
        }
    }
}

/// Takes the place of a socket that was left behind, and of none that somebody answers at.
async fn bind(path: &Path) -> io::Result<UnixListener> {
    if UnixStream::connect(path).await.is_ok() {
        let text = "another agent uses this socket";
        return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Who may reach it is decided by the folder: that of a service is open to all users.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
    Ok(listener)
}

/// Answers whoever comes, and never ends.
async fn accept(listener: UnixListener, server: &Server) {
    let mut connections = JoinSet::new();
    let mut users = Vec::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS => {
                let stream = accepted.and_then(|(stream, _)| Ok((stream.peer_cred()?.uid(), stream)));
                let (user, stream) = match stream {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "somebody on this machine cannot ask");
                        // It would be the same at once where files run out.
                        sleep(AGAIN).await;
                        continue;
                    }
                };
                if users.iter().filter(|it| **it == user).count() >= OF_ONE_USER {
                    continue;
                }
                users.push(user);
                let server = server.clone();
                connections.spawn(async move {
                    if let Err(error) = server.answer(stream).await {
                        tracing::debug!(%error, "somebody on this machine has left");
                    }
                    user
                });
            }
            Some(ended) = connections.join_next() => {
                let at = ended.ok().and_then(|user| users.iter().position(|it| *it == user));
                if let Some(at) = at {
                    users.swap_remove(at);
                }
            }
        }
    }
}

impl Server {
    async fn answer(&self, stream: UnixStream) -> io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        let mut reader = BufReader::new(read).take(QUESTION_MAX);
        timeout(WITHIN, reader.read_line(&mut line)).await??;
        match serde_json::from_str(&line)? {
            Question::Status => send(&mut write, &self.report()).await,
            Question::Notices => {
                let (first, mut then) = self.notices.listen(Instant::now());
                for notice in first {
                    send(&mut write, &notice).await?;
                }
                loop {
                    let mut end = [0];
                    let notice: Notice = tokio::select! {
                        told = then.recv() => match told {
                            Ok(notice) => notice,
                            Err(RecvError::Lagged(_)) => continue,
                            Err(RecvError::Closed) => return Ok(()),
                        },
                        // Nothing more is said there: it is the end.
                        _ = reader.read(&mut end) => return Ok(()),
                    };
                    send(&mut write, &notice).await?;
                }
            }
        }
    }

    fn report(&self) -> Report {
        let connection = self.doings.connection().borrow().clone();
        let failing = self.doings.collectors().into_iter();
        Report {
            version: VERSION.to_owned(),
            device: self.device.to_string(),
            connected: connection.address,
            since: connection.since,
            error: connection.error,
            waiting: self.delivery.waiting(),
            failing: failing
                .filter(|it| it.failures > 0)
                .map(|it| FailedCollector {
                    name: it.name.to_owned(),
                    failures: it.failures,
                    error: it.error,
                })
                .collect(),
        }
    }
}

async fn send(
    write: &mut (impl AsyncWrite + Unpin),
    told: &impl serde::Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(told)?;
    line.push(b'\n');
    timeout(WITHIN, write.write_all(&line)).await?
}
