//! MQTT clients that are neither agents nor services.

use netmonitor_protocol::acl::{OwnFilters, is_grantable_to_publish, is_grantable_to_read};
use netmonitor_protocol::payload::EventKind;
use netmonitor_service::random;
use netmonitor_store::hub::{AuditLine, MqttRole, NewMqttUser};

use super::listing::table;
use super::{Admin, Outcome, Refusal, done};

impl Admin {
    pub(super) fn mqtt_user_add(
        &self,
        name: &str,
        role: Option<&str>,
        own: &OwnFilters,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let role: Option<MqttRole> = role
            .map(|word| word.parse().map_err(Refusal::Input))
            .transpose()?;
        if role.is_none() && *own == OwnFilters::default() {
            let text = "give the user a --role, or filters with --publish and --subscribe";
            return Err(Refusal::Input(text.to_owned()));
        }
        let publish = own.publish.iter().find(|it| !is_grantable_to_publish(it));
        let read = || own.subscribe.iter().find(|it| !is_grantable_to_read(it));
        if let Some(filter) = publish.or_else(read) {
            return Err(Refusal::Input(format!(
                "the filter {filter:?} cannot be given: write a valid MQTT filter whose first \
                 level is no wildcard, none of the hub's own and without $, such as zigbee2mqtt/#"
            )));
        }
        let password = random::token();
        let new = NewMqttUser {
            name,
            role,
            password: &password,
            own,
        };
        self.hub.add_mqtt_user(new, audit)?;
        let role = role.map_or("none", MqttRole::as_str).to_owned();
        let parameters = [("name", name.to_owned()), ("role", role)];
        Ok(Outcome {
            output: password,
            credentials_changed: true,
            ..done(audit, EventKind::MqttUserAdded, parameters)
        })
    }

    pub(super) fn mqtt_user_list(&self) -> Result<Outcome, Refusal> {
        let rows = self.hub.mqtt_users()?.into_iter().map(|user| {
            let role = user.role.map_or("none", MqttRole::as_str).to_owned();
            let created = user.created_at.to_string();
            let (publish, subscribe) = (user.own.publish, user.own.subscribe);
            [
                user.name,
                role,
                created,
                publish.join(" "),
                subscribe.join(" "),
            ]
        });
        let heading = ["NAME", "ROLE", "MADE", "PUBLISH", "SUBSCRIBE"];
        Ok(table(heading, rows))
    }

    pub(super) fn mqtt_user_remove(
        &self,
        name: &str,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let removed = self.hub.remove_mqtt_user(name, audit)?;
        let name = removed.ok_or_else(|| Refusal::NotFound {
            what: format!("there is no MQTT user {name:?}"),
            list: "mqtt-user list",
        })?;
        Ok(Outcome {
            credentials_changed: true,
            ..done(audit, EventKind::MqttUserRemoved, [("name", name)])
        })
    }
}
