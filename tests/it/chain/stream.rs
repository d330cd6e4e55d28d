//! The block stream: pace, forks, restarts, outages.

use std::time::Duration;

use curatord::chain::nodes::NodeLimits;
use curatord::chain::recent::RecentBlocks;
use curatord::chain::stream::{ChainEvent, ReceiverGone, StreamConfig, StreamStart, run};
use curatord::clock::Clock;
use curatord::network::Follow;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::fake_node::{Behaviour, FakeNode, impatient, limits, nodes_with, start};
use crate::harness::PATIENCE;

struct Stream {
    events: mpsc::Receiver<ChainEvent>,
    cancel: CancellationToken,
    task: JoinSet<Result<(), ReceiverGone>>,
}

impl Stream {
    fn start(fakes: &[&FakeNode], start_at: StreamStart) -> Self {
        Self::following(fakes, start_at, Follow::Head)
    }

    fn following(fakes: &[&FakeNode], start_at: StreamStart, follow: Follow) -> Self {
        // In most tests no head lags.
        let max_lag = Duration::from_secs(1_000_000);
        Self::with_limits(
            fakes,
            start_at,
            follow,
            NodeLimits {
                max_lag,
                ..limits()
            },
        )
    }

    fn with_limits(
        fakes: &[&FakeNode],
        start_at: StreamStart,
        follow: Follow,
        limits: NodeLimits,
    ) -> Self {
        let (nodes, _) = nodes_with(fakes, limits);
        let config = StreamConfig {
            follow,
            block_interval: Duration::from_millis(40),
            start: start_at,
        };
        let (sender, events) = mpsc::channel(1000);
        let cancel = CancellationToken::new();
        let mut task = JoinSet::new();
        task.spawn(run(
            nodes,
            config,
            Clock::starting_at(start()),
            sender,
            cancel.clone(),
        ));
        Self {
            events,
            cancel,
            task,
        }
    }

    /// The next `Block` or `Undo` event: `1000` for block 1000, `-999` if the blocks above 999 were
    /// undone.
    async fn next(&mut self) -> i64 {
        loop {
            match self.event().await {
                ChainEvent::Block(block) => return i64::from(block.num),
                ChainEvent::Undo { above } => return -i64::from(above),
                ChainEvent::Irreversible(_) => {}
            }
        }
    }

    async fn event(&mut self) -> ChainEvent {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event
            .expect("an event within five seconds")
            .expect("a stream that goes on")
    }

    async fn take(&mut self, count: usize) -> Vec<i64> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(self.next().await);
        }
        taken
    }
}

fn read_until(node: &FakeNode, num: u32) -> StreamStart {
    let script = node.script();
    let list = (num - 5..=num).map(|num| (num, script.id(num)));
    StreamStart::After(RecentBlocks::from_list(list))
}

