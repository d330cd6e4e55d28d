//! JSON-RPC 2.0 with the errors of hived and steemd.

use serde_json::{Value, json};

use crate::network::ChainKind;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub id: Value,
    /// `api.method`.
    pub method: String,
    pub params: Value,
}

/// An error in the answer of a node.
#[derive(Debug, Clone)]
pub(super) struct RpcError {
    pub code: i64,
    pub message: String,
}

impl Call {
    pub fn read(call: &Value) -> Result<Self, RpcError> {
        let method = call["method"]
            .as_str()
            .ok_or_else(|| RpcError::invalid_request("A member \"method\" is missing"))?;
        let params = call.get("params").cloned().unwrap_or(Value::Null);
        let id = call["id"].clone();
        if method != "call" {
            return Ok(Self {
                id,
                method: method.to_owned(),
                params,
            });
        }
        // The old form has the API and the method as its first two parameters.
        let (Some(api), Some(name)) = (params[0].as_str(), params[1].as_str()) else {
            return Err(RpcError::invalid_params(
                "params should be {\"api\", \"method\", \"args\"}",
            ));
        };
        Ok(Self {
            id,
            method: format!("{api}.{name}"),
            params: params[2].clone(),
        })
    }
}

impl RpcError {
    pub fn parse_error() -> Self {
        Self::new(-32700, "Parse Error:Unexpected char")
    }

    pub fn invalid_request(message: &str) -> Self {
        Self::new(-32600, message)
    }

    pub fn invalid_params(message: &str) -> Self {
        Self::new(-32602, message)
    }

    /// The error of a failed check of the arguments.
    pub fn assertion(expression: &str, message: &str) -> Self {
        Self::new(-32003, &format!("Assert Exception:{expression}: {message}"))
    }

    pub fn invalid_method(method: &str) -> Self {
        Self::new(
            -32601,
            &format!(
                "Assert Exception:v.size() == 2: method specification invalid. Should be api.method: {method}"
            ),
        )
    }

    pub fn unknown_api(kind: ChainKind, api: &str) -> Self {
        let apis = match kind {
            ChainKind::Hive => "data._registered_apis",
            ChainKind::Steem => "_registered_apis",
        };
        Self::new(
            -32601,
            &format!("Assert Exception:api_itr != {apis}.end(): Could not find API {api}"),
        )
    }

    pub fn unknown_method(name: &str) -> Self {
        Self::new(
            -32601,
            &format!(
                "Assert Exception:method_itr != api_itr->second.end(): Could not find method {name}"
            ),
        )
    }

    fn new(code: i64, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
        }
    }
}

/// The answer to the call `id`.
pub(super) fn response(id: &Value, result: Result<Value, RpcError>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "result": result, "id": id}),
        Err(RpcError { code, message }) => json!({
            "jsonrpc": "2.0",
            "error": {"code": code, "message": message},
            "id": id,
        }),
    }
}
