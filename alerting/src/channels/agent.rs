//! To the desktop of whoever sits at a machine, by the agent there.

use jiff::SignedDuration;
use netmonitor_protocol::payload::Notification;
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_rules::alert::Notice;
use netmonitor_service::mqtt::Publisher;

use super::{SendError, about};
use crate::words::Words;

/// After this nobody needs to see it any more: what is so now, the dashboard shows.
const WORTH_SHOWING: SignedDuration = SignedDuration::from_hours(1);

pub(super) async fn send(
    publisher: &Publisher,
    devices: &[DeviceId],
    notice: &Notice,
    words: &Words,
) -> Result<String, SendError> {
    if devices.is_empty() {
        return Err(SendError::permanent(
            "no device is chosen: choose those on whose desktops it is to be shown",
        ));
    }
    let notification = notification(notice, words);
    for device in devices {
        let message = Message::DeviceNotify(device.clone(), notification.clone());
        publisher.publish(message).await.map_err(|error| {
            SendError::passing(format!("the agent on {device} cannot be told: {error}"))
        })?;
    }
    let names: Vec<&str> = devices.iter().map(DeviceId::as_str).collect();
    // Whether an agent is there to take it, and somebody to see it, nobody knows.
    Ok(format!("handed to the broker for {}", names.join(", ")))
}

fn notification(notice: &Notice, words: &Words) -> Notification {
    let text = match &words.link {
        Some(link) => format!("{}\n{link}", words.text),
        None => words.text.clone(),
    };
    Notification {
        title: words.title.clone(),
        text,
        severity: notice.severity,
        alert: Some(about(notice)),
        expires: notice.time.checked_add(WORTH_SHOWING).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notice, told, words};
    use super::*;
    use netmonitor_rules::alert::NoticeKind;

    #[test]
    fn the_end_of_a_trouble_takes_the_place_of_its_begin() {
        let of = |kind, alerts| notification(&notice(kind, alerts), &words()).alert.unwrap();
        let one = vec![told("ws-14")];
        let firing = of(NoticeKind::Firing, one.clone());
        assert_eq!(firing, "ws-14/cpu");
        assert_eq!(of(NoticeKind::Resolved, one.clone()), firing);
        let two = of(NoticeKind::Firing, vec![told("ws-14"), told("nas")]);
        assert_ne!(two, firing, "that of one would hide the other");
    }

    #[test]
    fn it_is_worth_showing_for_an_hour() {
        let notice = notice(NoticeKind::Firing, vec![told("ws-14")]);
        let notification = notification(&notice, &words());
        let expires = notification.expires.unwrap();
        assert_eq!(expires.duration_since(notice.time).as_hours(), 1);
        assert_eq!(notification.text, "text\nhttp://hub/devices/ws-14");
    }
}
