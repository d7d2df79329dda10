//! The line that people paste on a new machine.

/// What gets the script, looks whether it is the one that the hub has now (`sha256`), and runs it.
///
/// The script comes over plain HTTP, or over HTTPS from a hub whose certificate that machine does
/// not know (`-k`). Neither is trusted: the line itself comes from the dashboard, and with it the
/// SHA-256 of the script, which has those of the programs.
///
/// A small system has wget in the place of curl, and no sudo for root, who needs none.
pub(crate) fn install_line(hub: &str, sha256: &str, code: &str) -> String {
    let (curl, wget) = if hub.starts_with("https:") {
        ("curl -fsSk", "wget -q --no-check-certificate")
    } else {
        ("curl -fsS", "wget -q")
    };
    // Some shells look for files that fit what stands in brackets.
    let quote = if hub.contains('[') { "'" } else { "" };
    let script = format!("{quote}{hub}/api/v1/agents/install.sh{quote}");
    format!(
        "({curl} {script} -o nm-install.sh || {wget} {script} -O nm-install.sh) && \
         echo \"{sha256}  nm-install.sh\" | sha256sum -c - && \
         $(command -v sudo) sh nm-install.sh {quote}{hub}{quote} {code}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_checks_the_script_before_it_runs_it() {
        assert_eq!(
            install_line("http://192.168.1.5:8080", "ab12", "nm1-x"),
            "(curl -fsS http://192.168.1.5:8080/api/v1/agents/install.sh -o nm-install.sh || \
             wget -q http://192.168.1.5:8080/api/v1/agents/install.sh -O nm-install.sh) && \
             echo \"ab12  nm-install.sh\" | sha256sum -c - && \
             $(command -v sudo) sh nm-install.sh http://192.168.1.5:8080 nm1-x"
        );
    }

    #[test]
    fn the_hubs_own_certificate_and_addresses_in_brackets_do_not_stop_it() {
        let line = install_line("https://[fd00::5]:8443", "ab12", "nm1-x");
        let script = "'https://[fd00::5]:8443/api/v1/agents/install.sh'";
        let gets = format!(
            "(curl -fsSk {script} -o nm-install.sh || \
             wget -q --no-check-certificate {script} -O nm-install.sh) && "
        );
        assert!(line.starts_with(&gets), "{line}");
        assert!(
            line.ends_with(" sh nm-install.sh 'https://[fd00::5]:8443' nm1-x"),
            "{line}"
        );
    }
}
