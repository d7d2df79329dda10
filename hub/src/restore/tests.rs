//! What restoring does with good files and bad ones.

use std::collections::BTreeMap;
use std::io::Read as _;

use clap::Parser;
use flate2::Compression;
use flate2::write::GzEncoder;
use netmonitor_store::HubDb;
use netmonitor_store::certificates::Certificates;

use super::*;

/// The flags of a command line that has none.
#[derive(Parser)]
struct NoFlags {
    #[command(flatten)]
    flags: Flags,
}

/// A folder with a hub in `hub` and its backup in `backup`.
fn backed_up() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = DataDir::from(folder.path().join("hub"));
    fs::create_dir(data_dir.path()).unwrap();
    drop(HubDb::open(&data_dir.hub_db()).unwrap());
    Certificates::open_or_create(&data_dir.tls()).unwrap();
    fs::write(data_dir.config(), "[hub]\n").unwrap();
    let config = config::load_from(None, &NoFlags::parse_from([""]).flags).unwrap();
    let source = backup::Source {
        data_dir: &data_dir,
        config: &config,
        config_file: Some(&data_dir.config()),
    };
    let to = folder.path().join("backup");
    backup::write(&source, &to, now(), &CancellationToken::new()).unwrap();
    folder
}

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// Restores to `new`.
fn try_restore(folder: &TempDir, force: bool) -> anyhow::Result<()> {
    let wanted = Wanted {
        file: &folder.path().join("backup"),
        data_dir: &DataDir::from(folder.path().join("new")),
        config: None,
        flags: &NoFlags::parse_from([""]).flags,
        force,
    };
    restore(&wanted, now(), &CancellationToken::new())
}

/// Every file below a folder, but for locks.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_none_or(|ending| ending != "lock") {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

/// The members of the backup.
fn members(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    let file = File::open(folder.path().join("backup")).unwrap();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let member = |entry: io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut content = Vec::new();
        io::copy(&mut entry, &mut content).unwrap();
        (name, content)
    };
    tar.entries().unwrap().map(member).collect()
}

