//! `setup`: asks on a terminal for what the agent needs to know.

mod file;
mod texts;

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Input, MultiSelect, Password, Select};
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::mqtt::BrokerUrl;
use netmonitor_service::{environment, private_file};

use crate::config::is_root;
use crate::root::Root;
use crate::{interval, join, joined, services};
use file::Choices;
use texts::Texts;

/// Lines of a long list that are shown at once.
const LINES: usize = 12;

/// The file with the password of a broker, beside the configuration.
const PASSWORD_FILE: &str = "broker.password";

/// Where the machine is to belong.
enum Server {
    /// A hub, by its join code.
    Code(JoinCode),
    /// A broker of somebody else, by its URL.
    Broker(String),
    /// Where it belongs now.
    Same,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Install the agent as a service.
    Install,
    /// Nothing: the user starts it.
    Nothing,
}

/// Asks, and writes what was said to the state directory.
pub(crate) async fn setup(state_dir: &Path) -> anyhow::Result<Next> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        bail!(
            "setup asks questions and needs a terminal; without one use `netmonitor-agent join \
             CODE`, and write {}",
            state_dir.join("agent.toml").display()
        );
    }
    let texts = Texts::of(environment::language().as_deref());
    let theme = ColorfulTheme::default();
    let mut choices = Choices::read(state_dir)?;
    match ask_server(&theme, texts, state_dir, &choices)? {
        Server::Code(code) => {
            let device = join(&code, None, state_dir).await?;
            choices.broker = None;
            say(&(texts.joined)(device.as_str()))?;
        }
        Server::Broker(url) => ask_broker(&theme, texts, state_dir, &mut choices, url)?,
        Server::Same => {}
    }
    choices.interval = ask_interval(&theme, texts, choices.interval)?;
    choices.watch = ask_services(&theme, texts, &choices.watch).await?;
    choices.notifications = ask(&theme, texts, texts.notifications, choices.notifications)?;
    choices.write(state_dir)?;
    say(&(texts.written)(
        &state_dir.join("agent.toml").display().to_string(),
    ))?;
    let install = is_root() && ask(&theme, texts, texts.install, true)?;
    if !install {
        say(texts.start)?;
    }
    Ok(if install {
        Next::Install
    } else {
        Next::Nothing
    })
}

/// Yes or no.
fn ask(theme: &ColorfulTheme, texts: &Texts, question: &str, is_yes: bool) -> anyhow::Result<bool> {
    let chosen = Select::with_theme(theme)
        .with_prompt(question)
        .items([texts.yes, texts.no])
        .default(usize::from(!is_yes))
        .interact()?;
    Ok(chosen == 0)
}

fn ask_server(
    theme: &ColorfulTheme,
    texts: &Texts,
    state_dir: &Path,
    choices: &Choices,
) -> anyhow::Result<Server> {
    let known = match (&choices.broker, joined(state_dir).unwrap_or_default()) {
        (Some(broker), _) => Some(broker.url.clone()),
        (None, Some(identity)) => Some(identity.addresses.join(", ")),
        (None, None) => None,
    };
    if let Some(known) = known
        && ask(theme, texts, &(texts.belongs)(&known), true)?
    {
        return Ok(Server::Same);
    }
    let said: String = Input::with_theme(theme)
        .with_prompt(texts.server)
        .validate_with(|text: &String| server(text).map(drop).map_err(|_| texts.no_server))
        .interact_text()?;
    server(&said)
}

/// What somebody has typed or pasted.
fn server(text: &str) -> anyhow::Result<Server> {
    let text = text.trim();
    // Whoever pastes the whole line of the dashboard means the code in it.
    if let Some(code) = text.split_whitespace().find_map(|word| word.parse().ok()) {
        return Ok(Server::Code(code));
    }
    let _valid: BrokerUrl = text.parse()?;
    Ok(Server::Broker(text.to_owned()))
}

