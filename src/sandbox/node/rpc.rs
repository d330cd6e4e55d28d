//! JSON-RPC 2.0 with the errors of hived and steemd.

use serde_json::{Value, json};

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub id: Value,
    /// `api.method`.
    pub method: String,
    pub params: Value,
}

/// An error in the answer of a node.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum RpcError {
    #[error("Parse Error:Unexpected char")]
    Parse,
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("{0}")]
    InvalidParams(String),
    /// A failed check of the arguments: the expression and the message.
    #[error("Assert Exception:{0}: {1}")]
    Assertion(&'static str, &'static str),
    #[error(
        "Assert Exception:v.size() == 2: method specification invalid. Should be api.method: {0}"
    )]
    InvalidMethod(String),
    /// The registry of the node, and the API that is not in it.
    #[error("Assert Exception:api_itr != {0}.end(): Could not find API {1}")]
    UnknownApi(&'static str, String),
    #[error("Assert Exception:false: Unknown Transaction {0}")]
    UnknownTransaction(String),
    #[error("Assert Exception:method_itr != api_itr->second.end(): Could not find method {0}")]
    UnknownMethod(String),
}

impl Call {
    pub fn read(call: &Value) -> Result<Self, RpcError> {
        let no_method = RpcError::InvalidRequest("A member \"method\" is missing");
        let method = call["method"].as_str().ok_or(no_method)?;
        let mut params = &call["params"];
        let mut method = method.to_owned();
        // The old form has the API and the method as its first two parameters.
        if method == "call" {
            let (Some(api), Some(name)) = (params[0].as_str(), params[1].as_str()) else {
                let form = "params should be {\"api\", \"method\", \"args\"}";
                return Err(RpcError::InvalidParams(form.to_owned()));
            };
            method = format!("{api}.{name}");
            params = &params[2];
        }
        Ok(Self {
            id: call["id"].clone(),
            method,
            params: params.clone(),
        })
    }
}

impl RpcError {
    pub fn code(&self) -> i64 {
        match self {
            Self::Parse => -32700,
            Self::InvalidRequest(_) => -32600,
            Self::InvalidParams(_) => -32602,
            Self::Assertion(..) | Self::UnknownTransaction(_) => -32003,
            Self::InvalidMethod(_) | Self::UnknownApi(..) | Self::UnknownMethod(_) => -32601,
        }
    }
}

/// The answer to the call `id`.
pub(super) fn response(id: &Value, result: Result<Value, RpcError>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
        Err(error) => json!({
            "jsonrpc": "2.0",
            "error": {"code": error.code(), "message": error.to_string()},
            "id": id,
        }),
    }
}
