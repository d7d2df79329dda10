use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;

use super::*;

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// With two cores and a socket that answers what is in these files, once for each question.
    fn new(answers: &'static [(&'static str, &'static str)]) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        machine.write("proc/stat", "cpu  1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2 3 4\n");
        machine.write("run/.keep", "");
        let listener = UnixListener::bind(machine.path("run/docker.sock")).unwrap();
        std::thread::spawn(move || {
            for (path, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut line = String::new();
                BufReader::new(&stream).read_line(&mut line).unwrap();
                assert_eq!(line, format!("GET {path} HTTP/1.0\r\n"));
                write!(stream, "HTTP/1.0 200 OK\r\n\r\n{body}").unwrap();
            }
        });
        machine
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn open(&self) -> Box<dyn Collector> {
        open(&Root::new(self.folder.path())).unwrap()
    }
}

fn containers(part: Part) -> Vec<Container> {
    match part {
        Part::Containers(containers) => containers,
        other => panic!("{other:?}"),
    }
}

const LIST: &str = r#"[
    {"Id":"ab12","Names":["/web"],"Image":"nginx:1.27","State":"running",
     "Status":"Up 3 hours (healthy)","Ports":[]},
    {"Id":"cd34","Names":["/old"],"Image":"nginx:1.26","State":"exited","Status":"Exited (0)"}]"#;

#[test]
fn containers_are_listed_with_what_their_control_groups_tell() {
    let machine = Machine::new(&[
        ("/containers/json?all=1", LIST),
        (
            "/containers/ab12/json",
            r#"{"Id":"ab12","State":{"Pid":77,"Running":true}}"#,
        ),
        ("/containers/json?all=1", LIST),
    ]);
    machine.write("proc/77/cgroup", "0::/system.slice/docker-ab12.scope\n");
    let group = "sys/fs/cgroup/system.slice/docker-ab12.scope";
    let write = |file: &str, text: &str| machine.write(&format!("{group}/{file}"), text);
    write("cpu.stat", "usage_usec 1000000\nuser_usec 1\n");
    write("memory.current", "20971520\n");
    write("memory.stat", "anon 1\ninactive_file 5242880\n");
    let mut collector = machine.open();
    let start = Instant::now();
    let first = containers(collector.read(start).unwrap());
    let old = Container {
        name: "old".to_owned(),
        image: "nginx:1.26".to_owned(),
        state: ContainerState::Exited,
        cpu_percent: None,
        memory_bytes: None,
        healthy: None,
    };
    let web = Container {
        name: "web".to_owned(),
        image: "nginx:1.27".to_owned(),
        state: ContainerState::Running,
        cpu_percent: None,
        memory_bytes: Some(15_728_640),
        healthy: Some(true),
    };
    assert_eq!(first, [old.clone(), web.clone()]);

    // A quarter of one of two cores, in ten seconds.
    write("cpu.stat", "usage_usec 3500000\n");
    let second = containers(collector.read(start + Duration::from_secs(10)).unwrap());
    let busy = Container {
        cpu_percent: Some(12.5),
        ..web
    };
    assert_eq!(second, [old, busy]);
}

#[test]
fn a_hostile_name_is_shown_as_text_and_not_endless() {
    let machine = Machine::new(&[(
        "/containers/json?all=1",
        r#"[{"Id":"../../etc","Names":["/\u001b[2J\n<script>"],"Image":"x","State":"running"},
            {"Id":"ef","Names":[],"State":"dreaming","Status":"(unhealthy)"}]"#,
    )]);
    let found = containers(machine.open().read(Instant::now()).unwrap());
    let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["ef", "\u{fffd}[2J\u{fffd}<script>"]);
    assert_eq!(found[0].state, ContainerState::Unknown);
    assert_eq!(found[0].healthy, Some(false));
    assert_eq!(clean(&"x".repeat(5000)).len(), LONGEST_NAME);
}

#[test]
fn a_machine_without_containers_has_none_and_one_that_does_not_answer_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    std::fs::create_dir_all(folder.path().join("proc")).unwrap();
    std::fs::create_dir_all(folder.path().join("run")).unwrap();
    std::fs::write(folder.path().join("proc/stat"), "cpu  1 2 3 4\n").unwrap();
    let mut collector = open(&root).unwrap();
    assert_eq!(collector.read(Instant::now()).unwrap(), Part::Nothing);
    drop(UnixListener::bind(root.path("run/docker.sock")).unwrap());
    let error = collector.read(Instant::now()).unwrap_err();
    assert!(error.to_string().contains("docker.sock"), "{error}");
}

#[test]
fn control_groups_of_the_first_version_are_found_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::new(folder.path());
    let write = |file: &str, text: &str| {
        let path = root.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let text = "5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n1:name=systemd:/docker/ab\n0::/\n";
    write("proc/7/cgroup", text);
    write("sys/fs/cgroup/cpuacct/docker/ab/cpuacct.usage", "5000000\n");
    write(
        "sys/fs/cgroup/memory/docker/ab/memory.usage_in_bytes",
        "100\n",
    );
    write(
        "sys/fs/cgroup/memory/docker/ab/memory.stat",
        "cache 9\ntotal_inactive_file 40\n",
    );
    let expected = Use {
        cpu_usec: Some(5000),
        memory_bytes: Some(60),
    };
    assert_eq!(group(&root, 7).unwrap().used(), expected);
    assert_eq!(group(&root, 8), None);
}
