//! One subscriber's way out of the router, and from one router to the next.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::place::{Delivery, Place};
use super::replacement::Inner;
use super::seat::{Leave, Seat};
use super::{RouteError, spelling};

/// One subscriber's way out. It outlives the router: see [`Delivery::RESTARTED`].
pub(crate) struct Link {
    inner: Arc<Inner>,
    seat: Arc<Seat>,
    name: u64,
    /// Where the link is. It reads at the first and subscribes at the last.
    stays: VecDeque<Stay>,
    offsets: Offsets,
}

struct Stay {
    place: Place,
    generation: u64,
    /// How it ends, once there is another after it.
    leave: Option<Leave>,
    /// The last message that it may have had, once there is another after it.
    sequence: u64,
}

impl Link {
    pub(super) fn new(
        inner: Arc<Inner>,
        seat: Arc<Seat>,
        name: u64,
        place: Place,
        generation: u64,
    ) -> Self {
        let stay = Stay {
            place,
            generation,
            leave: None,
            sequence: 0,
        };
        Self {
            inner,
            seat,
            name,
            stays: VecDeque::from([stay]),
            offsets: Offsets::default(),
        }
    }

    /// From now on, messages that match the filter come with this number (never 0, never used
    /// before by this link).
    ///
    /// Blocks until the router has done it. What is published afterwards is certain to come.
    pub(crate) fn subscribe(&mut self, filter: &str, number: usize) -> Result<(), RouteError> {
        let spelled: Arc<str> = spelling::filter(filter).into();
        loop {
            // As long as this is held, the router is not replaced.
            let inner = self.inner.clone();
            let core = inner.core();
            self.adopt();
            let Some(stay) = self.stays.back_mut() else {
                return Err(RouteError::Dead);
            };
            if stay.place.subscribe([(number, &*spelled)]).is_ok() {
                inner.subscribed(&spelled);
                self.seat.state().subscriptions.insert(number, spelled);
                self.offsets.begin(number);
                return Ok(());
            }
            let generation = core.generation;
            drop(core);
            inner.replace_dead(generation)?;
        }
    }

