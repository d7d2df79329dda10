//! The log: found in, taken along, and cleaned up. And what rules would have made of the past.

use serde_json::json;

use crate::support::hub::{Home, Hub};

const PATH: &str = "/api/v1/events";

#[test]
fn the_log_is_filtered_exported_and_cleaned_up_and_says_who_has_done_that() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let (admin, viewer) = (hub.client("admin"), hub.client("viewer"));
    for days in [30, 40] {
        let keep = json!({ "history": { "sample_days": days } });
        let answer = admin.ask("PATCH", "/api/v1/settings", Some(&keep));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let found = |what: &str, query: &str, number: usize| {
        viewer.until(what, &format!("{PATH}?{query}"), |log| {
            let items = log["items"].as_array()?;
            (items.len() == number).then(|| items.clone())
        })
    };
    let lines = found("both are stored", "kind=settings_changed", 2);
    assert_eq!(lines[0]["parameters"]["sample_days"], "30 → 40");
    found(
        "by text",
        "kind=settings_changed&text=90%20%E2%86%92%2030",
        1,
    );
    found(
        "by who",
        "kind=settings_changed&kind=token_added&text=ADMIN-prog",
        3,
    );
    found("by severity", "severity=critical", 0);
    found("by time", "to=2020-01-01T00:00:00Z", 0);

    let table = viewer.get("/api/v1/events.csv?kind=settings_changed");
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let rows: Vec<&str> = table.body.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 3, "{}", table.body);
    assert_eq!(rows[0], "id,time,severity,kind,device,actor,parameters");

    let before = |time: &str| format!("{PATH}?before={time}");
    let last = lines[0]["time"].as_str().unwrap();
    viewer.ask("DELETE", &before(last), None).problem(403);
    let future = admin.ask("DELETE", &before("2126-01-01T00:00:00Z"), None);
    assert!(future.problem(400).contains("future"));
    let removed = admin.ask("DELETE", &before(last), None);
    assert_eq!(removed.status, 200, "{}", removed.body);
    let removed = removed.json()["lines"].as_u64().unwrap();
    let said = found("who has done it", "kind=events_removed", 1);
    assert_eq!(said[0]["actor"], "admin-program");
    assert_eq!(said[0]["parameters"]["lines"], removed.to_string());
    found("the rest is there", "kind=settings_changed", 1);
}

#[test]
fn what_a_rule_would_have_made_of_the_past_is_told_from_what_is_stored() {
    let hub = Hub::start_in(&Home::quick(), &[]);
    let operator = hub.client("operator");
    let devices = operator.read("/api/v1/devices");
    let id = devices["items"][0]["id"].as_str().unwrap();
    let ask = |rule: &str, limit: Option<f64>| {
        let mut settings = json!({ "for_secs": 0 });
        if let Some(limit) = limit {
            settings["limit"] = json!(limit);
        }
        let question = json!({ "device": id, "rule": rule, "settings": settings, "days": 1 });
        operator.post("/api/v1/rules/preview", &question)
    };
    let fires = ask("ram", Some(0.0));
    assert_eq!(fires.status, 200, "{}", fires.body);
    let fires = fires.json();
    assert_eq!(fires["count"], 1, "{fires}");
    assert_eq!(fires["values"]["limit"], 0.0);
    assert_eq!(fires["firings"][0]["rule"], "ram");
    assert!(fires["firings"][0]["until"].is_null());
    assert_eq!(ask("ram", Some(100.0)).json()["count"], 0);
    assert_eq!(ask("offline", None).json()["count"], 0);
    let text = ask("service", None).problem(400);
    assert!(text.contains("not stored"), "{text}");
    let viewer = hub.client("viewer");
    let all = json!({ "rule": "ram" });
    viewer.post("/api/v1/rules/preview", &all).problem(403);
    assert_eq!(operator.post("/api/v1/rules/preview", &all).status, 200);
}
