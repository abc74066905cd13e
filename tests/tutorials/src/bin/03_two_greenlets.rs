//! 3. Two greenlets switch to each other
//!
//! Shows: control goes where it is sent, and when a greenlet ends, to its parent: the second one never gets to its last
//! line.
//!
//! The document's program stops at its first switch, because it makes its greenlets under other names than it switches
//! to. And what it says of the end is wrong: nothing loops for ever. The first greenlet returns, which brings control back
//! to where both were made, and the program ends with the second one suspended in the middle.
//!
//! What the document leaves out: what becomes of that one. Here its last handle is dropped, and its destructors run.

#![forbid(unsafe_code)]

use coro::Greenlet;
use std::cell::OnceCell;
use std::rc::Rc;
use tutorials::Story;

static STORY: Story = Story::new();

/// Says something when it is dropped.
struct Farewell(&'static str);

impl Drop for Farewell {
    fn drop(&mut self) {
        STORY.say(self.0);
    }
}

fn main() {
    // Each needs a handle of the other, and one of them has to be made first.
    let second = Rc::new(OnceCell::<Greenlet<()>>::new());

    let first = Greenlet::new({
        let second = Rc::clone(&second);
        move |()| {
            STORY.say("first");
            second.get().expect("it is made before anybody switches").switch(());
            STORY.say("first ends");
        }
    });
    let back = first.clone();
    let made = second.set(Greenlet::new(move |()| {
        let _farewell = Farewell("second is tidied up");
        STORY.say("second");
        back.switch(());
        STORY.say("second ends");
    }));
    assert!(made.is_ok(), "it is made once");

    first.switch(());
    STORY.say("control is back in main");

    assert!(first.is_dead());
    assert!(
        second.get().is_some_and(|second| second.is_started() && !second.is_dead()),
        "it waits in its switch"
    );
    assert_eq!(STORY.told(), ["first", "second", "first ends", "control is back in main"]);

    // The first one's closure held the other handle of this cell, and is gone.
    assert_eq!(Rc::strong_count(&second), 1);
    drop(second);
    assert_eq!(STORY.told()[4..], ["second is tidied up"]);
}
