//! The API is what its document says, and lets nobody in whom it does not know.

use serde_json::json;

use crate::support::hub::{Home, Hub};
use crate::support::programs::in_repository;

/// Whoever has no credential yet may ask these.
const OPEN: [(&str, &str); 5] = [
    ("get", "/setup"),
    ("post", "/setup"),
    ("post", "/login"),
    ("get", "/agents/install.sh"),
    ("get", "/agents/{target}"),
];

#[test]
fn every_route_of_the_document_asks_for_a_credential_but_the_open_ones() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let anybody = hub.anybody();
    let document = anybody.get("/api/v1/openapi.json");
    let committed = std::fs::read_to_string(in_repository("api/openapi.json")).unwrap();
    let is_as_committed = document.body.trim_end() == committed.trim_end();
    assert!(
        is_as_committed,
        "the hub serves another document than api/openapi.json"
    );

    let document = document.json();
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let address = format!(
                "/api/v1{}",
                path.replace("{id}", "hub")
                    .replace("{target}", "x86_64-linux")
            );
            let is_open = OPEN.contains(&(method.as_str(), path.as_str()));
            // Credentials are looked at before anything else: a body that is none, or a device
            // that does not exist, tells a stranger nothing.
            for body in [None, Some(json!("nonsense"))] {
                let ask = method.to_uppercase();
                let strangers = [
                    anybody.clone(),
                    anybody.with_token("wrong"),
                    anybody.with_cookie("netmonitor_session=wrong"),
                    anybody.with_header("authorization", "Basic YTph"),
                ];
                for stranger in strangers {
                    let answer = stranger.ask(&ask, &address, body.as_ref());
                    if is_open {
                        assert_ne!(answer.status, 401, "{method} {path}");
                    } else {
                        answer.problem(401);
                    }
                }
            }
            let schemes = &methods[method]["security"];
            assert_eq!(schemes.is_null(), is_open, "{method} {path}: {schemes}");
            walked += 1;
        }
    }
    assert!(walked >= 13, "{walked} routes");
    anybody.get("/api/v1/no-such-thing").problem(404);
    let wrong = anybody.ask("DELETE", "/api/v1/devices", None);
    wrong.problem(405);
    assert_eq!(wrong.header("allow"), "GET");
    let wrong = anybody.post("/api/v1/devices/hub", &json!({}));
    wrong.problem(405);
    assert_eq!(wrong.header("allow"), "DELETE, GET, PATCH");

    // A viewer looks, and changes nothing.
    for role in ["viewer", "operator"] {
        let detail = hub
            .client(role)
            .post("/api/v1/join-codes", &json!({}))
            .problem(403);
        assert!(detail.contains("admin"), "{detail}");
    }
}

#[test]
fn the_reader_of_the_document_and_the_dashboard_ask_no_other_host() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let anybody = hub.anybody();
    for page in ["/api/docs", "/", "/devices/hub"] {
        let answer = anybody.get(page);
        assert_eq!(answer.status, 200, "{page}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{page}"
        );
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{page}: {policy}");
        assert!(!policy.contains("http"), "{page}: {policy}");
        let links = attributes(&answer.body);
        for link in &links {
            let is_foreign = link.contains("//") && !link.starts_with("data:");
            assert!(!is_foreign, "{page} leads to {link}");
        }
        for path in links.iter().filter(|link| link.starts_with('/')) {
            assert_eq!(anybody.get(path).status, 200, "{page} needs {path}");
        }
    }
    assert_eq!(anybody.get("/assets/no-such-thing.js").status, 404);
    assert_eq!(anybody.get("/healthz").body, "ok\n");
}

/// What stands in `src` and `href`, wherever it stands: scripts of the page included.
fn attributes(html: &str) -> Vec<String> {
    ["src=\"", "href=\"", "src='", "href='"]
        .iter()
        .flat_map(|name| {
            let quote = name.chars().last().unwrap();
            html.split(name)
                .skip(1)
                .map(move |rest| rest.split(quote).next().unwrap_or_default().to_owned())
        })
        .collect()
}
