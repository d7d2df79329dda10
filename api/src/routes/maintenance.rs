//! When nobody is told what is wrong.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{AlertingSettings, Maintenance as Stored, MaintenanceTime};
use netmonitor_service::{clock, random};
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
use crate::types::{Maintenance, MaintenanceChange, MaintenancePage};

/// A window that was open once is shown for so long after its end; then it makes room for new ones.
const SHOWN: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(crate) struct Routes;

fn page(settings: &AlertingSettings) -> Tagged<MaintenancePage> {
    let items = settings.maintenance.iter().map(Into::into).collect();
    Of::Alerting.tagged(settings.revision, MaintenancePage { items, next: None })
}

fn one(settings: &AlertingSettings, id: &str) -> Result<Tagged<Maintenance>, Problem> {
    let found = settings.maintenance.iter().find(|it| it.id == id);
    let found = found.ok_or_else(|| Problem::from(missing(id)))?;
    Ok(Of::Alerting.tagged(settings.revision, found.into()))
}

fn missing(id: &str) -> SettingsError {
    SettingsError::Missing(format!("there is no maintenance window {id:?}"))
}

fn is_over(window: &Stored, now: Timestamp) -> bool {
    match &window.when {
        MaintenanceTime::Once { to, .. } => now.duration_since(*to) > SHOWN,
        MaintenanceTime::Weekly(_) => false,
    }
}

/// Refuses devices that there are none of: a window with a typing error would keep nothing quiet.
fn check_devices(app: &App, devices: Option<&Vec<String>>) -> Result<(), Problem> {
    let fleet = app.fleet();
    let is_known = |id: &&String| id.parse::<DeviceId>().is_ok_and(|id| fleet.knows(&id));
    match devices.into_iter().flatten().find(|id| !is_known(id)) {
        None => Ok(()),
        Some(id) => Err(Problem::bad_request(format!("There is no device {id:?}."))),
    }
}

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Lists the maintenance windows.
    #[oai(
        path = "/maintenance",
        method = "get",
        operation_id = "list_maintenance"
    )]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Tagged<MaintenancePage>, Problem> {
        Ok(page(&app.settings().await?))
    }

    /// Makes a maintenance window. Needs the role operator.
    #[oai(
        path = "/maintenance",
        method = "post",
        operation_id = "add_maintenance"
    )]
    async fn add(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<MaintenanceChange>,
    ) -> Result<Tagged<Maintenance>, Problem> {
        let account = caller.at_least(UserRole::Operator)?;
        check_devices(&app, body.0.devices.as_ref())?;
        let id = format!("{:016x}", random::bits64());
        let window = body.0.make(id.clone())?;
        let now = clock::now();
        let change = move |settings: &mut AlertingSettings| {
            settings.maintenance.retain(|window| !is_over(window, now));
            settings.maintenance.push(window);
            Ok(())
        };
        let wish = Of::Alerting.wish(account.name, None);
        one(&app.change_alerting(wish, change).await?, &id)
    }

    /// Changes a maintenance window, what is named only. Needs the role operator.
    #[oai(
        path = "/maintenance/:id",
        method = "patch",
        operation_id = "change_maintenance"
    )]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the maintenance window.
        id: Path<String>,
        /// `ETag` of the windows that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<MaintenanceChange>,
    ) -> Result<Tagged<Maintenance>, Problem> {
        let account = caller.at_least(UserRole::Operator)?;
        check_devices(&app, body.0.devices.as_ref())?;
        let wish = Of::Alerting.wish(account.name, if_match.0.as_deref());
        let wanted = id.0.clone();
        let change = move |settings: &mut AlertingSettings| {
            let mut all = settings.maintenance.iter_mut();
            let found = all.find(|it| it.id == wanted);
            body.0.apply(found.ok_or_else(|| missing(&wanted))?)
        };
        one(&app.change_alerting(wish, change).await?, &id)
    }

    /// Removes a maintenance window. Needs the role operator.
    #[oai(
        path = "/maintenance/:id",
        method = "delete",
        operation_id = "remove_maintenance"
    )]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the maintenance window.
        id: Path<String>,
    ) -> Result<Done, Problem> {
        let account = caller.at_least(UserRole::Operator)?;
        let change = move |settings: &mut AlertingSettings| {
            let before = settings.maintenance.len();
            settings.maintenance.retain(|it| it.id != id.0);
            if settings.maintenance.len() == before {
                return Err(missing(&id.0));
            }
            Ok(())
        };
        let wish = Of::Alerting.wish(account.name, None);
        app.change_alerting(wish, change).await?;
        Ok(Done::Done)
    }
}
