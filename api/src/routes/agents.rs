//! Agent programs, for machines that have none yet.

use std::sync::Arc;

use poem::Body;
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::{Binary, Json, PlainText};
use poem_openapi::{ApiResponse, OpenApi};
use tokio::sync::OwnedSemaphorePermit;

use super::Tag;
use crate::agents::{Agents, Program, Target, download};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{Agent, AgentPage};

const TOO_MANY: &str = "Too many machines are getting their agents: try again in some seconds.";

const NO_ADMIN: &str = "This hub has no admin yet: open its setup link first.";

pub(crate) struct Routes;

/// What a machine asks for that is about to be installed.
#[derive(ApiResponse)]
enum Script {
    /// The script.
    #[oai(status = 200, content_type = "text/x-shellscript")]
    Script(PlainText<String>),
}

/// The same for a program.
#[derive(ApiResponse)]
enum ProgramFile {
    /// The program.
    #[oai(status = 200)]
    Program(
        Binary<Body>,
        /// Its size.
        #[oai(header = "Content-Length")]
        u64,
    ),
}

#[OpenApi(tag = "Tag::Devices")]
impl Routes {
    /// Lists the agent programs that this hub can hand out.
    #[oai(path = "/agents", method = "get", operation_id = "list_agents")]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Json<AgentPage>, Problem> {
        let items = blocking(&app, Agents::all).await?;
        let items = items.into_iter().map(Agent::from).collect();
        Ok(Json(AgentPage { items, next: None }))
    }

    /// The script that installs the agent on a Linux machine with systemd.
    ///
    /// It has the SHA-256 of every program and no secret, and is run with the hub's address and a
    /// join code. Needs no credential, but a hub that is set up.
    #[oai(
        path = "/agents/install.sh",
        method = "get",
        operation_id = "get_install_script"
    )]
    async fn script(&self, app: Data<&Arc<App>>) -> Result<Script, Problem> {
        let _turn = turn(&app).await?;
        match blocking(&app, Agents::script).await? {
            Some(script) => Ok(Script::Script(PlainText(script))),
            None => Err(none_for(&app, "Linux").await?),
        }
    }

    /// An agent program.
    ///
    /// Needs no credential, but a hub that is set up: it is no secret, and the machine that asks
    /// has none yet.
    #[oai(path = "/agents/:target", method = "get", operation_id = "get_agent")]
    async fn program(
        &self,
        app: Data<&Arc<App>>,
        /// `x86_64-linux`, `aarch64-linux` or `armv7-linux`.
        target: Path<String>,
    ) -> Result<ProgramFile, Problem> {
        let turn = turn(&app).await?;
        let found = match Target::named(&target) {
            Some(target) => blocking(&app, move |agents| agents.open(target)).await?,
            None => None,
        };
        match found {
            Some((file, bytes)) => {
                let body = download(file, bytes, turn);
                Ok(ProgramFile::Program(Binary(body), bytes))
            }
            None => Err(none_for(&app, &format!("{:?}", target.0)).await?),
        }
    }
}

/// Asks the disk off the async threads.
async fn blocking<T: Send + 'static>(
    app: &App,
    ask: impl FnOnce(&Agents) -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let agents = app.admin.agents().clone();
    let answer = tokio::task::spawn_blocking(move || ask(&agents)).await;
    answer
        .map_err(Problem::internal)?
        .map_err(Problem::internal)
}

/// Lets in whoever has no credential, if the hub is set up and not too many are there.
async fn turn(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = app.admin.agents().turn();
    let turn = turn.ok_or_else(|| Problem::unavailable(TOO_MANY))?;
    let is_set_up = app.with_hub(netmonitor_store::HubDb::has_admin).await;
    if !is_set_up.map_err(Problem::internal)?? {
        return Err(Problem::forbidden(NO_ADMIN));
    }
    Ok(turn)
}

/// Says what there is instead, and how more comes there.
async fn none_for(app: &App, what: &str) -> Result<Problem, Problem> {
    let programs = blocking(app, Agents::all).await?;
    let there: Vec<_> = programs.iter().map(|it| it.target.as_str()).collect();
    let there = if there.is_empty() {
        String::new()
    } else {
        format!(", only for {}", there.join(", "))
    };
    let known = Target::ALL.map(Target::as_str).join(", ");
    Ok(Problem::not_found(format!(
        "There is no agent for {what} here{there}. To add one, build it with `cargo build \
         --profile agent -p netmonitor-agent` and put it at agents/TARGET in the data directory of \
         the hub, where TARGET is one of {known}."
    )))
}

impl From<Program> for Agent {
    fn from(program: Program) -> Self {
        Self {
            target: program.target.as_str().to_owned(),
            bytes: program.bytes,
            sha256: program.sha256,
        }
    }
}
