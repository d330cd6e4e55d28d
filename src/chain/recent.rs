//! Which blocks we have read that could still be undone.

use std::collections::VecDeque;

/// How many blocks are remembered at most. Steem confirms within 21 blocks, Hive within two or three.
const CAPACITY: usize = 64;

/// Number and id of the newest blocks, without gaps, oldest first. The last irreversible one is kept
/// with them: a fork ends there at the latest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentBlocks(VecDeque<(u32, String)>);

impl RecentBlocks {
    /// Takes what a cursor holds. Where numbers have a gap, only what follows it is kept.
    pub fn from_list(list: impl IntoIterator<Item = (u32, String)>) -> Self {
        let mut recent = Self::default();
        for (num, id) in list {
            recent.push(num, &id);
        }
        recent
    }

    /// What a cursor stores: oldest first.
    pub fn to_list(&self) -> Vec<(u32, String)> {
        self.0.iter().cloned().collect()
    }

    /// A block was read. It follows the last; if not, the ones before are forgotten.
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

    /// The blocks above `num` were undone.
    pub fn undo_above(&mut self, num: u32) {
        while self.last_num().is_some_and(|last| last > num) {
            self.0.pop_back();
        }
    }

    /// The blocks up to `num` can no longer be undone: of these only the newest is kept.
    pub fn irreversible(&mut self, num: u32) {
        while self.0.get(1).is_some_and(|(second, _)| *second <= num) {
            self.0.pop_front();
        }
    }

    /// The id of a block, if it is remembered.
    pub fn id_of(&self, num: u32) -> Option<&str> {
        let index = num.checked_sub(self.first_num()?)?;
        let (_, id) = self.0.get(usize::try_from(index).ok()?)?;
        Some(id)
    }

    /// The newest block.
    pub fn last(&self) -> Option<(u32, &str)> {
        self.0.back().map(|(num, id)| (*num, id.as_str()))
    }

    /// The oldest block that is remembered.
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
    fn the_last_irreversible_block_is_kept_and_those_before_are_not() {
        let mut recent = blocks(5..=9);
        recent.irreversible(7);
        assert_eq!(numbers(&recent), [7, 8, 9]);
        recent.irreversible(100);
        assert_eq!(numbers(&recent), [9]);
    }

    #[test]
    fn undone_blocks_are_forgotten() {
        let mut recent = blocks(5..=9);
        recent.undo_above(7);
        assert_eq!(recent.last(), Some((7, "id-7")));
        assert_eq!((recent.id_of(8), recent.id_of(6)), (None, Some("id-6")));
        recent.undo_above(0);
        assert_eq!(recent.last(), None);
    }

    #[test]
    fn only_the_newest_are_remembered_and_never_with_a_gap() {
        assert_eq!(numbers(&blocks(1..=100)), (37..=100).collect::<Vec<_>>());
        assert_eq!(numbers(&blocks([1, 2, 5, 6])), [5, 6]);
        assert_eq!(blocks([5, 6]).id_of(4), None);
    }
}
