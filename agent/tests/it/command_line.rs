//! What the program says to those who start it.

use crate::program::{agent, output};

#[test]
fn run_without_an_identity_says_how_to_join_and_exits_with_1() {
    let state = tempfile::tempdir().unwrap();
    for command in ["run", "status"] {
        let (code, stdout, stderr) = output(&mut agent(state.path(), &[command]));
        assert_eq!(code, Some(1));
        assert_eq!(stdout, "");
        assert!(
            stderr.contains(
                "this machine is not joined to a hub yet: run `netmonitor-agent join CODE` with \
                 a code from the dashboard or from `netmonitor join-code`"
            ),
            "{stderr}"
        );
    }
}

#[test]
fn a_wrong_configuration_names_file_line_key_and_what_is_allowed() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join("agent.toml");
    let check = |text: &str, parts: &[&str]| {
        std::fs::write(&path, text).unwrap();
        let (code, _, stderr) = output(&mut agent(state.path(), &["run"]));
        assert_eq!(code, Some(1));
        for part in [path.to_str().unwrap()].iter().chain(parts) {
            assert!(stderr.contains(part), "{part} is missing in: {stderr}");
        }
    };
    check(
        "intervall_secs = 3\n",
        &["line 1", "intervall_secs", "interval_secs"],
    );
    check(
        "\ninterval_secs = 7200\n",
        &["line 2", "interval_secs", "from 1s to 1h"],
    );
    check(
        "[services]\n\nenabeld = true\n",
        &["line 3", "enabeld", "enabled"],
    );
}

#[test]
fn a_text_that_is_no_join_code_is_refused_in_words() {
    let state = tempfile::tempdir().unwrap();
    let (code, _, stderr) = output(&mut agent(state.path(), &["join", "hello"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("this is not a join code"), "{stderr}");
    let (code, _, stderr) = output(&mut agent(state.path(), &["join", "nm1-abc"]));
    assert_eq!(code, Some(1));
    assert!(stderr.contains("damaged"), "{stderr}");
}

#[test]
fn without_state_dir_the_identity_is_where_the_environment_says() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("netmonitor-agent");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("identity.json"), "{}").unwrap();
    let program = env!("CARGO_BIN_EXE_netmonitor-agent");
    let check = |variable: &str, value: &std::path::Path| {
        let (code, _, stderr) = output(
            std::process::Command::new(program)
                .arg("status")
                .env_remove("STATE_DIRECTORY")
                .env_remove("XDG_DATA_HOME")
                .env(variable, value),
        );
        assert_eq!(code, Some(1));
        let path = folder.join("identity.json");
        assert!(stderr.contains(path.to_str().unwrap()), "{stderr}");
    };
    check("XDG_DATA_HOME", home.path());
    check("STATE_DIRECTORY", &folder);
}
