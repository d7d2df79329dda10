//! The file: a tar archive, compressed with gzip, that any system unpacks. The manifest is its first
//! member, and the others follow as the manifest names them.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Context as _;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use netmonitor_service::digest::Sha256;
use tokio_util::sync::CancellationToken;

use super::manifest::{Entry, Manifest, NoBackup};

/// The first member.
const MANIFEST: &str = "netmonitor-backup.json";

/// A manifest of a thousand files is smaller.
const MANIFEST_MAX: u64 = 1 << 20;

/// Bytes between two looks whether to stop.
const CHUNK: usize = 256 << 10;

/// Writes the archive with files from a folder.
pub(crate) fn write(
    out: impl Write,
    manifest: &Manifest,
    files: &Path,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    // Most of it is the history, which is compressed already: more effort gains little, and a
    // Raspberry Pi has better things to do.
    let out = GzEncoder::new(BufWriter::with_capacity(CHUNK, out), Compression::fast());
    let mut tar = tar::Builder::new(out);
    let json = serde_json::to_vec_pretty(manifest)?;
    append(
        &mut tar,
        MANIFEST,
        manifest.created_at,
        json.len() as u64,
        &json[..],
    )?;
    for file in &manifest.files {
        let content = Stoppable {
            inner: File::open(files.join(&file.path))?,
            stop,
        };
        append(
            &mut tar,
            &file.path,
            manifest.created_at,
            file.bytes,
            content,
        )?;
    }
    let out = tar.into_inner()?.finish()?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .flush()?;
    Ok(())
}

fn append(
    tar: &mut tar::Builder<impl Write>,
    name: &str,
    time: Timestamp,
    bytes: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(time.as_second().try_into().unwrap_or_default());
    tar.append_data(&mut header, name, content)
}

/// Whether a file begins as a backup does, of whatever version.
pub(crate) fn is_backup(file: impl Read) -> bool {
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    let first = tar.entries().ok().and_then(|mut all| all.next());
    first.is_some_and(|first| first.is_ok_and(|first| is_named(&first, MANIFEST)))
}

/// Reads an archive and hands its files to `take`, one after the other; `begin` sees the manifest
/// before. What was taken is good only if this returns without an error: then all is as the manifest
/// says, to the last byte.
pub(crate) fn read<T>(
    input: impl Read,
    stop: &CancellationToken,
    begin: impl FnOnce(&Manifest) -> anyhow::Result<T>,
    mut take: impl FnMut(&mut T, &Entry) -> anyhow::Result<File>,
) -> anyhow::Result<T> {
    let input = BufReader::with_capacity(CHUNK, Stoppable { inner: input, stop });
    let mut tar = tar::Archive::new(GzDecoder::new(input));
    // As they stand there: names need no extensions, and none of them is obeyed.
    let mut members = tar.entries().map_err(|_| NoBackup::Foreign)?.raw(true);
    // Whatever it is, without a manifest it is no backup.
    let first = members.next().and_then(Result::ok);
    let first = first
        .filter(|first| is_named(first, MANIFEST))
        .ok_or(NoBackup::Foreign)?;
    let mut json = Vec::new();
    first
        .take(MANIFEST_MAX)
        .read_to_end(&mut json)
        .map_err(|_| cut_off(MANIFEST))?;
    let manifest = Manifest::parse(&json)?;
    let mut taken = begin(&manifest)?;
    for file in &manifest.files {
        let name = &file.path;
        let member = members.next().and_then(Result::ok);
        let member =
            member.ok_or_else(|| interrupted(stop).unwrap_or_else(|| cut_off(name).into()))?;
        let is_it = is_named(&member, name)
            && member.header().entry_type().is_file()
            && member.size() == file.bytes;
        if !is_it {
            return Err(NoBackup::Damaged(format!("{name} is not in its place")).into());
        }
        let to = take(&mut taken, file)?;
        unpack(member, &to, file, stop)?;
    }
    if members.next().is_some() {
        return Err(NoBackup::Damaged("there is more in it than it says".to_owned()).into());
    }
    // To the end: there is the checksum of the compressed stream.
    io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(|_| cut_off("its end"))?;
    Ok(taken)
}

fn unpack(
    mut from: impl Read,
    to: &File,
    file: &Entry,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut digest = Sha256::default();
    let mut left = file.bytes;
    let mut chunk = vec![0; CHUNK];
    let mut out = to;
    while left > 0 {
        let read = from.read(&mut chunk).ok().filter(|read| *read > 0);
        let read =
            read.ok_or_else(|| interrupted(stop).unwrap_or_else(|| cut_off(&file.path).into()))?;
        digest.write_all(&chunk[..read])?;
        out.write_all(&chunk[..read])
            .with_context(|| format!("cannot unpack {}", file.path))?;
        left = left.saturating_sub(read as u64);
    }
    if digest.finish() != file.sha256 {
        return Err(NoBackup::Damaged(format!("{} is not what it was", file.path)).into());
    }
    to.sync_all()
        .with_context(|| format!("cannot unpack {}", file.path))
}

/// Compared as it stands there: nothing is made of it.
fn is_named(member: &tar::Entry<'_, impl Read>, name: &str) -> bool {
    *member.path_bytes() == *name.as_bytes()
}

fn cut_off(at: &str) -> NoBackup {
    NoBackup::Damaged(format!("it is cut off or changed at {at}"))
}

fn interrupted(stop: &CancellationToken) -> Option<anyhow::Error> {
    stop.is_cancelled()
        .then(|| anyhow::anyhow!("stopped: nothing was changed"))
}

/// Ends when somebody has asked for it.
struct Stoppable<'a, R> {
    inner: R,
    stop: &'a CancellationToken,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_cancelled() {
            return Err(io::Error::other("stopped"));
        }
        self.inner.read(buffer)
    }
}