/// Makes a backup of these members, whatever they are.
fn pack(folder: &TempDir, members: &[(String, Vec<u8>)]) {
    let file = File::create(folder.path().join("backup")).unwrap();
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        // A name that the crate would not write.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        tar.append(&header, &content[..]).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}

/// Changes the text of the manifest.
fn with_manifest(folder: &TempDir, from: &str, to: &str) {
    let mut members = members(folder);
    let text = String::from_utf8(members[0].1.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    members[0].1 = text.replace(from, to).into_bytes();
    pack(folder, &members);
}

/// Refused, with a reason that has this part, and nothing has been made.
fn assert_refused(folder: &TempDir, part: &str) {
    let error = format!("{:#}", try_restore(folder, true).unwrap_err());
    assert!(error.contains(part), "{part:?}: {error}");
    assert!(!error.contains('\n'), "{error}");
    assert!(!folder.path().join("new").exists(), "{part:?}");
}

#[test]
fn a_backup_is_restored_to_the_letter_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = backed_up();
    try_restore(&folder, false).unwrap();
    let new = folder.path().join("new");
    for name in ["tls/ca.pem", "tls/ca.key", "netmonitor.toml"] {
        let old = fs::read(folder.path().join("hub").join(name)).unwrap();
        assert_eq!(fs::read(new.join(name)).unwrap(), old, "{name}");
    }
    HubDb::open(&new.join("hub.db")).unwrap();
    let is_private = |path: &Path| {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        mode & 0o777 == 0o700
    };
    // The process of a test has not called `keep_private`.
    assert!(is_private(&new) && is_private(&new.join("tls")));
    let names: Vec<_> = fs::read_dir(&new)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let is_work = |name: &String| name.starts_with('.') || name.starts_with("before");
    assert!(!names.iter().any(is_work), "{names:?}");
}

#[test]
fn what_is_no_backup_is_refused_before_anything_is_made() {
    let folder = backed_up();
    let path = folder.path().join("backup");
    let good = fs::read(&path).unwrap();
    for content in [
        &b""[..],
        b"a letter to a friend",
        &[0x1F, 0x8B, 8, 0],
        &good[1..],
    ] {
        fs::write(&path, content).unwrap();
        assert_refused(&folder, "is no backup of NetMonitor");
    }
    pack(&folder, &[("hub.db".to_owned(), b"x".to_vec())]);
    assert_refused(&folder, "is no backup of NetMonitor");
    pack(
        &folder,
        &[("netmonitor-backup.json".to_owned(), b"{}".to_vec())],
    );
    assert_refused(&folder, "is no backup of NetMonitor");
    fs::remove_file(&path).unwrap();
    assert_refused(&folder, "cannot read");
    fs::create_dir(&path).unwrap();
    assert_refused(&folder, "is a directory");
}

/// None if it cannot be.
fn unpacked(gzip: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(gzip);
    decoder.read_to_end(&mut content).ok()?;
    Some(content)
}

#[test]
fn a_damaged_backup_is_refused_wherever_the_damage_is() {
    let folder = backed_up();
    let path = folder.path().join("backup");
    let good = fs::read(&path).unwrap();
    for at in (20..good.len()).step_by(good.len() / 40) {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        // Some bits of a compressed stream mean nothing.
        if unpacked(&bad) != unpacked(&good) {
            fs::write(&path, bad).unwrap();
            assert_refused(&folder, "backup");
        }
        fs::write(&path, &good[..at]).unwrap();
        assert_refused(&folder, "backup");
    }
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert_refused(&folder, "damaged");
}

#[test]
fn a_backup_of_a_newer_program_is_refused_by_name() {
    let current = format!("\"database_version\": {}", Database::Hub.newest_version());
    for (from, to) in [
        ("\"format_version\": 1", "\"format_version\": 2"),
        (&current, "\"database_version\": 99"),
    ] {
        let folder = backed_up();
        with_manifest(&folder, from, to);
        assert_refused(&folder, "which is newer than this program");
    }
    // The manifest does not tell of it, the file does.
    let folder = backed_up();
    let hub = DataDir::from(folder.path().join("hub"));
    let mut members = members(&folder);
    let database = members
        .iter()
        .position(|(name, _)| name == "hub.db")
        .unwrap();
    // Bytes 60 to 63 of a database are its `user_version` (SQLite's file format, section 1.3).
    members[database].1[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(hub.hub_db(), &members[database].1).unwrap();
    let digest = |path: &Path| {
        let mut digest = netmonitor_service::digest::Sha256::default();
        io::copy(&mut File::open(path).unwrap(), &mut digest).unwrap();
        digest.finish()
    };
    let sha256 = digest(&hub.hub_db());
    let mut manifest: serde_json::Value = serde_json::from_slice(&members[0].1).unwrap();
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["path"] == "hub.db" {
            file["sha256"] = sha256.as_str().into();
        }
    }
    members[0].1 = serde_json::to_vec(&manifest).unwrap();
    pack(&folder, &members);
    assert_refused(&folder, "is of version 99");
}

#[test]
fn names_that_lead_elsewhere_are_refused_in_the_manifest_and_in_the_archive() {
    for name in [
        "../hub.db",
        "/tmp/hub.db",
        "tls/../../x",
        "tls/a/b",
        "cron.d",
    ] {
        let folder = backed_up();
        with_manifest(&folder, "\"netmonitor.toml\"", &format!("{name:?}"));
        assert_refused(&folder, "does not belong in it");
        let folder = backed_up();
        let mut members = members(&folder);
        members[1].0 = name.to_owned();
        pack(&folder, &members);
        assert_refused(&folder, "is not in its place");
        assert!(!folder.path().join("x").exists());
    }
    let folder = backed_up();
    with_manifest(&folder, "\"netmonitor.toml\"", "\"tls/ca.pem\"");
    assert_refused(&folder, "named twice");
    let folder = backed_up();
    let mut more = members(&folder);
    more.push(("tls/more".to_owned(), vec![]));
    pack(&folder, &more);
    assert_refused(&folder, "there is more in it");
}

#[test]
fn a_hub_that_is_there_is_left_alone_or_set_aside_but_never_lost() {
    let folder = backed_up();
    let new = folder.path().join("new");
    fs::create_dir_all(new.join("tls")).unwrap();
    fs::create_dir_all(new.join("mine")).unwrap();
    for (name, text) in [
        ("hub.db", "the old one"),
        ("hub.db-wal", "its log"),
        ("hub.db-journal", "of a change that was not ended"),
        ("tls/ca.key", "the old key"),
        ("monitor.db", "the old history"),
        ("monitor.db-journal", "of its upgrade"),
        ("mine/notes", "of the admin"),
    ] {
        fs::write(new.join(name), text).unwrap();
    }
    let before = files(&new);
    let error = format!("{:#}", try_restore(&folder, false).unwrap_err());
    assert!(error.contains("hub.db is there already"), "{error}");
    assert_eq!(files(&new), before);

    {
        let _hub = WriteLock::take(&new.join("hub.lock")).unwrap();
        let error = format!("{:#}", try_restore(&folder, true).unwrap_err());
        assert!(error.contains("another hub runs"), "{error}");
        assert_eq!(files(&new), before);
    }

    try_restore(&folder, true).unwrap();
    HubDb::open(&new.join("hub.db")).unwrap();
    assert!(!new.join("monitor.db").exists());
    let aside = new.join("before-restore-20261122T100000Z");
    for (path, content) in &before {
        let name = path.strip_prefix(&new).unwrap();
        let now = if name.starts_with("mine") {
            path.clone()
        } else {
            aside.join(name)
        };
        assert_eq!(&fs::read(&now).unwrap(), content, "{}", now.display());
    }
    // A second one within the same second finds its folder taken, and changes nothing.
    let before = files(&new);
    let error = format!("{:#}", try_restore(&folder, true).unwrap_err());
    assert!(error.contains("nothing was changed"), "{error}");
    assert_eq!(files(&new), before);
}

#[test]
fn whoever_stops_it_finds_everything_as_it_was() {
    let folder = backed_up();
    let stop = CancellationToken::new();
    stop.cancel();
    let flags = NoFlags::parse_from([""]).flags;
    let wanted = Wanted {
        file: &folder.path().join("backup"),
        data_dir: &DataDir::from(folder.path().join("new")),
        config: None,
        flags: &flags,
        force: false,
    };
    restore(&wanted, now(), &stop).unwrap_err();
    assert!(!folder.path().join("new").exists());
}

#[test]
fn the_history_goes_where_the_restored_configuration_keeps_it() {
    let folder = backed_up();
    let hub = DataDir::from(folder.path().join("hub"));
    let ssd = folder.path().join("ssd");
    fs::create_dir(&ssd).unwrap();
    let history = ssd.join("m.db");
    drop(netmonitor_store::HistoryWriter::open(&history).unwrap());
    let text = format!("[history]\nurl = \"sqlite:{}\"\n", history.display());
    fs::write(hub.config(), text).unwrap();
    let flags = NoFlags::parse_from([""]).flags;
    let config = config::load_from(Some(hub.config()), &flags).unwrap();
    let source = backup::Source {
        data_dir: &hub,
        config: &config,
        config_file: Some(&hub.config()),
    };
    let to = folder.path().join("backup");
    backup::write(&source, &to, now(), &CancellationToken::new()).unwrap();
    let error = format!("{:#}", try_restore(&folder, false).unwrap_err());
    assert!(error.contains("m.db is there already"), "{error}");
    fs::write(&history, "the old one").unwrap();
    fs::write(ssd.join("m.db-journal"), "its journal").unwrap();
    try_restore(&folder, true).unwrap();
    assert!(!ssd.join("m.db-journal").exists());
    let aside = ssd.join("m.db-journal.before-restore-20261122T100000Z");
    assert_eq!(fs::read_to_string(aside).unwrap(), "its journal");
    assert_eq!(Database::History.faults(&history).unwrap(), [""; 0]);
    let aside = ssd.join("m.db.before-restore-20261122T100000Z");
    assert_eq!(fs::read_to_string(aside).unwrap(), "the old one");
    assert!(!folder.path().join("new").join("monitor.db").exists());
}
