//! A new machine with a whole systemd gets its agent from the hub with one line, and is there.

use netmonitor_testkit::{Machine, eventually, program};
use serde_json::json;

use crate::support::DEADLINE;
use crate::support::hub::{Home, Hub};

#[test]
fn the_pasted_line_makes_a_machine_a_device_that_is_online_and_comes_back_by_itself() {
    let home = Home::quick();
    let agents = home.path().join("agents");
    std::fs::create_dir_all(&agents).unwrap();
    let target = format!("{}-linux", std::env::consts::ARCH);
    std::fs::copy(program("netmonitor-agent"), agents.join(target)).unwrap();
    let hub = Hub::start_in(&home, &["--no-agent"]);
    let admin = hub.client("admin");
    let add = ["user", "add", "anna", "--role", "admin", "--password-stdin"];
    assert_eq!(home.admin_with(&add, "a long password\n").code, Some(0));
    let made = admin
        .post("/api/v1/join-codes", &json!({ "uses": 3 }))
        .json();
    let code = made["code"].as_str().unwrap();

    // The line of the dashboard, with the address under which the machine reaches this hub.
    let machine = Machine::boot();
    let base = format!("http://127.0.0.1:{}", hub.port("http"));
    let line = format!(
        "cd /tmp && curl -fsS {base}/api/v1/agents/install.sh -o nm-install.sh && \
         sh nm-install.sh {base} {code} --name 'Front desk'"
    );
    let told = machine.told("sh", &["-c", &line]);
    assert!(told.contains("runs as netmonitor-agent.service"), "{told}");
    let devices = || admin.get("/api/v1/devices").json()["items"].clone();
    let state = |what: &str| {
        let devices = devices();
        assert_eq!(devices.as_array().map(Vec::len), Some(1), "{devices}");
        devices[0][what].clone()
    };
    eventually(
        "it is online, and its first sample is there",
        DEADLINE,
        || state("status") == "online" && state("metrics").is_object(),
    );
    assert_eq!(state("name"), "Front desk");
    let id = state("id");
    let services = admin.get(&format!(
        "/api/v1/devices/{}/services",
        id.as_str().unwrap()
    ));
    assert_eq!(services.json()["manager"], "systemd");

    // Pasted again it brings the program anew, and the device stays the one that it is.
    let told = machine.told("sh", &["-c", &line]);
    assert!(told.contains("stays so"), "{told}");
    eventually("it is online again", DEADLINE, || {
        state("status") == "online"
    });
    assert_eq!(state("id"), id);

    // After the hub has forgotten it, it is joined anew.
    admin.ask(
        "DELETE",
        &format!("/api/v1/devices/{}", id.as_str().unwrap()),
        None,
    );
    eventually("it is forgotten", DEADLINE, || devices() == json!([]));
    let told = machine.told("sh", &["-c", &line]);
    assert!(told.contains("joined as"), "{told}");
    eventually("it is there again", DEADLINE, || {
        devices() != json!([]) && state("status") == "online"
    });

    // It says goodbye when it is stopped with its machine.
    machine.told("systemctl", &["stop", "netmonitor-agent.service"]);
    eventually("it is offline, and nobody wonders why", DEADLINE, || {
        state("status") == "offline" && state("cause") == "stopped"
    });
}
