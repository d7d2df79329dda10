//! MQTT users: programs and things that share the broker.

use std::sync::Arc;

use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;

use super::{Done, Tag};
use crate::admin::Command;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{MqttPassword, MqttUser, MqttUserPage, NewMqttUser};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Mqtt")]
impl Routes {
    /// Lists all MQTT users, without their passwords. Needs the role admin.
    #[oai(path = "/mqtt-users", method = "get", operation_id = "list_mqtt_users")]
    async fn list(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Json<MqttUserPage>, Problem> {
        caller.at_least(UserRole::Admin)?;
        let users = app
            .with_hub(netmonitor_store::HubDb::mqtt_users)
            .await
            .map_err(Problem::internal)??;
        let items = users.into_iter().map(MqttUser::from).collect();
        Ok(Json(MqttUserPage { items, next: None }))
    }

    /// Makes an MQTT user, and tells its password once. Needs the role admin.
    #[oai(path = "/mqtt-users", method = "post", operation_id = "add_mqtt_user")]
    async fn add(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<NewMqttUser>,
    ) -> Result<Json<MqttPassword>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let Json(new) = body;
        let command = Command::MqttUserAdd {
            name: new.name.clone(),
            role: new.role.map(|role| role.as_str().to_owned()),
            publish: new.publish,
            subscribe: new.subscribe,
        };
        let outcome = app.administer(command, account.name).await?;
        Ok(Json(MqttPassword {
            name: new.name,
            password: outcome.output,
        }))
    }

    /// Removes an MQTT user, and ends its connections. Needs the role admin.
    #[oai(
        path = "/mqtt-users/:name",
        method = "delete",
        operation_id = "remove_mqtt_user"
    )]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Name of the MQTT user, in any case.
        name: Path<String>,
    ) -> Result<Done, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let command = Command::MqttUserRemove { name: name.0 };
        app.administer(command, account.name).await?;
        Ok(Done::Done)
    }
}
