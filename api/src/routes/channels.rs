//! Where messages about alerts go.

use std::sync::Arc;

use netmonitor_protocol::payload::Channels;
use netmonitor_store::hub::{SettingsError, UserRole};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;

use super::tagged::{Of, Tagged};
use super::{Done, Tag};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::settings::secrets::{Change, Changes, Known, Owner};
use crate::types::{Channel, ChannelChange, ChannelPage, Heartbeat, HeartbeatChange, NO_HEARTBEAT};

pub(crate) struct Routes;

fn missing(id: &str) -> SettingsError {
    SettingsError::Missing(format!("there is no channel {id:?}"))
}

/// One channel, with what may be told of its secret.
async fn one(app: &App, channels: &Channels, id: &str) -> Result<Tagged<Channel>, Problem> {
    let found = channels.channels.iter().find(|it| it.id == id);
    let found = found.ok_or_else(|| Problem::from(missing(id)))?;
    let known = known(app, Owner::Channel(id.to_owned())).await?;
    Ok(Of::Channels.tagged(channels.revision, Channel::new(found, known)))
}

async fn heartbeat(app: &App, channels: &Channels) -> Result<Tagged<Heartbeat>, Problem> {
    let known = known(app, Owner::Heartbeat).await?;
    let stored = channels.heartbeat.as_ref().unwrap_or(&NO_HEARTBEAT);
    let shown = Heartbeat::new(stored, known);
    Ok(Of::Channels.tagged(channels.revision, shown))
}

async fn known(app: &App, owner: Owner) -> Result<Known, Problem> {
    let known = app.known_secrets(vec![owner]).await?;
    Ok(known.into_iter().next().unwrap_or_default())
}

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Lists the channels for messages about alerts, without their secrets.
    #[oai(path = "/channels", method = "get", operation_id = "list_channels")]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Tagged<ChannelPage>, Problem> {
        let channels: Channels = app.settings().await?;
        let owner = |id: &String| Owner::Channel(id.clone());
        let owners = channels.channels.iter().map(|it| owner(&it.id)).collect();
        let known = app.known_secrets(owners).await?;
        let all = channels.channels.iter().zip(known);
        let items = all.map(|(it, known)| Channel::new(it, known)).collect();
        let page = ChannelPage { items, next: None };
        Ok(Of::Channels.tagged(channels.revision, page))
    }

    /// Makes a channel. Needs the role admin.
    #[oai(path = "/channels", method = "post", operation_id = "add_channel")]
    async fn add(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<ChannelChange>,
    ) -> Result<Tagged<Channel>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let _turn = app.channels_turn.lock().await;
        let secrets = body.0.secrets()?;
        let wish = Of::Channels.wish(account.name, None);
        let change = move |channels: &mut Channels| {
            let made = body.0.make(&channels.channels)?;
            channels.channels.push(made);
            Ok(())
        };
        let changed = app.change_channels(wish, change).await?;
        let made = changed.after.channels.last();
        let id = made.map(|made| made.id.clone()).unwrap_or_default();
        let owner = Owner::Channel(id.clone());
        app.change_secret(owner, secrets, true).await?;
        app.publish_channels().await;
        one(&app, &changed.after, &id).await
    }

    /// Tells the heartbeat: an address that is asked now and then, so that somebody notices when the
    /// hub is gone.
    #[oai(
        path = "/channels/heartbeat",
        method = "get",
        operation_id = "get_heartbeat"
    )]
    async fn get_heartbeat(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Tagged<Heartbeat>, Problem> {
        heartbeat(&app, &app.settings().await?).await
    }

    /// Changes the heartbeat, what is named only. Needs the role admin.
    #[oai(
        path = "/channels/heartbeat",
        method = "patch",
        operation_id = "change_heartbeat"
    )]
    async fn change_heartbeat(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// `ETag` of the channels that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<HeartbeatChange>,
    ) -> Result<Tagged<Heartbeat>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let _turn = app.channels_turn.lock().await;
        let secrets = body.0.secrets()?;
        let has_address = match &secrets.url {
            Change::Keep => known(&app, Owner::Heartbeat).await?.has_secret,
            Change::Set(_) => true,
            Change::Remove => false,
        };
        let wish = Of::Channels.wish(account.name, if_match.0.as_deref());
        let change = move |channels: &mut Channels| {
            body.0.apply(&mut channels.heartbeat)?;
            if !has_address && channels.heartbeat.as_ref().is_some_and(|it| it.enabled) {
                let text = "url is missing: what is to be asked?";
                return Err(SettingsError::Value(text.to_owned()));
            }
            Ok(())
        };
        let changed = app.change_channels(wish, change).await?;
        if secrets.is_change() {
            app.change_secret(Owner::Heartbeat, secrets, false).await?;
        }
        app.publish_channels().await;
        heartbeat(&app, &changed.after).await
    }

    /// Tells one channel, without its secret.
    #[oai(path = "/channels/:id", method = "get", operation_id = "get_channel")]
    async fn get(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the channel.
        id: Path<String>,
    ) -> Result<Tagged<Channel>, Problem> {
        one(&app, &app.settings().await?, &id).await
    }

    /// Changes a channel, what is named only. Needs the role admin.
    #[oai(
        path = "/channels/:id",
        method = "patch",
        operation_id = "change_channel"
    )]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the channel.
        id: Path<String>,
        /// `ETag` of the channels that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<ChannelChange>,
    ) -> Result<Tagged<Channel>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let _turn = app.channels_turn.lock().await;
        let secrets = body.0.secrets()?;
        let wish = Of::Channels.wish(account.name, if_match.0.as_deref());
        let wanted = id.0.clone();
        let change = move |channels: &mut Channels| {
            let found = channels.channels.iter_mut().find(|it| it.id == wanted);
            body.0.apply(found.ok_or_else(|| missing(&wanted))?)
        };
        let changed = app.change_channels(wish, change).await?;
        if secrets.is_change() {
            let owner = Owner::Channel(id.0.clone());
            app.change_secret(owner, secrets, false).await?;
        }
        if changed.is_change() {
            app.publish_channels().await;
        }
        one(&app, &changed.after, &id).await
    }

    /// Removes a channel and its secret. Needs the role admin.
    #[oai(
        path = "/channels/:id",
        method = "delete",
        operation_id = "remove_channel"
    )]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the channel.
        id: Path<String>,
    ) -> Result<Done, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let _turn = app.channels_turn.lock().await;
        let wish = Of::Channels.wish(account.name, None);
        let wanted = id.0.clone();
        let change = move |channels: &mut Channels| {
            let before = channels.channels.len();
            channels.channels.retain(|it| it.id != wanted);
            if channels.channels.len() == before {
                return Err(missing(&wanted));
            }
            Ok(())
        };
        app.change_channels(wish, change).await?;
        app.publish_channels().await;
        let owner = Owner::Channel(id.0);
        app.change_secret(owner, Changes::default(), true).await?;
        Ok(Done::Done)
    }
}
