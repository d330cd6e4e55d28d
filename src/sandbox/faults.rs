//! Trouble that a test can switch on at a node or at the signer while they run.

use std::sync::Mutex;
use std::time::Duration;

use super::lock;
use crate::account::Account;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Another answer instead of the right one; nothing is done.
    Answer(Answer),
    /// The right answer, so much later; what is asked for is done after the wait, whether the client
    /// still waits or not.
    Delay(Duration),
    /// No answer at all; nothing is done.
    Hang,
    /// The connection is cut; nothing is done.
    Cut,
    /// What is asked for is done, then the connection is cut.
    DoneThenCut,
    /// What is asked for is done, and the answer never comes.
    DoneThenHang,
    /// No answer; what is asked for is done so much later, whether the client still waits or not.
    LandsLate(Duration),
    /// What is asked for is done, and another answer given.
    DoneThenAnswer(Answer),
    /// Signer: a vote is answered as accepted and never reaches a block.
    Swallowed,
    /// Signer: it cannot load the accounts from its node.
    FailedToLoad,
    /// The process dies and comes back at once: every open connection is cut.
    Crash,
}

/// An answer that is not the right one.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    pub body: String,
}

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html";

impl Answer {
    /// JSON with this status.
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self {
            status,
            content_type: JSON,
            retry_after: None,
            body: body.to_string(),
        }
    }

    /// The page that a proxy shows when what is behind it is in trouble: 502, 503, 504, 520 to 524.
    pub fn proxy_page(status: u16) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self {
            status,
            content_type: HTML,
            retry_after: None,
            body,
        }
    }

    /// 429 with a body that is not JSON.
    pub fn too_many_requests(retry_after: Option<u32>) -> Self {
        Self {
            status: 429,
            content_type: "text/plain",
            retry_after,
            body: "Too many requests, slow down please".into(),
        }
    }

    /// 200 with nothing in it.
    pub fn empty() -> Self {
        Self::json(200, "")
    }

    /// 200 with JSON of the wrong types.
    pub fn wrong_types() -> Self {
        Self::json(
            200,
            r#"{"jsonrpc":2.0,"id":"x","result":[1,"two",null],"access_token":17,"refresh_token":{},"expires_in":"soon"}"#,
        )
    }

    /// 200 with a JSON text of so many bytes.
    pub fn huge(bytes: usize) -> Self {
        Self::json(200, format!("{{\"result\":\"{}\"}}", "x".repeat(bytes)))
    }

    /// The signer passing on a text of the chain, as HiveSigner does.
    pub fn chain_says(text: &str) -> Self {
        let response = serde_json::json!({
            "name": "RPCError",
            "jse_shortmsg": text,
            "jse_info": {"code": 10, "name": "assert_exception", "message": "Assert Exception", "stack": []},
            "message": text,
        });
        Self::json(
            500,
            serde_json::json!({"error": "server_error", "error_description": text, "response": response}),
        )
    }

    /// The signer refusing with 401.
    pub fn unauthorized(error: &str, description: &str) -> Self {
        Self::json(
            401,
            serde_json::json!({"error": error, "error_description": description}),
        )
    }
}

/// When a fault strikes: with nothing said, always.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    fault: Fault,
    method: Option<String>,
    voter: Option<Account>,
    skip: u32,
    left: Option<u32>,
}

impl Fault {
    /// Only for this method: `condenser_api.get_block` at a node; `broadcast`, `token`, `me` or
    /// `revoke` at the signer.
    pub fn on(self, method: &str) -> FaultRule {
        FaultRule::from(self).on(method)
    }

    /// Only for requests of this voter.
    pub fn for_voter(self, voter: &str) -> FaultRule {
        FaultRule::from(self).for_voter(voter)
    }

    /// Only so many times.
    pub fn times(self, times: u32) -> FaultRule {
        FaultRule::from(self).times(times)
    }
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            voter: None,
            skip: 0,
            left: None,
        }
    }
}

impl FaultRule {
    /// See [`Fault::on`].
    pub fn on(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// See [`Fault::for_voter`].
    pub fn for_voter(mut self, voter: &str) -> Self {
        self.voter = Some(Account::from_chain(voter));
        self
    }

    /// See [`Fault::times`].
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Lets the first so many requests it would strike pass.
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    fn strikes(&self, method: &str, voter: Option<&Account>) -> bool {
        self.left != Some(0)
            && self.method.as_deref().is_none_or(|only| only == method)
            && self.voter.as_ref().is_none_or(|only| Some(only) == voter)
    }
}

/// The faults of one listener; the one added first that strikes wins.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<FaultRule>>,
}

impl Faults {
    /// Switches a fault on.
    pub fn add(&self, rule: impl Into<FaultRule>) {
        lock(&self.rules).push(rule.into());
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        lock(&self.rules).clear();
    }

    /// The fault for a request that has just come, counted as having struck.
    pub(super) fn strike(&self, method: &str, voter: Option<&Account>) -> Option<Fault> {
        for rule in lock(&self.rules).iter_mut() {
            if !rule.strikes(method, voter) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(left) = &mut rule.left {
                *left -= 1;
            }
            return Some(rule.fault.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_only_whom_it_is_for_and_only_so_often() {
        let faults = Faults::default();
        faults.add(
            Fault::Hang
                .on("broadcast")
                .for_voter("alice")
                .after(1)
                .times(2),
        );
        let (alice, bob) = (Account::from_chain("alice"), Account::from_chain("bob"));
        assert_eq!(faults.strike("token", Some(&alice)), None);
        assert_eq!(faults.strike("broadcast", Some(&bob)), None);
        assert_eq!(faults.strike("broadcast", None), None);
        let strikes: Vec<bool> = (0..4)
            .map(|_| faults.strike("broadcast", Some(&alice)).is_some())
            .collect();
        assert_eq!(strikes, [false, true, true, false]);
    }

    #[test]
    fn the_fault_added_first_wins_until_it_is_used_up() {
        let faults = Faults::default();
        faults.add(Fault::Cut.times(1));
        faults.add(Fault::Hang);
        assert_eq!(faults.strike("me", None), Some(Fault::Cut));
        assert_eq!(faults.strike("me", None), Some(Fault::Hang));
        faults.clear();
        assert_eq!(faults.strike("me", None), None);
    }
}
