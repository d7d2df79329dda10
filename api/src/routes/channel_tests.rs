//! Whether a channel works: asked of alerting, which sends the messages.

use std::sync::Arc;
use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{ChannelTest, Channels};
use netmonitor_service::random;
use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use tokio::sync::broadcast::error::RecvError;

use super::Tag;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::ChannelAnswer;

/// How long alerting may take: the other side has 30 s.
const WITHIN: Duration = Duration::from_secs(35);

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Sends a test to a channel, whether it is enabled or not, and tells what the other side has
    /// answered. It may take half a minute. Needs the role admin.
    #[oai(
        path = "/channels/:id/test",
        method = "post",
        operation_id = "test_channel"
    )]
    async fn test(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the channel.
        id: Path<String>,
    ) -> Result<Json<ChannelAnswer>, Problem> {
        caller.at_least(UserRole::Admin)?;
        let channels: Channels = app.settings().await?;
        if !channels.channels.iter().any(|it| it.id == id.0) {
            return Err(Problem::not_found(format!(
                "There is no channel {:?}.",
                id.0
            )));
        }
        ask(&app, Some(id.0)).await
    }

    /// Asks the address of the heartbeat once, and tells what it has answered. Needs the role admin.
    #[oai(
        path = "/channels/heartbeat/test",
        method = "post",
        operation_id = "test_heartbeat"
    )]
    async fn test_heartbeat(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Json<ChannelAnswer>, Problem> {
        caller.at_least(UserRole::Admin)?;
        ask(&app, None).await
    }
}

async fn ask(app: &App, channel: Option<String>) -> Result<Json<ChannelAnswer>, Problem> {
    let id = random::token();
    let mut answers = app.channel_answers();
    let test = ChannelTest {
        id: id.clone(),
        channel,
    };
    app.send_for(Message::ChannelTest(test)).await?;
    let answer = async {
        loop {
            match answers.recv().await {
                Ok(tested) if tested.id == id => return Some(tested),
                // Of another one; or others were faster, and the next may be it.
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    };
    let answer = tokio::time::timeout(WITHIN, answer).await;
    let Some(tested) = answer.ok().flatten() else {
        return Err(Problem::unavailable(
            "The service that sends messages has not answered: see whether `alerting` runs.",
        ));
    };
    Ok(Json(ChannelAnswer {
        sent: tested.is_sent,
        answer: tested.answer,
    }))
}
