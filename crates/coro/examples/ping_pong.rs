//! Two greenlets that hand a ball to each other by name, and where control is in the end.

use coro::Greenlet;
use std::cell::RefCell;
use std::rc::Rc;

/// Each needs a handle of the other, and one of them has to be made first.
type Partner = Rc<RefCell<Option<Greenlet<u32>>>>;

fn main() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let partner = Partner::default();

    let (ping_log, pong) = (Rc::clone(&log), Rc::clone(&partner));
    let ping = Greenlet::new(move |first| {
        let mut ball = first;
        while ball < 5 {
            ping_log.borrow_mut().push(format!("ping {ball}"));
            // The handle is taken out before the switch: a borrow that is held across one stays held meanwhile.
            let pong = pong.borrow().clone().expect("pong has been made");
            ball = pong.switch(ball + 1);
        }
        ball
    });
    let (pong_log, back) = (Rc::clone(&log), ping.clone());
    *partner.borrow_mut() = Some(Greenlet::new(move |first| {
        let mut ball = first;
        loop {
            pong_log.borrow_mut().push(format!("pong {ball}"));
            ball = back.switch(ball + 1);
        }
    }));

    // Ping ends, so control comes to its parent, which is here. Pong waits for a ball that never comes.
    let ball = ping.switch(1);
    for line in &*log.borrow() {
        println!("{line}");
    }
    assert_eq!(ball, 5);
    assert_eq!(*log.borrow(), ["ping 1", "pong 2", "ping 3", "pong 4"]);
    assert!(ping.is_dead());

    // Its last handle: pong is asked to end, and what its closure holds is dropped.
    let pong = partner.take().expect("pong has been made");
    assert!(!pong.is_dead());
    drop(pong);
    assert_eq!(Rc::strong_count(&log), 1);
}