#[tokio::test]
async fn each_block_comes_once_and_in_order_from_far_behind_to_past_the_head() {
    let node = FakeNode::new().await;
    let mut stream = Stream::start(&[&node], StreamStart::At(900));
    assert_eq!(stream.take(101).await, (900..=1000).collect::<Vec<_>>());
    let asked = node.asked();
    let ranges = asked
        .iter()
        .filter(|method| *method == "block_api.get_block_range")
        .count();
    assert_eq!(ranges, 1, "{asked:?}");
    for num in 1001..1020 {
        node.script().grow(1);
        assert_eq!(stream.next().await, num);
    }
    node.script().grow(20);
    assert_eq!(stream.take(20).await, (1020..1040).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_cursor_the_stream_starts_at_the_head() {
    let node = FakeNode::new().await;
    assert_eq!(
        Stream::start(&[&node], StreamStart::Head).next().await,
        1000
    );
    let nothing = StreamStart::After(RecentBlocks::default());
    assert_eq!(Stream::start(&[&node], nothing).next().await, 1000);
}

#[tokio::test]
async fn forks_of_one_to_three_blocks_go_back_to_the_common_ancestor() {
    for depth in 1..=3 {
        let node = FakeNode::new().await;
        let mut stream = Stream::start(&[&node], read_until(&node, 997));
        assert_eq!(stream.take(3).await, [998, 999, 1000]);
        node.script().fork(1001 - depth, 1001, 7);
        let ancestor = i64::from(1000 - depth);
        let mut expected = vec![-ancestor];
        expected.extend(ancestor + 1..=1001);
        assert_eq!(stream.take(expected.len()).await, expected, "{depth}");
        node.script().grow(1);
        assert_eq!(stream.next().await, 1002);
    }
}

#[tokio::test]
async fn a_replaced_head_is_undone_before_its_successor_comes() {
    let node = FakeNode::new().await;
    let mut stream = Stream::start(&[&node], read_until(&node, 999));
    assert_eq!(stream.next().await, 1000);
    node.script().fork(999, 1000, 7);
    assert_eq!(stream.take(3).await, [-998, 999, 1000]);
}

#[tokio::test]
async fn a_restart_during_a_fork_undoes_blocks_of_the_old_branch() {
    let node = FakeNode::new().await;
    let cursor = read_until(&node, 1000);
    node.script().fork(999, 1010, 7);
    let mut stream = Stream::start(&[&node], cursor);
    assert_eq!(stream.take(5).await, [-998, 999, 1000, 1001, 1002]);
}

#[tokio::test]
async fn a_fork_below_the_remembered_blocks_goes_back_to_the_oldest_of_them() {
    let node = FakeNode::new().await;
    let cursor = read_until(&node, 1000);
    node.script().fork(950, 1001, 7);
    let mut stream = Stream::start(&[&node], cursor);
    assert_eq!(stream.take(3).await, [-994, 995, 996]);
}

#[tokio::test]
async fn the_stream_waits_for_a_lagging_node_and_sees_no_fork() {
    let (first, second) = (FakeNode::new().await, FakeNode::new().await);
    second.script().forget_above(998);
    let mut stream = Stream::start(&[&first, &second], read_until(&first, 999));
    assert_eq!(stream.next().await, 1000);
    first.set(Behaviour::Html502);
    second.asked();
    while second.script().asked.len() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    second.script().grow(3);
    assert_eq!(stream.next().await, 1001);
}

#[tokio::test]
async fn an_irreversible_block_is_reported_after_it_is_read() {
    let node = FakeNode::new().await;
    node.script().reversible = 2;
    let mut stream = Stream::start(&[&node], read_until(&node, 999));
    let events = [stream.event().await, stream.event().await];
    assert!(
        matches!(&events[0], ChainEvent::Block(block) if block.num == 1000),
        "{events:?}"
    );
    assert_eq!(events[1], ChainEvent::Irreversible(998));
    node.script().grow(1);
    assert_eq!(stream.next().await, 1001);
    assert_eq!(stream.event().await, ChainEvent::Irreversible(999));
}

#[tokio::test]
async fn following_irreversible_blocks_reads_no_others() {
    let node = FakeNode::new().await;
    let start_at = read_until(&node, 970);
    let mut stream = Stream::following(&[&node], start_at, Follow::Irreversible);
    assert_eq!(stream.take(10).await, (971..=980).collect::<Vec<_>>());
    // A fork above the irreversible block changes nothing.
    node.script().fork(990, 1003, 7);
    assert_eq!(stream.take(3).await, [981, 982, 983]);
    node.asked();
    while node.script().asked.len() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while let Ok(event) = stream.events.try_recv() {
        assert_eq!(event, ChainEvent::Irreversible(983));
    }
}

#[tokio::test]
async fn the_stream_waits_out_an_outage_of_all_nodes() {
    let node = FakeNode::new().await;
    node.set(Behaviour::Html502);
    let mut stream = Stream::start(&[&node], read_until(&node, 999));
    while node.script().asked.len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.set(Behaviour::Normal);
    assert_eq!(stream.next().await, 1000);
    node.set(Behaviour::EmptyBody);
    node.asked();
    while node.script().asked.len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.script().grow(30);
    node.set(Behaviour::Normal);
    assert_eq!(stream.take(30).await, (1001..=1030).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_node_that_starts_to_hang_is_replaced_by_the_next() {
    let (first, second) = (FakeNode::new().await, FakeNode::new().await);
    let start_at = read_until(&first, 999);
    let mut stream = Stream::with_limits(&[&first, &second], start_at, Follow::Head, impatient());
    assert_eq!(stream.next().await, 1000);
    first.set(Behaviour::Hanging);
    second.script().grow(2);
    assert_eq!(stream.take(2).await, [1001, 1002]);
}

#[tokio::test]
async fn a_node_that_stops_growing_is_replaced_by_the_next() {
    let (first, second) = (FakeNode::new().await, FakeNode::new().await);
    let start_at = read_until(&first, 999);
    let mut stream = Stream::with_limits(&[&first, &second], start_at, Follow::Head, limits());
    assert_eq!(stream.next().await, 1000);
    second.script().grow(2);
    // As if the first node had received no block for a minute.
    first.script().late = chrono::Duration::seconds(-60);
    assert_eq!(stream.take(2).await, [1001, 1002]);
}

#[tokio::test]
async fn a_missed_slot_leaves_no_gap() {
    let node = FakeNode::new().await;
    let mut stream = Stream::start(&[&node], StreamStart::Head);
    assert_eq!(stream.next().await, 1000);
    for num in 1001..1004 {
        node.script().late += chrono::Duration::seconds(6);
        node.script().grow(1);
        assert_eq!(stream.next().await, num);
    }
}

#[tokio::test]
async fn a_cancellation_and_a_dropped_receiver_end_the_stream() {
    let node = FakeNode::new().await;
    let mut stream = Stream::start(&[&node], StreamStart::Head);
    stream.next().await;
    stream.cancel.cancel();
    assert!(stream.task.join_next().await.unwrap().unwrap().is_ok());

    let node = FakeNode::new().await;
    let mut stream = Stream::start(&[&node], StreamStart::Head);
    stream.next().await;
    drop(stream.events);
    node.script().grow(1);
    let end = timeout(PATIENCE, stream.task.join_next()).await;
    assert!(end.unwrap().unwrap().unwrap().is_err());
}
