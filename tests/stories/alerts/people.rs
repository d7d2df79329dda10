//! What people do about alerts: work on a machine, or want their peace for a while.

use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock;
use serde_json::json;

use super::{devices, heard, is, set_rule, until_state};
use crate::support::hub::{Home, Hub};
use crate::support::receiver::{Receiver, about};

#[test]
fn while_somebody_works_on_a_machine_nobody_hears_of_it_and_afterwards_of_what_is_left() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    for rule in ["cpu", "ram"] {
        set_rule(&admin, rule, json!({ "for_secs": 0 }));
    }
    let devices = devices(&hub, 2);
    let (desk, other) = (&devices[0], &devices[1]);
    for device in &devices {
        until_state(&admin, &device.id, "cpu", "ok");
        until_state(&admin, &device.id, "ram", "ok");
    }
    let now = clock::now();
    let until = |to: Timestamp| json!({ "from": now, "to": to });
    let mut window = until(now + SignedDuration::from_hours(1));
    window["devices"] = json!([desk.id]);
    let made = hub.client("operator").post("/api/v1/maintenance", &window);
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json();

    desk.becomes(|it| (it.cpu, it.ram) = (99, 99));
    for rule in ["cpu", "ram"] {
        let alert = until_state(&admin, &desk.id, rule, "firing");
        assert_eq!(alert["muted"], "maintenance", "{alert}");
    }
    desk.becomes(|it| it.cpu = 10);
    until_state(&admin, &desk.id, "cpu", "ok");
    other.ram(98);
    let ram = format!("{} ram", other.id);
    receiver.until("another machine is none of it", is("firing", ram.clone()));
    assert_eq!(receiver.all().len(), 1, "{:?}", receiver.all());

    // It ends by itself.
    let path = format!("/api/v1/maintenance/{}", made["id"].as_str().unwrap());
    let soon = until(clock::now() + SignedDuration::from_secs(2));
    let changed = admin.ask("PATCH", &path, Some(&soon));
    assert_eq!(changed.status, 200, "{}", changed.body);
    let left = format!("{} ram", desk.id);
    let message = receiver.until("what is left", is("firing", left.clone()));
    assert_eq!(about(&message), [left.as_str()]);
    let alert = until_state(&admin, &desk.id, "ram", "firing");
    assert!(alert["muted"].is_null(), "{alert}");
    desk.ram(10);
    receiver.until("its end", is("resolved", left));
    assert_eq!(receiver.all().len(), 3, "{:?}", receiver.all());
}

#[test]
fn an_alert_that_is_snoozed_comes_back_and_one_that_is_over_by_then_does_not() {
    let hub = Hub::start(&["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    let operator = hub.client("operator");
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 2);
    for device in &devices {
        until_state(&admin, &device.id, "ram", "ok");
        device.ram(96);
        receiver.until("it fires", is("firing", format!("{} ram", device.id)));
        let path = format!("/api/v1/alerts/{}/ram/snooze", device.id);
        let answer = operator.post(&path, &json!({ "for_secs": 3 }));
        assert_eq!(answer.status, 204, "{}", answer.body);
        let alert = until_state(&admin, &device.id, "ram", "snoozed");
        assert!(alert["snoozed_until"].is_string(), "{alert}");
    }
    devices[1].ram(10);
    receiver.until("its end", is("resolved", format!("{} ram", devices[1].id)));
    let first = format!("{} ram", devices[0].id);
    let again = receiver.until("it is told again", is("reminder", first.clone()));
    assert_eq!(about(&again), [first.as_str()]);
    until_state(&admin, &devices[0].id, "ram", "firing");
    devices[0].ram(10);
    receiver.until("its end", is("resolved", first));
    assert_eq!(receiver.all().len(), 5, "{:?}", receiver.all());
}

#[test]
fn an_agent_is_handed_what_the_person_there_is_to_see() {
    let hub = Hub::start(&["--no-agent"]);
    let admin = hub.client("admin");
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 3);
    let [admins, full, other] = [0, 1, 2].map(|at| &devices[at]);
    let channel = json!({ "name": "My desk", "kind": "agent", "devices": [admins.id] });
    let made = admin.post("/api/v1/channels", &channel);
    assert_eq!(made.status, 200, "{}", made.body);
    let language = json!({ "language": "fr" });
    let set = admin.ask("PATCH", "/api/v1/settings/alerting", Some(&language));
    assert_eq!(set.status, 200, "{}", set.body);
    until_state(&admin, &full.id, "ram", "ok");

    full.ram(96);
    let seen = |number: usize| {
        netmonitor_testkit::eventually_some("a notification", crate::support::DEADLINE, || {
            let all = admins.notified();
            (all.len() == number).then(|| all.last().cloned())?
        })
    };
    let begin = seen(1);
    assert!(begin.title.contains("mémoire"), "{begin:?}");
    assert!(begin.title.contains("96"), "{begin:?}");
    let alert = format!("{}/ram", full.id);
    assert_eq!(begin.alert.as_deref(), Some(alert.as_str()));
    full.ram(10);
    // The end takes the place of the beginning.
    assert_eq!(seen(2).alert, begin.alert);
    assert_eq!((full.notified(), other.notified()), (vec![], vec![]));
}

#[test]
fn whoever_was_told_of_a_trouble_hears_of_its_end_whatever_is_set_meanwhile_and_nobody_else() {
    let home = Home::quick();
    let [api, broker] = ["api", "broker"].map(|service| Hub::service(&home, service));
    let mut alerting = Hub::service(&home, "alerting");
    let (admin, always) = heard(&api);
    let [told, late] = [Receiver::start(), Receiver::start()];
    let [told_id, late_id] =
        [(&told, "told"), (&late, "late")].map(|(it, name)| it.becomes_channel(&admin, name));
    let route = |id: &str, groups: &[&str]| {
        let change = json!({ "route": { "groups": groups } });
        let changed = admin.ask("PATCH", &format!("/api/v1/channels/{id}"), Some(&change));
        assert_eq!(changed.status, 200, "{}", changed.body);
    };
    route(&late_id, &["elsewhere"]);
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&broker, 1);
    let ram = format!("{} ram", devices[0].id);
    until_state(&admin, &devices[0].id, "ram", "ok");

    devices[0].ram(96);
    told.until("a message", is("firing", ram.clone()));
    route(&told_id, &["elsewhere"]);
    route(&late_id, &[]);
    alerting.process.kill();
    alerting.start_again();
    devices[0].ram(10);
    told.until("its end", is("resolved", ram.clone()));
    always.until("its end", is("resolved", ram.clone()));

    // What happens next shows that nothing else was on its way.
    devices[0].ram(96);
    late.until("the next one", is("firing", ram));
    assert_eq!(late.all().len(), 1, "{:?}", late.all());
    assert_eq!(told.all().len(), 2, "{:?}", told.all());
}