    /// No more of this filter; what is on its way still comes.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> Result<(), RouteError> {
        let spelled = spelling::filter(filter);
        let inner = self.inner.clone();
        let core = inner.core();
        self.adopt();
        let number = {
            let subscriptions = &mut self.seat.state().subscriptions;
            let found = subscriptions.iter().find(|(_, known)| ***known == *spelled);
            let Some(number) = found.map(|(number, _)| *number) else {
                return Ok(());
            };
            subscriptions.remove(&number);
            number
        };
        inner.unsubscribed(&spelled);
        self.offsets.forget(number);
        for stay in &mut self.stays {
            if let Some(Leave::Drained { marks, .. }) = &mut stay.leave {
                marks.remove(&number);
            }
        }
        let told = match self.stays.back_mut() {
            Some(stay) => stay.place.unsubscribe(&spelled),
            None => Ok(()),
        };
        let generation = core.generation;
        drop(core);
        // The next router does not even hear of it.
        told.or_else(|_| inner.replace_dead(generation))
    }

    /// The next message. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Delivery, RouteError> {
        loop {
            self.adopt();
            let Some(stay) = self.stays.front_mut() else {
                return Err(RouteError::Dead);
            };
            match &mut stay.leave {
                None => {
                    let delivery = tokio::select! {
                        biased;
                        delivery = stay.place.next() => delivery,
                        () = self.seat.moved() => continue,
                    };
                    match delivery {
                        Ok(mark) if mark.packed.is_empty() => {
                            self.pass(&mark);
                            continue;
                        }
                        Ok(delivery) => return Ok(self.offsets.continued(delivery)),
                        Err(_) => {}
                    }
                    self.inner.recover(stay.generation, self.name, &self.seat)?;
                    // Until whoever replaces the router comes to this link.
                    self.seat.moved().await;
                }
                Some(Leave::Dead) => match stay.place.try_next() {
                    Some(Ok(delivery)) if !delivery.packed.is_empty() => {
                        return Ok(self.offsets.continued(delivery));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Ok(self.restart()),
                },
                Some(Leave::Drained { marks, .. }) => {
                    if marks.is_empty() {
                        self.go_on();
                        continue;
                    }
                    match stay.place.next().await {
                        Ok(mark) if mark.packed.is_empty() => self.pass(&mark),
                        Ok(delivery) => return Ok(self.offsets.continued(delivery)),
                        // It was ended because this took too long.
                        Err(_) => return Ok(self.restart()),
                    }
                }
            }
        }
    }

    /// The next message of a link that there may be.
    pub(crate) async fn next_of(link: &mut Option<Self>) -> Result<Delivery, RouteError> {
        match link {
            Some(link) => link.next().await,
            None => std::future::pending().await,
        }
    }

    /// The next message, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Result<Delivery, RouteError>> {
        super::place::poll_once(self.next())
    }

    fn adopt(&mut self) {
        for next in self.seat.take_moves() {
            if let Some(stay) = self.stays.back_mut() {
                if matches!(next.leave, Leave::Dead) {
                    stay.place.give_up();
                }
                stay.leave = Some(next.leave);
                stay.sequence = next.sequence;
            }
            self.stays.push_back(Stay {
                place: next.to,
                generation: next.generation,
                leave: None,
                sequence: 0,
            });
        }
    }

    /// A subscription has no more to come from this router. A mark is its own only if the
    /// filter is: a wide filter meets those of others.
    fn pass(&mut self, mark: &Delivery) {
        self.adopt();
        if let Some(Stay {
            leave: Some(Leave::Drained { marks, .. }),
            ..
        }) = self.stays.front_mut()
            && marks
                .get(&mark.subscription)
                .is_some_and(|filter| filter.as_bytes() == mark.topic)
        {
            marks.remove(&mark.subscription);
        }
    }

    fn go_on(&mut self) {
        self.stays.pop_front();
        self.offsets.start_anew();
    }

    fn restart(&mut self) -> Delivery {
        let sequence = self.stays.front().map_or(0, |stay| stay.sequence);
        if let Some(Stay {
            leave: Some(Leave::Drained { marks, router }),
            ..
        }) = self.stays.front()
        {
            // What was still to come is a gap before the next one.
            for (number, filter) in marks {
                if let Some(end) = router.end_of(filter) {
                    self.offsets.skip_to(*number, end);
                }
            }
        }
        self.go_on();
        Delivery {
            subscription: Delivery::RESTARTED,
            offset: sequence,
            topic: Bytes::new(),
            packed: Bytes::new(),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let inner = self.inner.clone();
        let core = inner.core();
        // Those that wait in the seat as well: their routers have to hear of the end.
        self.adopt();
        self.stays.clear();
        inner.leave(self.name, &self.seat);
        drop(core);
    }
}

/// Counts a subscription's messages through all routers. Each has logs of its own, which begin
/// at 0, so that a gap is what was lost and a new router is no gap.
#[derive(Default)]
struct Offsets(HashMap<usize, Offset>);

#[derive(Default)]
struct Offset {
    /// Where this router's 0 is.
    base: u64,
    /// The last of this subscription.
    last: Option<u64>,
}

impl Offsets {
    fn continued(&mut self, mut delivery: Delivery) -> Delivery {
        // None if it was unsubscribed while the message was on its way.
        if let Some(offset) = self.0.get_mut(&delivery.subscription) {
            delivery.offset += offset.base;
            offset.last = Some(delivery.offset);
        }
        delivery
    }

    /// The messages of a subscription up to where the log of this router ends will not come. One
    /// that has had none is as if it had begun now: where is not known.
    fn skip_to(&mut self, number: usize, end: u64) {
        if let Some(offset) = self.0.get_mut(&number) {
            let end = offset.base + end;
            offset.last = offset.last.map(|last| last.max(end.saturating_sub(1)));
        }
    }

    fn start_anew(&mut self) {
        for offset in self.0.values_mut() {
            if let Some(last) = offset.last {
                offset.base = last + 1;
            }
        }
    }

    fn begin(&mut self, number: usize) {
        self.0.entry(number).or_default();
    }

    fn forget(&mut self, number: usize) {
        self.0.remove(&number);
    }
}
