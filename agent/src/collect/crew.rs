//! Readings that may take long are done beside the agent's own thread: by one worker, and by
//! another one while that is stuck.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::{Collector, Part};

/// A reading that takes longer than this holds up those behind it no more.
const STUCK_AFTER: Duration = Duration::from_secs(1);

/// Stack of a worker, in bytes: nothing in a collector is deep.
const STACK: usize = 256 * 1024;

/// A collector on its way to a worker and back.
struct Job {
    /// Its place in the list.
    at: usize,
    collector: Box<dyn Collector>,
}

/// A reading that is done.
pub(super) struct Done {
    /// Place of the collector in the list.
    pub(super) at: usize,
    /// The collector, to be used again.
    pub(super) collector: Box<dyn Collector>,
    /// What it read.
    pub(super) result: anyhow::Result<Part>,
}

/// Who does the readings. At most one worker takes from the queue; each that is stuck has a
/// collector with it, so that there are never more workers than collectors.
pub(super) struct Crew {
    shared: Arc<Shared>,
    /// Not bounded by itself: each collector is in it once at most.
    done: mpsc::Receiver<Done>,
    report: mpsc::Sender<Done>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Wakes whoever waits for the end of all readings.
    idle: Notify,
}

#[derive(Default)]
struct Queue {
    /// Bounded as above.
    waiting: VecDeque<Job>,
    /// The worker that may take from it.
    worker: Option<u64>,
    /// Since when that worker is at its reading.
    busy: Option<Instant>,
    workers: u64,
}

impl Crew {
    pub(super) fn new() -> Self {
        let (report, done) = mpsc::channel();
        Self {
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                idle: Notify::new(),
            }),
            done,
            report,
        }
    }

    /// Lets a collector be read.
    pub(super) fn read(&self, at: usize, collector: Box<dyn Collector>) {
        self.queue().waiting.push_back(Job { at, collector });
    }

    /// Whether a collector waits for its turn.
    pub(super) fn is_waiting(&self, at: usize) -> bool {
        self.queue().waiting.iter().any(|job| job.at == at)
    }

    /// Starts a worker if there is something to do and nobody who can do it.
    pub(super) fn start(&self) {
        let mut queue = self.queue();
        let is_stuck = queue.busy.is_some_and(|it| it.elapsed() >= STUCK_AFTER);
        if is_stuck {
            // It ends when its reading does.
            queue.worker = None;
            queue.busy = None;
        }
        if queue.worker.is_some() || queue.waiting.is_empty() {
            return;
        }
        queue.workers += 1;
        let number = queue.workers;
        queue.worker = Some(number);
        drop(queue);
        let (shared, report) = (self.shared.clone(), self.report.clone());
        let started = thread::Builder::new()
            .name("collect".to_owned())
            .stack_size(STACK)
            .spawn(move || work(number, &shared, &report));
        if let Err(error) = started {
            tracing::warn!(%error, "cannot start a thread for slow readings; trying again");
            self.queue().worker = None;
        }
    }

    /// The readings that are done.
    pub(super) fn done(&self) -> impl Iterator<Item = Done> {
        self.done.try_iter()
    }

    /// Waits until all readings are done, `at_most` so long.
    pub(super) fn idle(&self, at_most: Duration) -> impl Future<Output = ()> + Send + use<> {
        let shared = self.shared.clone();
        async move {
            let idle = async {
                loop {
                    let told = shared.idle.notified();
                    if shared.queue().worker.is_none() {
                        return;
                    }
                    told.await;
                }
            };
            // What takes longer is in the next sample.
            let _in_time = tokio::time::timeout(at_most, idle).await;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.shared.queue()
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(number: u64, shared: &Shared, report: &mpsc::Sender<Done>) {
    loop {
        let Job { at, mut collector } = {
            let mut queue = shared.queue();
            if queue.worker != Some(number) {
                return;
            }
            queue.busy = None;
            let Some(job) = queue.waiting.pop_front() else {
                queue.worker = None;
                drop(queue);
                shared.idle.notify_one();
                return;
            };
            queue.busy = Some(Instant::now());
            job
        };
        let result = collector.read(Instant::now());
        let done = Done {
            at,
            collector,
            result,
        };
        if report.send(done).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads when it is told to.
    struct Told(mpsc::Receiver<()>);

    impl Collector for Told {
        fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
            self.0.recv()?;
            Ok(Part::Nothing)
        }
    }

    #[test]
    fn a_reading_that_is_stuck_holds_up_no_other_and_comes_back_some_day() {
        let crew = Crew::new();
        let (tell_first, first) = mpsc::channel();
        let (tell_second, second) = mpsc::channel();
        tell_second.send(()).unwrap();
        crew.read(0, Box::new(Told(first)));
        crew.read(1, Box::new(Told(second)));
        let mut done = Vec::new();
        netmonitor_testkit::eventually("the second is read", Duration::from_mins(1), || {
            crew.start();
            done.extend(crew.done().map(|it| it.at));
            done == [1]
        });
        tell_first.send(()).unwrap();
        netmonitor_testkit::eventually("the first is read", Duration::from_mins(1), || {
            done.extend(crew.done().map(|it| it.at));
            done == [1, 0]
        });
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_all_is_read() {
        let crew = Crew::new();
        let (tell, told) = mpsc::channel();
        crew.read(0, Box::new(Told(told)));
        crew.start();
        crew.idle(Duration::from_millis(10)).await;
        assert_eq!(crew.done().count(), 0, "it waits no longer than it is told");
        tell.send(()).unwrap();
        crew.idle(Duration::from_mins(1)).await;
        assert_eq!(crew.done().count(), 1);
        crew.idle(Duration::from_mins(1)).await;
    }
}