fn ask_broker(
    theme: &ColorfulTheme,
    texts: &Texts,
    state_dir: &Path,
    choices: &mut Choices,
    url: String,
) -> anyhow::Result<()> {
    let user: String = Input::with_theme(theme)
        .with_prompt(texts.user)
        .allow_empty(true)
        .interact_text()?;
    let password = Password::with_theme(theme)
        .with_prompt(texts.password)
        .allow_empty_password(true)
        .interact()?;
    let has_password = !password.is_empty();
    if has_password {
        private_file::create_dir(state_dir)?;
        let path = state_dir.join(PASSWORD_FILE);
        private_file::write(&path, password.as_bytes()).context("cannot keep the password")?;
    }
    choices.broker = Some(file::Broker {
        url,
        user,
        password_file: has_password.then(|| PASSWORD_FILE.to_owned()),
        rest: toml::Table::new(),
    });
    Ok(())
}

fn ask_interval(
    theme: &ColorfulTheme,
    texts: &Texts,
    known: Option<Duration>,
) -> anyhow::Result<Option<Duration>> {
    let shown = known.unwrap_or(interval::DEFAULT);
    let said: String = Input::with_theme(theme)
        .with_prompt(texts.interval)
        .default(format!("{}s", shown.as_secs_f64()))
        .validate_with(|text: &String| {
            interval::parse(text)
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .interact_text()?;
    let wanted = interval::parse(&said)?;
    Ok((wanted != interval::DEFAULT || known.is_some()).then_some(wanted))
}

/// Each service once, those that are watched first, also if the machine has them no more: so they
/// can be taken off the list.
async fn ask_services(
    theme: &ColorfulTheme,
    texts: &Texts,
    watched: &[String],
) -> anyhow::Result<Vec<String>> {
    let found = services::names(&Root::default()).await;
    let names = choosable(&found, watched);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let shown: Vec<String> = names
        .iter()
        .map(|name| {
            if found.contains(name) {
                name.clone()
            } else {
                (texts.gone)(name)
            }
        })
        .collect();
    let ticked: Vec<bool> = names.iter().map(|name| watched.contains(name)).collect();
    let chosen = MultiSelect::with_theme(theme)
        .with_prompt(texts.services)
        .items(&shown)
        .defaults(&ticked)
        .max_length(LINES)
        .interact()?;
    Ok(chosen.into_iter().map(|at| names[at].clone()).collect())
}

fn choosable(found: &[String], watched: &[String]) -> Vec<String> {
    let others = found.iter().filter(|name| !watched.contains(name));
    let mut names: Vec<String> = watched.to_vec();
    names.sort();
    names.dedup();
    names.extend(others.cloned());
    names
}

fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stderr(), "{text}").context("cannot write to the terminal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_stands_once_in_the_list_and_one_that_is_gone_can_be_unticked() {
        let text = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let names = choosable(
            &text(&["cron", "nginx", "ssh"]),
            &text(&["ssh", "gone", "ssh"]),
        );
        assert_eq!(names, ["gone", "ssh", "cron", "nginx"]);
    }

    #[test]
    fn a_url_is_a_broker_and_everything_else_is_a_code_or_refused() {
        assert!(
            matches!(server(" mqtts://pi:8883 "), Ok(Server::Broker(url)) if url == "mqtts://pi:8883")
        );
        let code = JoinCode {
            addresses: vec!["pi:8883".to_owned()],
            ca_fingerprint: [7; 32],
            token: "t".to_owned(),
        };
        for line in [
            format!(" {code}\n"),
            format!("curl -fsS http://pi:8080/x -o x && sudo sh x http://pi:8080 {code} --name X"),
        ] {
            assert!(
                matches!(server(&line), Ok(Server::Code(it)) if it == code),
                "{line}"
            );
        }
        for wrong in ["", "pi", "http://pi:8080", "netmonitor-agent join"] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }
}
