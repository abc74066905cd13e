//! Ends of channels: everybody has some of the same, and a relay hands items from one kind of waiter to the next.

use super::world::{LONG, Share, in_time};
use std::fmt::Debug;
use sync::queue::broadcast::ReceiveError;
use sync::queue::{broadcast, mpsc, oneshot, spsc, watch};

/// So many items go through the relay.
const RELAYED: u64 = 300;

/// What somebody has of each channel.
#[derive(Clone)]
pub(crate) struct Ends {
    letters: Vec<mpsc::Sender<u64>>,
    shouts: broadcast::Sender<u64>,
    ears: broadcast::Receiver<u64>,
    board: watch::Sender<u64>,
    eyes: watch::Receiver<u64>,
}

impl Ends {
    /// One, of which the others are clones, and `boxes` receivers of letters. Nobody may shout before all have theirs.
    pub(crate) fn new(boxes: usize) -> (Ends, Vec<mpsc::Receiver<u64>>) {
        let (letters, boxes) = (0..boxes)
            .map(|number| if number == 0 { mpsc::unbounded() } else { mpsc::bounded(number) })
            .unzip();
        let (shouts, ears) = broadcast::channel(4);
        let (board, eyes) = watch::channel(0);
        (Ends { letters, shouts, ears, board, eyes }, boxes)
    }

    pub(crate) fn send(&self, letter: u64) {
        in_time(|| self.letters[self.chosen(letter)].put_timeout(letter, LONG));
    }

    pub(crate) async fn send_async(&self, letter: u64) {
        let sent = self.letters[self.chosen(letter)].put_async_timeout(letter, LONG).await;
        sent.expect("a wake-up is lost");
    }

    fn chosen(&self, letter: u64) -> usize {
        (letter % self.letters.len() as u64) as usize
    }

    /// Whoever has shouted hears something, himself or somebody before him.
    pub(crate) fn shout(&mut self, share: &mut Share) {
        let listeners = self.shouts.send(1).expect("everybody listens");
        assert!(listeners > 1);
        let heard = self.ears.get_timeout(LONG);
        share.heard += heard_by(heard);
    }

    pub(crate) async fn shout_async(&mut self, share: &mut Share) {
        self.shouts.send(1).expect("everybody listens");
        share.heard += heard_by(self.ears.get_async_timeout(LONG).await);
    }

    /// What was shouted and not heard yet, when nobody shouts any more.
    pub(crate) fn listen(&mut self, share: &mut Share) {
        loop {
            match self.ears.try_get() {
                Err(ReceiveError::Empty) => return,
                heard => share.heard += heard_by(heard),
            }
        }
    }

    /// Whoever has written sees something new, his own or what was written over it.
    pub(crate) fn show(&mut self) {
        let before = *self.eyes.borrow();
        self.board.send_modify(|count| *count += 1);
        let seen = in_time(|| self.eyes.changed_timeout(LONG));
        assert!(*seen > before, "what was shown is forgotten");
    }

    pub(crate) async fn show_async(&mut self) {
        let before = *self.eyes.borrow();
        self.board.send_modify(|count| *count += 1);
        let seen = self.eyes.changed_async_timeout(LONG).await.expect("a wake-up is lost");
        assert!(*seen > before, "what was shown is forgotten");
    }

    /// Nothing is left of it but a look at the board.
    pub(crate) fn into_board(self) -> watch::Receiver<u64> {
        self.eyes
    }
}

fn heard_by(heard: Result<u64, ReceiveError>) -> u64 {
    match heard {
        Ok(one) => one,
        Err(ReceiveError::Lagged(lost)) => lost,
        Err(why) => panic!("a wake-up is lost: {why}"),
    }
}

/// Reads letters until nobody can write any.
pub(crate) fn read_letters(mut letters: mpsc::Receiver<u64>) -> Share {
    let mut share = Share::default();
    letters.iter().for_each(|letter| share.letters_read += letter);
    share
}

pub(crate) async fn read_letters_async(mut letters: mpsc::Receiver<u64>) -> Share {
    let mut share = Share::default();
    while let Ok(letter) = letters.get_async().await {
        share.letters_read += letter;
    }
    share
}

/// Numbers for the first link of the chain, in order.
pub(crate) fn begin_relay(mut to: spsc::Sender<u64>) -> Share {
    (0..RELAYED).for_each(|number| in_time(|| to.put_timeout(number, LONG)));
    Share::default()
}

pub(crate) fn relay(mut from: spsc::Receiver<u64>, mut to: spsc::Sender<u64>) -> Share {
    from.iter().for_each(|number| in_time(|| to.put_timeout(number, LONG)));
    Share::default()
}

pub(crate) async fn relay_async(mut from: spsc::Receiver<u64>, mut to: spsc::Sender<u64>) -> Share {
    while let Ok(number) = from.get_async().await {
        to.put_async_timeout(number, LONG).await.expect("a wake-up is lost");
    }
    Share::default()
}

/// The last link: everything has come, in order.
pub(crate) fn end_relay(mut from: spsc::Receiver<u64>) -> Share {
    assert!(from.iter().eq(0..RELAYED), "the relay lost, doubled or overtook something");
    Share::default()
}

/// A question that somebody, whoever it is, answers.
#[derive(Debug)]
pub(crate) struct Question(oneshot::Sender<u64>);

impl Question {
    pub(crate) fn new() -> (Question, oneshot::Receiver<u64>) {
        let (sender, answer) = oneshot::channel();
        (Question(sender), answer)
    }

    pub(crate) fn answer(self, answer: u64) {
        received(self.0.send(answer));
    }
}

#[track_caller]
fn received<E: Debug>(sent: Result<(), E>) {
    sent.expect("whoever asks waits for the answer");
}
