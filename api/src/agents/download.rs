//! A program on its way to a machine.

use std::fs::File;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use poem::Body;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::io::ReaderStream;

/// The size of a piece. Two of them are in memory.
const PIECE_BYTES: usize = 64 * 1024;

/// Whoever takes no piece for so long makes room for others.
const STILL: Duration = Duration::from_secs(30);

/// Whoever takes longer for all of them does as well.
const LONGEST: Duration = Duration::from_mins(10);

/// Exactly `bytes` bytes of the file, or less if it has become shorter or time is up: then they are
/// not what was announced, and the connection is closed. What is put in the place of the file
/// meanwhile is not mixed in; what is written into it is, and the machine sees it by the SHA-256.
///
/// The turn is over with the last piece, or when time is up: not only with the connection, which
/// stays for as long as the other end holds it and reads nothing.
pub(crate) fn download(file: File, bytes: u64, turn: OwnedSemaphorePermit) -> Body {
    // When it is full, no more is read.
    let (pieces, taken) = mpsc::channel(1);
    let mut reading = JoinSet::new();
    reading.spawn(async move {
        let _turn = turn;
        let _late = timeout(LONGEST, read(file, bytes, pieces)).await;
    });
    // With the body the reading ends.
    let pieces = stream::unfold((taken, reading), |(mut taken, reading)| async move {
        let piece = taken.recv().await?;
        Some((piece, (taken, reading)))
    });
    Body::from_bytes_stream(pieces)
}

async fn read(file: File, bytes: u64, pieces: mpsc::Sender<io::Result<Bytes>>) {
    let file = tokio::fs::File::from_std(file).take(bytes);
    let mut source = ReaderStream::with_capacity(file, PIECE_BYTES);
    while let Some(piece) = source.next().await {
        let sent = timeout(STILL, pieces.send(piece)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::sync::Arc;
    use tempfile::NamedTempFile;
    use tokio::sync::Semaphore;

    /// A file, the one turn that there is, and the file on its way.
    fn begin(content: &[u8]) -> (NamedTempFile, Arc<Semaphore>, Body) {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let turns = Arc::new(Semaphore::new(1));
        let turn = turns.clone().try_acquire_owned().unwrap();
        let body = download(file.reopen().unwrap(), content.len() as u64, turn);
        (file, turns, body)
    }

    #[tokio::test]
    async fn no_more_comes_than_was_announced_and_then_the_turn_is_over() {
        let content = vec![7; 3 * PIECE_BYTES + 5];
        let (mut file, turns, body) = begin(&content);
        assert_eq!(turns.available_permits(), 0);
        // It grows before it is sent.
        file.write_all(b"more").unwrap();
        assert_eq!(body.into_bytes().await.unwrap(), content);
        assert_eq!(turns.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_takes_nothing_loses_its_turn_and_gets_too_little() {
        let content = vec![7; 8 * PIECE_BYTES];
        let (_file, turns, body) = begin(&content);
        let _turn = timeout(2 * STILL, turns.acquire()).await.unwrap().unwrap();
        assert!(body.into_bytes().await.unwrap().len() < content.len());
    }

    #[tokio::test]
    async fn a_machine_that_goes_away_leaves_its_turn() {
        let (_file, turns, body) = begin(&vec![7; 8 * PIECE_BYTES]);
        drop(body);
        let _turn = turns.acquire().await.unwrap();
    }
}
