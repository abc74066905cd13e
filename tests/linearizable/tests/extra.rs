//! The structures of `sync::extra` that have an order to be judged, in all ways to wait for them.

#![forbid(unsafe_code)]

use linearizable::models::exchange::{self, Exchange};
use linearizable::models::once::{self, Once};
use linearizable::models::ways::{Way, Ways};
use linearizable::{Kind, Trial};
use std::future::ready;
use std::time::Duration;
use sync::extra::{Exchanger, OnceCell};
use sync::park::block_on;

/// Long enough to park, short enough to time out often.
const LIMIT: Duration = Duration::from_micros(20);

#[test]
fn an_exchanger() {
    let kinds: &[Kind<_>] = &[
        |item| (Way::Try, exchange::Operation::Swap(item)),
        |item| (Way::Timeout, exchange::Operation::Swap(item)),
        |item| (Way::AsyncTimeout, exchange::Operation::Swap(item)),
    ];
    let swap = |exchanger: &Exchanger<u32>, (way, operation): &(Way, exchange::Operation)| {
        let exchange::Operation::Swap(item) = *operation;
        let result = match way {
            Way::Try => exchanger.try_exchange(item),
            Way::Block => Ok(exchanger.exchange(item)),
            Way::Timeout => exchanger.exchange_timeout(item, LIMIT),
            Way::Async => Ok(block_on(exchanger.exchange_async(item))),
            Way::AsyncTimeout => block_on(exchanger.exchange_async_timeout(item, LIMIT)),
        };
        match result {
            Ok(theirs) => exchange::Response::Got(theirs),
            Err(back) => {
                assert_eq!(back.into_inner(), item, "somebody else's value was given back");
                exchange::Response::Refused
            }
        }
    };
    Trial::new("sync::extra::Exchanger", Ways(Exchange::new()), Exchanger::new, swap)
        .threads(3, kinds)
        .operations(4)
        .ending(|item| (Way::Try, exchange::Operation::Swap(item)))
        .check();
}

#[test]
fn a_cell_whose_value_is_made_once() {
    let kinds: &[Kind<_>] = &[
        |value| (Way::Block, once::Operation::Make(value)),
        |value| (Way::Async, once::Operation::Make(value)),
        |_| (Way::Block, once::Operation::Fail),
        |_| (Way::Async, once::Operation::Fail),
        |value| (Way::Try, once::Operation::Set(value)),
        |_| (Way::Try, once::Operation::Look),
        |_| (Way::Timeout, once::Operation::Look),
        |_| (Way::AsyncTimeout, once::Operation::Look),
    ];
    Trial::new("sync::extra::OnceCell", Ways(Once::new()), OnceCell::new, on_cell)
        .threads(3, kinds)
        .ending(|_| (Way::Try, once::Operation::Look))
        .check();
}

fn on_cell(cell: &OnceCell<u32>, (way, operation): &(Way, once::Operation)) -> once::Response {
    let is_awaited = matches!(way, Way::Async | Way::AsyncTimeout);
    let made = |result: Result<&u32, ()>| match result {
        Ok(value) => once::Response::Value(*value),
        Err(()) => once::Response::Failed,
    };
    let seen = |value: Option<&u32>| match value {
        Some(value) => once::Response::Value(*value),
        None => once::Response::Empty,
    };
    match *operation {
        once::Operation::Make(value) if is_awaited => {
            made(block_on(cell.get_or_try_init_async(ready(Ok(value)))))
        }
        once::Operation::Make(value) => made(cell.get_or_try_init(|| Ok(value))),
        once::Operation::Fail if is_awaited => made(block_on(cell.get_or_try_init_async(ready(Err(()))))),
        once::Operation::Fail => made(cell.get_or_try_init(|| Err(()))),
        once::Operation::Set(value) => match cell.set(value) {
            Ok(()) => once::Response::Done,
            Err(_) => once::Response::Refused,
        },
        once::Operation::Look => seen(match way {
            Way::Timeout => cell.wait_timeout(LIMIT).ok(),
            Way::AsyncTimeout => block_on(cell.wait_async_timeout(LIMIT)).ok(),
            Way::Try | Way::Block | Way::Async => cell.get(),
        }),
    }
}
