//! The blocks that were read and can still be undone.

use std::collections::VecDeque;

/// Most blocks remembered. A block is irreversible after up to 21 blocks on Steem, 2 or 3 on Hive.
const CAPACITY: usize = 64;

/// Numbers and ids of the newest blocks, oldest first, without gaps. They include the last
/// irreversible block, which every fork shares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentBlocks(VecDeque<(u32, String)>);

impl RecentBlocks {
    /// The blocks of a stored cursor, oldest first. Blocks before a gap are dropped.
    pub fn from_list(list: impl IntoIterator<Item = (u32, String)>) -> Self {
        let mut recent = Self::default();
        for (num, id) in list {
            recent.push(num, &id);
        }
        recent
    }

    /// The blocks for a cursor to store, oldest first.
    pub fn to_list(&self) -> Vec<(u32, String)> {
        self.0.iter().cloned().collect()
    }

    /// Adds a block. If it does not follow the last one, the others are dropped.
    pub fn push(&mut self, num: u32, id: &str) {
        if self
            .last_num()
            .is_some_and(|last| last.checked_add(1) != Some(num))
        {
            self.0.clear();
        }
        if self.0.len() == CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back((num, id.to_owned()));
    }

    /// Removes the blocks above `num`, which were undone.
    pub fn undo_above(&mut self, num: u32) {
        while self.last_num().is_some_and(|last| last > num) {
            self.0.pop_back();
        }
    }

    /// Removes the blocks up to `num`, which are irreversible, except the newest of them.
    pub fn irreversible(&mut self, num: u32) {
        while self.0.get(1).is_some_and(|(second, _)| *second <= num) {
            self.0.pop_front();
        }
    }

    /// The id of block `num`, if it is remembered.
    pub fn id_of(&self, num: u32) -> Option<&str> {
        let index = num.checked_sub(self.first_num()?)?;
        let (_, id) = self.0.get(usize::try_from(index).ok()?)?;
        Some(id)
    }

    /// The number and id of the newest block.
    pub fn last(&self) -> Option<(u32, &str)> {
        self.0.back().map(|(num, id)| (*num, id.as_str()))
    }

    /// The number of the oldest block.
    pub fn first_num(&self) -> Option<u32> {
        self.0.front().map(|(num, _)| *num)
    }

    fn last_num(&self) -> Option<u32> {
        self.last().map(|(num, _)| num)
    }
}

#[cfg(test)]
mod tests {
    use super::RecentBlocks;

    fn numbers(recent: &RecentBlocks) -> Vec<u32> {
        recent.to_list().iter().map(|(num, _)| *num).collect()
    }

    fn blocks(numbers: impl IntoIterator<Item = u32>) -> RecentBlocks {
        RecentBlocks::from_list(numbers.into_iter().map(|num| (num, format!("id-{num}"))))
    }

    #[test]
    fn the_last_irreversible_block_is_kept_and_older_ones_are_dropped() {
        let mut recent = blocks(5..=9);
        recent.irreversible(7);
        assert_eq!(numbers(&recent), [7, 8, 9]);
        recent.irreversible(100);
        assert_eq!(numbers(&recent), [9]);
    }

    #[test]
    fn undone_blocks_are_dropped() {
        let mut recent = blocks(5..=9);
        recent.undo_above(7);
        assert_eq!(recent.last(), Some((7, "id-7")));
        assert_eq!((recent.id_of(8), recent.id_of(6)), (None, Some("id-6")));
        recent.undo_above(0);
        assert_eq!(recent.last(), None);
    }

    #[test]
    fn the_newest_blocks_are_kept_without_gaps() {
        assert_eq!(numbers(&blocks(1..=100)), (37..=100).collect::<Vec<_>>());
        assert_eq!(numbers(&blocks([1, 2, 5, 6])), [5, 6]);
        assert_eq!(blocks([5, 6]).id_of(4), None);
    }
}
