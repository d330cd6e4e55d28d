//! Operations in a broadcast, read as the serializer of the real server reads them.

use serde_json::{Value, json};

use crate::account::Account;
use crate::post::PostId;
use crate::sandbox::chain::operation::{Comment, Operation, Vote};

/// Reads an operation that the scope allows, without fields that the chain does not know.
///
/// # Errors
/// What the serializer says about the first field that is wrong.
pub(super) fn read(operation: &Value) -> Result<Operation, String> {
    let name = operation[0].as_str().unwrap_or_default();
    let value = &operation[1];
    let read = match name {
        "vote" => vote(value),
        "comment" => comment(value),
        "comment_options" => comment_options(value),
        "delete_comment" => Ok(Operation::DeleteComment(post(value)?)),
        "custom_json" => custom_json(value),
        "claim_reward_balance" => other(
            name,
            value,
            &["account", "reward_hive", "reward_hbd", "reward_vests"],
        ),
        _ => account_update2(value),
    };
    read.map_err(|what| format!("{name}: {what}"))
}

fn vote(value: &Value) -> Result<Operation, String> {
    Ok(Operation::Vote(Vote {
        voter: account(value, "voter")?,
        post: post(value)?,
        weight: weight(value.get("weight"))?,
    }))
}

fn comment(value: &Value) -> Result<Operation, String> {
    let parent_author = account(value, "parent_author")?;
    let category = text(value, "parent_permlink")?.to_owned();
    let parent = PostId::new(parent_author, &category);
    Ok(Operation::Comment(Comment {
        post: post(value)?,
        parent: (!parent.author.as_str().is_empty()).then_some(parent),
        category,
        title: text(value, "title")?.to_owned(),
        body: text(value, "body")?.to_owned(),
        json_metadata: text(value, "json_metadata")?.to_owned(),
    }))
}

fn comment_options(value: &Value) -> Result<Operation, String> {
    let limit = text(value, "max_accepted_payout")?;
    let thousandths = limit.split_once(' ').and_then(|(number, _)| {
        let (whole, rest) = number.split_once('.')?;
        format!("{whole}{rest:0<3}").parse().ok()
    });
    Ok(Operation::CommentOptions {
        post: post(value)?,
        max_accepted_payout: thousandths
            .ok_or_else(|| format!("max_accepted_payout: Invalid asset string: {limit}"))?,
        allow_votes: value["allow_votes"].as_bool().unwrap_or_default(),
    })
}

fn custom_json(value: &Value) -> Result<Operation, String> {
    let names = |field: &str| match &value[field] {
        Value::Array(names) => json!(names),
        _ => json!([]),
    };
    Ok(Operation::Other {
        name: "custom_json".to_owned(),
        value: json!({
            "required_auths": names("required_auths"),
            "required_posting_auths": names("required_posting_auths"),
            "id": text(value, "id")?,
            "json": text(value, "json")?,
        }),
    })
}

fn account_update2(value: &Value) -> Result<Operation, String> {
    let fields = ["account", "json_metadata", "posting_json_metadata"];
    let mut update = other("account_update2", value, &fields)?;
    if let Operation::Other { value: update, .. } = &mut update {
        if let Some(key) = value.get("memo_key").filter(|key| key.is_string()) {
            update["memo_key"] = key.clone();
        }
        update["extensions"] = json!([]);
    }
    Ok(update)
}

/// An operation of texts.
fn other(name: &str, value: &Value, fields: &[&str]) -> Result<Operation, String> {
    let fields = fields
        .iter()
        .map(|&field| Ok((field.to_owned(), json!(text(value, field)?))));
    let fields: Result<serde_json::Map<String, Value>, String> = fields.collect();
    Ok(Operation::Other {
        name: name.to_owned(),
        value: fields?.into(),
    })
}

fn post(value: &Value) -> Result<PostId, String> {
    Ok(PostId::new(
        account(value, "author")?,
        text(value, "permlink")?,
    ))
}

fn account(value: &Value, field: &str) -> Result<Account, String> {
    text(value, field).map(Account::from_chain)
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, String> {
    let text = value[field].as_str();
    text.ok_or_else(|| format!("{field}: Illegal str: Not a string"))
}

/// Reads a whole number and, like the real serializer, truncates it to 16 bits.
fn weight(weight: Option<&Value>) -> Result<i16, String> {
    let illegal = |shown: String| Err(format!("weight: Illegal value: {shown} (not an integer)"));
    match weight {
        None => illegal("undefined".to_owned()),
        Some(Value::String(text)) => illegal(text.clone()),
        Some(value) => match (value.as_i64(), value.as_f64()) {
            (Some(whole), _) => Ok(whole as i16),
            (None, Some(number)) if number.fract() == 0.0 => Ok(number as i64 as i16),
            _ => illegal(value.to_string()),
        },
    }
}
