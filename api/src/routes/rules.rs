//! What is watched, and from where on it is an alert.

use std::sync::Arc;

use netmonitor_protocol::payload::AlertingSettings;
use netmonitor_store::hub::{DeviceSettings, UserRole};
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Header, Path};
use poem_openapi::payload::Json;

use super::tagged::{Of, Tagged};
use super::{Tag, devices};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::settings::rules;
use crate::types::{RulePage, RulesChange};

pub(crate) struct Routes;

fn of_fleet(settings: &AlertingSettings) -> Tagged<RulePage> {
    let page = RulePage::of_fleet(&settings.rules, settings.revision);
    Of::Alerting.tagged(settings.revision, page)
}

fn of_device(fleet: &AlertingSettings, device: &DeviceSettings) -> Tagged<RulePage> {
    let revision = device.alerting.revision;
    let page = RulePage::of_device(&fleet.rules, &device.alerting.rules, revision);
    Of::Device.tagged(revision, page)
}

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Lists the rules of all devices and of the hub: defaults, what is set, and what is in force.
    #[oai(path = "/rules", method = "get", operation_id = "list_rules")]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Tagged<RulePage>, Problem> {
        Ok(of_fleet(&app.settings().await?))
    }

    /// Changes the rules of all devices and of the hub, those that are named only. Needs the role
    /// admin.
    #[oai(path = "/rules", method = "patch", operation_id = "change_rules")]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// `ETag` of the rules that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<RulesChange>,
    ) -> Result<Tagged<RulePage>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let wish = Of::Alerting.wish(account.name, if_match.0.as_deref());
        let change = move |settings: &mut AlertingSettings| {
            body.0.apply(&mut settings.rules)?;
            rules::check(&settings.rules, None)
        };
        Ok(of_fleet(&app.change_alerting(wish, change).await?))
    }

    /// Lists the rules of a device: what holds for all devices, what is set for this one, and what is
    /// in force.
    #[oai(
        path = "/devices/:id/rules",
        method = "get",
        operation_id = "list_device_rules"
    )]
    async fn list_of_device(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
    ) -> Result<Tagged<RulePage>, Problem> {
        let device = app.device_settings(&devices::parse(&id)?).await?;
        Ok(of_device(&app.settings().await?, &device))
    }

    /// Changes the rules of a device, those that are named only; null takes a rule back to what holds
    /// for all devices. Needs the role admin.
    #[oai(
        path = "/devices/:id/rules",
        method = "patch",
        operation_id = "change_device_rules"
    )]
    async fn change_of_device(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
        /// `ETag` of the rules that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<RulesChange>,
    ) -> Result<Tagged<RulePage>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let id = devices::parse(&id)?;
        let wish = Of::Device.wish(account.name, if_match.0.as_deref());
        let fleet: AlertingSettings = app.settings().await?;
        let all = fleet.rules.clone();
        let change = move |settings: &mut DeviceSettings| {
            body.0.apply(&mut settings.alerting.rules)?;
            rules::check(&all, Some(&settings.alerting.rules))
        };
        let device = app.change_device(&id, wish, change).await?;
        Ok(of_device(&fleet, &device))
    }
}
