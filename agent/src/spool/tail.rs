//! The young part of the spool: files in memory, to which each sample is appended.

use std::fs::{self, File};
use std::io::{self, Write as _};

use netmonitor_protocol::payload::Metrics;

use super::kept::kept;
use super::lock::Running;
use super::piece::{Kind, Part, Piece, Taken};
use super::record::Record;
use super::{Spool, delete};

impl Spool {
    /// Keeps a sample of this session. If there is no way to it is counted as lost: it may still
    /// reach the hub as the latest one.
    pub fn append(&mut self, sample: &Metrics) {
        let written = self.write_sample(sample);
        match written {
            Ok(()) => {
                if std::mem::take(&mut self.is_faulty) {
                    tracing::info!("samples that wait are kept again");
                }
                let newest = Taken {
                    time: sample.time,
                    monotonic_ms: sample.monotonic_ms.unwrap_or_default(),
                };
                if let Some(kept) = self.sessions.last_mut() {
                    kept.numbers.insert(sample.seq..=sample.seq);
                }
                if let Some(part) = self.pieces.last_mut().and_then(|it| it.parts.last_mut()) {
                    part.newest = Some(newest);
                    part.held.insert(sample.seq..=sample.seq);
                }
            }
            Err(error) => {
                // Whatever was written of it is torn, so nothing may stand behind it.
                self.open = None;
                if !std::mem::replace(&mut self.is_faulty, true) {
                    let path = self.place.tail.display();
                    tracing::error!(%error, %path, "samples cannot be kept until they are stored");
                }
                self.count_lost(self.owner.session, 1);
            }
        }
        if self.last_bytes() >= self.limits.file_bytes {
            self.open = None;
        }
        self.make_room_in_tail();
    }

    fn write_sample(&mut self, sample: &Metrics) -> io::Result<()> {
        let record = Record::Sample {
            seq: sample.seq,
            json: serde_json::to_vec(&kept(sample))?,
        };
        self.write(&record)
    }

    pub(super) fn write(&mut self, record: &Record) -> io::Result<()> {
        if self.open.is_none() {
            self.create()?;
        }
        self.buffer.clear();
        record.write(&mut self.buffer);
        let (Some(file), Some(piece)) = (&mut self.open, self.pieces.last_mut()) else {
            return Ok(());
        };
        file.write_all(&self.buffer)?;
        piece.bytes += self.buffer.len() as u64;
        piece.plain_bytes = piece.bytes;
        Ok(())
    }

    /// Begins a file. Another agent with this state directory may have taken a name.
    fn create(&mut self) -> io::Result<()> {
        let mut has_made_folder = false;
        loop {
            let mut piece = Piece::tail(&self.place.tail, self.next_number);
            match options().open(&piece.path) {
                Ok(mut file) => {
                    let start = self.owner.start();
                    let mut buffer = Vec::new();
                    Record::Start(start.clone()).write(&mut buffer);
                    if let Err(error) = file.write_all(&buffer) {
                        delete(&piece.path);
                        return Err(error);
                    }
                    self.next_number += 1;
                    piece.bytes = buffer.len() as u64;
                    piece.parts.push(Part::new(start));
                    self.pieces.push(piece);
                    self.open = Some(file);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.next_number += 1;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && !has_made_folder => {
                    // Somebody tidied up: once more, with a folder.
                    self.place.make_tail()?;
                    self.say_it_runs();
                    has_made_folder = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Keeps other agents away from the tail while this one runs.
    pub(super) fn say_it_runs(&mut self) {
        // The former one has gone with its folder.
        self.running = None;
        let begun = Running::begin(&self.place.tail, self.owner.session);
        self.running = begun
            .inspect_err(|error| {
                let path = self.place.tail.display();
                tracing::debug!(%error, %path, "other agents may take these samples for left behind");
            })
            .ok();
    }

    fn last_bytes(&self) -> u64 {
        let last = self.pieces.last().filter(|_| self.open.is_some());
        last.map_or(0, |piece| piece.bytes)
    }

    fn make_room_in_tail(&mut self) {
        let is_tail = |piece: &&Piece| piece.kind == Kind::Tail;
        loop {
            let bytes: u64 = self.pieces.iter().filter(is_tail).map(Piece::room).sum();
            let closed = self.pieces.len() - usize::from(self.open.is_some());
            let oldest = self.pieces[..closed].iter().position(|it| is_tail(&it));
            match oldest {
                Some(oldest) if bytes > self.limits.tail_bytes => self.give_up(oldest),
                _ => return,
            }
        }
    }
}

fn options() -> fs::OpenOptions {
    let mut options = File::options();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Memory that is full, which is little in a namespace of its own: needs `unshare`, and root or
/// user namespaces.
#[cfg(all(test, target_os = "linux"))]
mod with_full_memory {
    use std::process::Command;

    use netmonitor_protocol::SessionId;

    use super::*;
    use crate::spool::tests::{fill, folder, owner, read};
    use crate::spool::{Limits, Place};

    /// Set where the working directory is in little memory.
    const HAS_LITTLE_MEMORY: &str = "NETMONITOR_TEST_HAS_LITTLE_MEMORY";

    #[test]
    fn full_memory_is_not_filled_with_empty_files_and_is_used_again() {
        let memory = tempfile::tempdir().unwrap();
        let script = "mount -t tmpfs -o size=64k none . && cd \"$PWD\" && exec \"$0\" \"$@\"";
        let output = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "spool::tail::with_full_memory::in_little_memory"])
            .arg("--ignored")
            .env(HAS_LITTLE_MEMORY, "1")
            .current_dir(memory.path())
            .output()
            .expect("unshare is installed (util-linux)");
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{failed}");
        assert!(said.contains("1 passed"), "{said}");
    }

    #[test]
    #[ignore = "run by the test above, in memory of its own"]
    fn in_little_memory() {
        if std::env::var_os(HAS_LITTLE_MEMORY).is_none() {
            return;
        }
        let folder = folder();
        let tail = std::env::current_dir().unwrap().join("memory");
        let place = Place {
            tail: tail.clone(),
            ..folder.place.clone()
        };
        let mut spool = Spool::open(place, owner(1), Limits::default());
        let files = || fs::read_dir(&tail).unwrap().count();
        fill(&mut spool, 1..=400);
        let (before, lost) = (files(), spool.lost().total());
        assert!((1..400).contains(&lost), "{lost}");
        fill(&mut spool, 401..=500);
        assert_eq!((files(), spool.lost().total()), (before, lost + 100));

        spool.acked(SessionId(1), &[(1, 500)]);
        fill(&mut spool, 501..=510);
        assert_eq!(read(&spool, 1), (501..=510).collect::<Vec<_>>());
        assert_eq!(spool.lost().total(), lost + 100);
    }
}
