//! New machines are enrolled: they ask over MQTT, with a join code; the answer goes back the
//! same way. A machine that does not hear the answer asks again, and hears the same.

use netmonitor_protocol::payload::{Event, EventKind, JoinReply, JoinRequest, Severity};
use netmonitor_protocol::{JoinRequestId, Message};
use netmonitor_service::{clock, random};
use netmonitor_store::StoreError;
use netmonitor_store::hub::{Device, Enrolled, Enrolment};

use crate::app::App;

/// Longest name that people see, in characters.
const MAX_NAME: usize = 64;

/// Answers one request.
pub(crate) async fn answer(app: &App, id: JoinRequestId, request: JoinRequest) {
    let reply = match enrol(app, id.clone(), request).await {
        Ok(Some((Enrolled { device, is_new }, password))) => {
            app.change_fleet(|fleet| fleet.add(&device));
            if is_new {
                app.log(joined(&device)).await;
            }
            // The broker must know the new credential before the machine uses it.
            app.credentials_changed().await;
            app.publish_device(&device.id).await;
            JoinReply::Joined {
                device: device.id,
                password,
            }
        }
        Ok(None) => JoinReply::Refused {
            reason: "the join code is used up or has expired: ask for a new one".to_owned(),
        },
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "a machine could not be enrolled"
            );
            JoinReply::Refused {
                reason: "the hub could not enrol the machine; its log says why".to_owned(),
            }
        }
    };
    app.send(Message::JoinReply(id, reply)).await;
}

async fn enrol(
    app: &App,
    id: JoinRequestId,
    request: JoinRequest,
) -> anyhow::Result<Option<(Enrolled, String)>> {
    let proposed = request.good_password().map(str::to_owned);
    let password = proposed.unwrap_or_else(random::token);
    let now = clock::now();
    let enrolled = app
        .with_hub(move |hub| -> Result<_, StoreError> {
            let host_name = shown(&request.host_name);
            let name = request.name.as_deref().map(shown);
            let enrolment = Enrolment {
                request: &id,
                token: &request.token,
                host_name: &host_name,
                name: name.as_deref(),
                password: &password,
            };
            let enrolled = hub.enrol(enrolment, now)?;
            Ok(enrolled.map(|enrolled| (enrolled, password)))
        })
        .await??;
    Ok(enrolled)
}

/// A name as people may see it: no control characters, not endless.
fn shown(name: &str) -> String {
    let visible = name.chars().filter(|c| !c.is_control());
    visible.take(MAX_NAME).collect::<String>().trim().to_owned()
}

fn joined(device: &Device) -> Event {
    let name = [("name", device.name.clone())];
    Event {
        device: Some(device.id.clone()),
        ..Event::new(
            device.joined_at,
            EventKind::DeviceJoined,
            Severity::Info,
            name,
        )
    }
}
