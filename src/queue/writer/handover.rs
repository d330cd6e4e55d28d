//! Passes changed rows on to the caster and to the log.

use super::Run;
use crate::votes::handover::{Handover, is_ours};
use crate::votes::vote::Vote;

impl Run {
    /// Passes on rows as they are now; `only_announced` says that they are not written yet.
    pub(super) async fn hand_over(&mut self, rows: Vec<Vote>, only_announced: bool) {
        let mut handover = Handover::default();
        let owner = &*self.writer.owner;
        for row in rows {
            if !only_announced {
                self.said.log(&row);
                self.writer.tally.count(row.status);
                if let Some(observer) = &self.writer.observer {
                    // An observer that is too slow misses some.
                    let _ = observer.try_send(row.clone());
                }
            }
            let is_held = self.known.held().contains_key(&row.key);
            handover.add(row.clone(), self.known.get(&row.key), is_held, owner);
            match only_announced || is_ours(&row, owner) {
                true => self.known.hold(row),
                false => self.known.let_go(&row),
            }
        }
        self.tell(handover).await;
    }

    /// Hands rows to the caster. Once the writer is asked to stop, the caster has stopped already and needs none.
    pub(super) async fn tell(&self, handover: Handover) {
        if handover.is_empty() {
            return;
        }
        let sent = self.stop.or(self.writer.caster.send(handover)).await;
        if sent.is_none_or(|sent| sent.is_err()) {
            tracing::debug!("the caster has stopped");
        }
    }
}
