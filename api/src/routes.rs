//! The routes of the REST API, one file per resource.
#![expect(
    clippy::unused_async,
    reason = "poem-openapi takes async functions only"
)]

mod account;
mod agents;
mod alerting;
mod alerts;
mod channel_tests;
mod channels;
mod device_settings;
mod devices;
mod events;
mod history;
mod hub;
mod join_codes;
mod login;
mod maintenance;
mod mqtt_users;
mod preview;
mod processes;
mod rules;
mod settings;
mod setup;
mod stream;
mod tagged;
mod tokens;
mod users;

use poem_openapi::{ApiResponse, OpenApiService, Tags};

/// Groups of routes, for whoever reads the document.
#[derive(Tags)]
enum Tag {
    /// The first admin of a new hub.
    Setup,
    /// Logging in and out.
    Login,
    /// Accounts of people, and tokens of programs.
    People,
    /// Machines and their numbers.
    Devices,
    /// Rules, alerts, and who is told of them.
    Alerts,
    /// Other things that use the broker.
    Mqtt,
    /// The log.
    Events,
    /// The hub itself.
    Hub,
    /// Everything, as it happens.
    Live,
}

/// Nothing more to say.
#[derive(ApiResponse)]
enum Done {
    /// Done.
    #[oai(status = 204)]
    Done,
}

/// Those about who is let in.
type PeopleRoutes = (
    login::Routes,
    account::Routes,
    users::Routes,
    tokens::Routes,
);

/// Those about alerts: a tuple of all would be longer than poem-openapi takes.
type AlertRoutes = (
    alerts::Routes,
    rules::Routes,
    preview::Routes,
    alerting::Routes,
    maintenance::Routes,
    channels::Routes,
    channel_tests::Routes,
);

/// Every route.
type Routes = (
    setup::Routes,
    PeopleRoutes,
    devices::Routes,
    device_settings::Routes,
    processes::Routes,
    history::Routes,
    AlertRoutes,
    events::Routes,
    hub::Routes,
    join_codes::Routes,
    agents::Routes,
    mqtt_users::Routes,
    settings::Routes,
    stream::Routes,
);

/// The API with its document.
pub(crate) fn service() -> OpenApiService<Routes, ()> {
    let routes = (
        setup::Routes,
        (
            login::Routes,
            account::Routes,
            users::Routes,
            tokens::Routes,
        ),
        devices::Routes,
        device_settings::Routes,
        processes::Routes,
        history::Routes,
        (
            alerts::Routes,
            rules::Routes,
            preview::Routes,
            alerting::Routes,
            maintenance::Routes,
            channels::Routes,
            channel_tests::Routes,
        ),
        events::Routes,
        hub::Routes,
        join_codes::Routes,
        agents::Routes,
        mqtt_users::Routes,
        settings::Routes,
        stream::Routes,
    );
    OpenApiService::new(routes, "NetMonitor", "1")
        .description(
            "How every machine of a network is doing. Everything that the dashboard shows and \
             does goes through this API.\n\nPrograms send `Authorization: Bearer …` with a token \
             made by `netmonitor token add NAME --role viewer`. Errors are problem documents \
             (RFC 9457). Times are RFC 3339 in UTC unless a field says milliseconds.",
        )
        .server(BASE)
}

/// Where the API is mounted.
pub(crate) const BASE: &str = "/api/v1";
