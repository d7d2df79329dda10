//! SUBSCRIBE and UNSUBSCRIBE.

use crate::client::{Client, End};
use crate::counters::Counter;
use crate::edge::Edge;
use crate::origin::Standing;
use crate::packet::reply::{self, reason};
use crate::packet::wire::Fault;
use crate::packet::{Options, RetainHandling};
use crate::router::RouteError;
use crate::session::share::{is_shared, shared_filter};
use crate::session::subscriptions::Subscription;

impl Client {
    /// `beyond`: how many more filters there were, which nobody has looked at.
    pub(crate) fn subscribe(
        &mut self,
        id: u16,
        filters: Vec<(String, Options)>,
        beyond: usize,
        identifier: Option<usize>,
    ) -> Result<(), End> {
        let mut reasons = Vec::with_capacity(filters.len() + beyond);
        for (filter, options) in filters {
            if is_shared(&filter) && options.no_local {
                // MQTT-3.8.3-4.
                return Err(Fault::Protocol("no local on a shared subscription").into());
            }
            reasons.push(match self.check_filter(&filter) {
                Ok(()) => match self.subscribe_one(&filter, options, identifier) {
                    Ok(()) => options.qos.bits(),
                    Err(RouteError::Full) => {
                        self.refuse(Counter::SubscriptionsOverLimit, &filter);
                        reason::QUOTA_EXCEEDED
                    }
                    Err(RouteError::Dead) => return Err(End::RouterStopped),
                },
                Err(reason) => {
                    let counter = match reason {
                        reason::QUOTA_EXCEEDED => Counter::SubscriptionsOverLimit,
                        _ => Counter::SubscriptionsRefused,
                    };
                    self.refuse(counter, &filter);
                    reason
                }
            });
        }
        if beyond > 0 {
            let counter = Counter::SubscriptionsOverLimit;
            self.refuse(counter, "more filters in one packet than a client may have");
            self.edge.counters.add(counter, beyond as u64 - 1);
            reasons.resize(reasons.len() + beyond, reason::QUOTA_EXCEEDED);
        }
        self.edge.counters.one(Counter::AnswersSent);
        reply::suback(&mut self.out, self.version, id, &reasons);
        Ok(())
    }

    fn check_filter(&self, filter: &str) -> Result<(), u8> {
        let session = &self.session;
        let count = session.subscriptions.len() + session.shares.len();
        let is_known = session.subscriptions.number(filter).is_some()
            || session
                .shares
                .iter()
                .any(|member| member.filter() == filter);
        let plain = if is_shared(filter) {
            shared_filter(filter).ok_or(reason::FILTER_INVALID)?
        } else {
            filter
        };
        let is_too_long = filter.len() > self.edge.config.topic_max_bytes;
        if is_too_long || !netmonitor_protocol::acl::is_well_formed(plain) {
            Err(reason::FILTER_INVALID)
        } else if !session.principal.may_subscribe(plain) {
            Err(reason::NOT_AUTHORIZED)
        } else if !is_known
            && (count >= self.edge.config.subscriptions_per_client_max || self.is_user_at_limit())
        {
            Err(reason::QUOTA_EXCEEDED)
        } else {
            Ok(())
        }
    }

    /// Whether the user has as many subscriptions, with all its clients, as it may.
    fn is_user_at_limit(&self) -> bool {
        let origin = self.session.origin();
        let count = self.edge.subscriptions.of(origin.user);
        origin.standing == Standing::Common && count >= self.edge.config.subscriptions_per_user_max
    }

    fn subscribe_one(
        &mut self,
        filter: &str,
        options: Options,
        identifier: Option<usize>,
    ) -> Result<(), RouteError> {
        if is_shared(filter) {
            return self.share_one(filter, options, identifier);
        }
        let begins_after = self.edge.exchange.sequence();
        let known = self.session.subscriptions.number(filter);
        let wants_retained = match options.retain_handling {
            RetainHandling::Always => true,
            RetainHandling::IfNew => known.is_none(),
            RetainHandling::Never => false,
        };
        let number = match known {
            Some(number) => number,
            None => self.subscribe_at_router(filter)?,
        };
        let session = &mut self.session;
        if known.is_none() {
            let new = Subscription::new(filter.to_owned(), options, identifier, begins_after);
            session.subscriptions.insert(number, new);
        }
        let Some(subscription) = session.subscriptions.get_mut(number) else {
            return Ok(());
        };
        subscription.options = options;
        subscription.identifier = identifier;
        if wants_retained {
            let walk = self.edge.exchange.snapshot(filter);
            if known.is_none() {
                // What is on its way for a subscription that there was is not to be lost.
                subscription.snapshot_sequence = walk.sequence();
            }
            // What an earlier snapshot of this subscription still has to say is in the new one.
            session.retained.retain(|(other, _)| *other != number);
            session.retained.push_back((number, walk));
        }
        session.count_subscriptions();
        Ok(())
    }

    /// Shared subscriptions begin without retained messages.
    fn share_one(
        &mut self,
        filter: &str,
        options: Options,
        identifier: Option<usize>,
    ) -> Result<(), RouteError> {
        let shares = &mut self.session.shares;
        if let Some(member) = shares.iter_mut().find(|member| member.filter() == filter) {
            member.options = options;
            member.identifier = identifier;
            return Ok(());
        }
        let Edge {
            shares, exchange, ..
        } = &*self.edge;
        let below = shared_filter(filter).unwrap_or_default();
        exchange.admit(self.session.origin(), below)?;
        let principal = &self.session.principal;
        let member = shares.join(exchange, principal, filter, options, identifier)?;
        self.session.shares.push(member);
        self.session.count_subscriptions();
        Ok(())
    }

    fn subscribe_at_router(&mut self, filter: &str) -> Result<usize, RouteError> {
        let exchange = &self.edge.exchange;
        exchange.admit(self.session.origin(), filter)?;
        let session = &mut self.session;
        let link = match &mut session.link {
            Some(link) => link,
            empty => empty.insert(exchange.link()?),
        };
        let number = session.subscriptions.next_number();
        link.subscribe(filter, number)?;
        Ok(number)
    }

    pub(crate) fn unsubscribe(&mut self, id: u16, filters: &[String]) -> Result<(), End> {
        let mut reasons = Vec::with_capacity(filters.len());
        let session = &mut self.session;
        for filter in filters {
            let shares = &mut session.shares;
            if let Some(index) = shares.iter().position(|member| member.filter() == filter) {
                shares.remove(index);
                reasons.push(reason::SUCCESS);
                continue;
            }
            let Some(number) = session.subscriptions.remove(filter) else {
                reasons.push(if netmonitor_protocol::acl::is_well_formed(filter) {
                    reason::NO_SUBSCRIPTION_EXISTED
                } else {
                    reason::FILTER_INVALID
                });
                continue;
            };
            session.retained.retain(|(other, _)| *other != number);
            if let Some(link) = &mut session.link {
                link.unsubscribe(filter).map_err(|_| End::RouterStopped)?;
            }
            reasons.push(reason::SUCCESS);
        }
        session.count_subscriptions();
        self.edge.counters.one(Counter::AnswersSent);
        reply::unsuback(&mut self.out, self.version, id, &reasons);
        Ok(())
    }
}
