//! Faults that a test adds to a running node or signer.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use super::lock;
use crate::account::Account;

/// The fault of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The request has no effect and gets this answer.
    Answer(Answer),
    /// The request takes effect after this time and gets the right answer then, even if the client no
    /// longer waits.
    Delay(Duration),
    /// The request has no effect and gets no answer.
    Hang,
    /// The request has no effect and the connection is cut.
    Cut,
    /// The request takes effect, then the connection is cut.
    DoneThenCut,
    /// The request takes effect but gets no answer.
    DoneThenHang,
    /// The request takes effect after this time but gets no answer.
    LandsLate(Duration),
    /// The request takes effect but gets this answer.
    DoneThenAnswer(Answer),
    /// Signer only: the vote is accepted but never reaches a block.
    Swallowed,
    /// Signer only: it cannot load accounts from its node.
    FailedToLoad,
    /// The process dies and restarts at once: all open connections are cut.
    Crash,
}

/// An answer other than the right one.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// `Location` of a redirect.
    pub location: Option<String>,
    /// The whole body.
    pub body: String,
}

impl Answer {
    /// An answer without `Retry-After` and `Location`.
    pub(super) fn new(status: u16, content_type: &'static str, body: impl ToString) -> Self {
        Self {
            status,
            content_type,
            retry_after: None,
            location: None,
            body: body.to_string(),
        }
    }

    /// 302 to another address, which the body names too.
    pub(super) fn redirect(location: String) -> Self {
        let text = format!("Found. Redirecting to {location}");
        Self {
            location: Some(location),
            ..Self::new(302, "text/plain; charset=utf-8", text)
        }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    /// The HTML page of a proxy whose server is in trouble: 502, 503, 504, 520 to 524.
    pub fn proxy_page(status: u16) -> Self {
        let body = format!(
            "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n\
             <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        );
        Self::new(status, "text/html", body)
    }

    /// 429 with a body that is not JSON.
    pub fn too_many_requests(retry_after: Option<u32>) -> Self {
        let body = "Too many requests, slow down please";
        Self {
            retry_after,
            ..Self::new(429, "text/plain", body)
        }
    }

    /// 200 with an empty body.
    pub fn empty() -> Self {
        Self::json(200, "")
    }

    /// 200 with JSON values of wrong types.
    pub fn wrong_types() -> Self {
        Self::json(
            200,
            r#"{"jsonrpc":2.0,"id":"x","result":[1,"two",null],"access_token":17,"refresh_token":{},"expires_in":"soon"}"#,
        )
    }

    /// 200 with a JSON string of `bytes` bytes.
    pub fn huge(bytes: usize) -> Self {
        Self::json(200, format!("{{\"result\":\"{}\"}}", "x".repeat(bytes)))
    }

    /// HiveSigner's answer with a refusal of the chain.
    pub fn chain_says(text: &str) -> Self {
        let info = json!({"code": 10, "name": "assert_exception", "message": "Assert Exception", "stack": []});
        Self::rpc_error(text, info)
    }

    /// HiveSigner's answer with a refusal of the chain and the exception behind it.
    pub(super) fn rpc_error(text: &str, info: Value) -> Self {
        let response = json!({
            "name": "RPCError",
            "jse_shortmsg": text,
            "jse_info": info,
            "message": text,
        });
        Self::json(
            500,
            json!({"error": "server_error", "error_description": text, "response": response}),
        )
    }

    /// The signer's refusal with 401.
    pub fn unauthorized(error: &str, description: &str) -> Self {
        Self::json(
            401,
            json!({"error": error, "error_description": description}),
        )
    }
}

/// A fault with the requests that it applies to: all of them, unless restricted.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    fault: Fault,
    method: Option<String>,
    voter: Option<Account>,
    skip: u32,
    left: Option<u32>,
}

impl Fault {
    /// Restricts the fault to a method: `condenser_api.get_block` and so on at a node; `broadcast`,
    /// `token`, `me` or `revoke` at the signer.
    pub fn on(self, method: &str) -> FaultRule {
        FaultRule::from(self).on(method)
    }

    /// Restricts the fault to requests of a voter.
    pub fn for_voter(self, voter: &str) -> FaultRule {
        FaultRule::from(self).for_voter(voter)
    }

    /// Restricts the fault to the first `times` requests.
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

    /// Exempts the first `requests` requests that it would apply to.
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    fn applies_to(&self, method: &str, voter: Option<&Account>) -> bool {
        self.left != Some(0)
            && self.method.as_deref().is_none_or(|only| only == method)
            && self.voter.as_ref().is_none_or(|only| Some(only) == voter)
    }
}

/// The faults of one listener. The first one that applies to a request counts.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<FaultRule>>,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&self, rule: impl Into<FaultRule>) {
        lock(&self.rules).push(rule.into());
    }

    /// Removes all faults.
    pub fn clear(&self) {
        lock(&self.rules).clear();
    }

    /// The fault of a new request, which counts as used.
    pub(super) fn take(&self, method: &str, voter: Option<&Account>) -> Option<Fault> {
        for rule in lock(&self.rules).iter_mut() {
            if !rule.applies_to(method, voter) {
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
    fn a_fault_applies_only_to_its_method_and_voter_and_only_as_often_as_it_says() {
        let faults = Faults::default();
        faults.add(
            Fault::Hang
                .on("broadcast")
                .for_voter("alice")
                .after(1)
                .times(2),
        );
        let (alice, bob) = (Account::from_chain("alice"), Account::from_chain("bob"));
        assert_eq!(faults.take("token", Some(&alice)), None);
        assert_eq!(faults.take("broadcast", Some(&bob)), None);
        assert_eq!(faults.take("broadcast", None), None);
        let applied: Vec<bool> = (0..4)
            .map(|_| faults.take("broadcast", Some(&alice)).is_some())
            .collect();
        assert_eq!(applied, [false, true, true, false]);
    }

    #[test]
    fn the_first_fault_counts_until_it_is_used_up() {
        let faults = Faults::default();
        faults.add(Fault::Cut.times(1));
        faults.add(Fault::Hang);
        assert_eq!(faults.take("me", None), Some(Fault::Cut));
        assert_eq!(faults.take("me", None), Some(Fault::Hang));
        faults.clear();
        assert_eq!(faults.take("me", None), None);
    }
}
