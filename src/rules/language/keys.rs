//! The keys of a rule file: where each belongs, the type of its value, and its meaning. Messages, the JSON Schema and
//! the tests use this table.

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Name in the file.
    pub name: &'static str,
    /// Type of the value.
    pub holds: Holds,
    /// Example of the value, as TOML.
    pub example: &'static str,
    /// Default, as TOML or in words; empty if there is none.
    pub default: &'static str,
    /// Whether a table without this key is an error.
    pub required: bool,
    /// Description for people.
    pub about: &'static str,
}

/// Type of a key's value.
#[derive(Debug)]
pub enum Holds {
    /// A list of at least one account or `"list:…"`.
    Accounts,
    /// Like `Accounts`, or `"*"`.
    AccountsOrAnyone,
    /// A list of at least one word or `"list:…"`.
    Words,
    /// A list of at least one text.
    Texts,
    /// A list of at least one day of the week.
    Days,
    /// `"50%"`, with at most two decimals.
    Percentage,
    /// `"6d 12h"`.
    Duration,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// An integer with this minimum.
    Count(u32),
    /// A number of at least 0.
    Amount,
    /// A TOML date, or a date and time.
    Date,
    /// `"08:00"`.
    TimeOfDay,
    /// A name of the IANA database, such as `"Europe/Amsterdam"`.
    Timezone,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A table that is not empty.
    Table(&'static [Key]),
    /// A percentage, or a table with these keys.
    PercentageOrTable(&'static [Key]),
    /// An array of tables: `[[author]]`.
    Rules(Kind),
    /// `[lists]`: any names, each with a list of at least one account or word.
    Lists,
}

/// The two kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `[[author]]`.
    Author,
    /// `[[trail]]`.
    Trail,
}

impl Kind {
    /// The key of its tables, which is also the first part of default names.
    pub fn key(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Trail => "trail",
        }
    }

    /// The keys that its tables may contain.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        let own: &[Key] = match self {
            Self::Author => &AUTHOR,
            Self::Trail => &TRAIL,
        };
        own.iter().chain(&BOTH)
    }

    /// The only key whose table may contain a key with this name.
    pub fn holder(self, name: &str) -> Option<&'static str> {
        let mut holders = self.keys().filter(|key| match key.holds {
            Holds::Table(inner) | Holds::PercentageOrTable(inner) => {
                inner.iter().any(|inner| inner.name == name)
            }
            _ => false,
        });
        match (holders.next(), holders.next()) {
            (Some(only), None) => Some(only.name),
            _ => None,
        }
    }

    /// Whether its tables may contain a key with this name.
    pub fn has(self, name: &str) -> bool {
        self.keys().any(|key| key.name == name)
    }
}

const fn key(name: &'static str, holds: Holds, example: &'static str, about: &'static str) -> Key {
    Key {
        name,
        holds,
        example,
        default: "",
        required: false,
        about,
    }
}

impl Key {
    const fn or(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }
}

/// Keys at the top of a file.
pub const FILE: [Key; 5] = [
    key(
        "voters",
        Holds::Accounts,
        "[\"alice\", \"alice.art\"]",
        "The accounts that vote, in every rule of this file without its own `voters`.",
    ),
    key(
        "timezone",
        Holds::Timezone,
        "\"Europe/Amsterdam\"",
        "The time zone of every schedule, window and date in this file without its own.",
    )
    .or("\"UTC\""),
    key(
        "lists",
        Holds::Lists,
        "{ friends = [\"bob\", \"carol\"] }",
        "Named lists of accounts or tags: `\"list:friends\"` stands for the members of `friends`, in every rule \
         file. A list is defined once.",
    ),
    key(
        "author",
        Holds::Rules(Kind::Author),
        "[{ authors = [\"bob\"], weight = \"50%\" }]",
        "A rule that votes on posts of certain authors.",
    ),
    key(
        "trail",
        Holds::Rules(Kind::Trail),
        "[{ leaders = [\"curie\"], weight = \"50%\" }]",
        "A rule that follows the votes of other accounts.",
    ),
];

/// Keys of both `[[author]]` and `[[trail]]`.
pub const BOTH: [Key; 20] = [
    key(
        "name",
        Holds::Text,
        "\"favourites\"",
        "The name of the rule, unique in its file. Logs and tables show it with the file: \
         `friends.toml:favourites`.",
    )
    .or("kind and number: `author-1`, `trail-2`"),
    key(
        "voters",
        Holds::Accounts,
        "[\"alice\"]",
        "The accounts that vote, instead of the file's `voters`. Required in the rule or in the file.",
    )
    .or("the file's `voters`"),
    key(
        "enabled",
        Holds::Flag,
        "false",
        "`false` switches the rule off.",
    )
    .or("true"),
    key(
        "delay",
        Holds::Duration,
        "\"5m\"",
        "The time to wait: after publication in an author rule, after the leader's vote in a trail. At most 7 \
         days.",
    )
    .or("\"0s\""),
    key(
        "max_age",
        Holds::Duration,
        "\"1d\"",
        "The maximum age of a post when the vote is cast; older posts are skipped. At most 7 days, when posts pay \
         out. In the last 12 hours before, a vote loses its value.",
    )
    .or("\"6d 12h\""),
    key(
        "limit",
        Holds::Table(&LIMIT),
        "{ per_day = 10, per_author_per_week = 3 }",
        "The maximum number of votes by this rule for each voter. A day is the last 24 hours, a week the last 168 \
         hours. Votes above a limit are skipped.",
    )
    .or("no limit"),
    key(
        "min_mana",
        Holds::Percentage,
        "\"85%\"",
        "The minimum mana of the voter. Below it, the rule does not vote.",
    )
    .or("no minimum"),
    key(
        "below_min_mana",
        Holds::Choice(&["skip", "wait"]),
        "\"wait\"",
        "What happens to a vote while mana is below `min_mana`: `\"skip\"` drops it, `\"wait\"` keeps it until \
         there is enough mana, at most until `max_age`.",
    )
    .or("\"skip\""),
    key(
        "window",
        Holds::Table(&WINDOW),
        "{ from = \"08:00\", to = \"22:00\", days = [\"sat\", \"sun\"] }",
        "The hours in which votes are cast. A vote that is due outside of them waits until the window opens. The \
         window spans midnight if `to` is before `from`.",
    )
    .or("always"),
    key(
        "kind",
        Holds::Choice(&["posts", "comments", "all"]),
        "\"all\"",
        "Whether to vote on posts, on comments, or on both.",
    )
    .or("\"posts\""),
    key(
        "tags",
        Holds::Table(&TAGS),
        "{ any = [\"photography\", \"art\"], none = [\"nsfw\"] }",
        "Only posts with these tags. The first tag or the community of a post also counts as a tag.",
    ),
    key(
        "communities",
        Holds::Table(&COMMUNITIES),
        "{ any = [\"hive-174578\"] }",
        "Only posts published in these communities.",
    ),
    key(
        "apps",
        Holds::Table(&APPS),
        "{ none = [\"actifit\"] }",
        "Only posts published with these applications, named without their version.",
    ),
    key(
        "text",
        Holds::Table(&TEXT),
        "{ none = [\"giveaway\"] }",
        "Only posts with these texts in their title or body. Upper and lower case are the same.",
    ),
    key(
        "words",
        Holds::Table(&WORDS),
        "{ min = 300 }",
        "Only posts with this number of words in their body.",
    ),
    key(
        "payout",
        Holds::Table(&PAYOUT),
        "{ max = 20 }",
        "Conditions on the payout of a post.",
    )
    .or("{ declined = false }"),
    key(
        "max_votes",
        Holds::Count(0),
        "50",
        "The maximum number of upvotes on the post when the vote is due; posts with more are skipped.",
    )
    .or("no maximum"),
    key(
        "expires",
        Holds::Date,
        "2027-12-31",
        "The rule is off from this moment on: a date (its start in the file's time zone) or a date with a time, \
         without quotes.",
    )
    .or("never"),
    key(
        "self_votes",
        Holds::Flag,
        "true",
        "Whether a voter votes on its own posts.",
    )
    .or("false"),
    key(
        "note",
        Holds::Text,
        "\"why this rule is here\"",
        "A note for people. It has no effect.",
    ),
];

/// Keys that only `[[author]]` has, or that have a different meaning there.
pub const AUTHOR: [Key; 4] = [
    key(
        "authors",
        Holds::AccountsOrAnyone,
        "[\"bob\", \"carol\"]",
        "The authors whose posts to vote on; or `\"*\"` for every author, together with at least one of \
         `tags.any`, `tags.all` and `communities.any`.",
    )
    .required(),
    key(
        "except",
        Holds::Accounts,
        "[\"dave\"]",
        "Authors that are left out.",
    ),
    key(
        "weight",
        Holds::Percentage,
        "\"50%\"",
        "The weight of the vote: -100 % to 100 % with at most two decimals, not 0 %. Negative for a downvote.",
    )
    .required(),
    key(
        "schedule",
        Holds::Table(&SCHEDULE),
        "{ cron = \"0 18 * * MON-FRI\" }",
        "Fixed times instead of `delay`. At each time, every voter votes on every author's newest matching post \
         that it has not voted on yet.",
    ),
];

/// Keys that only `[[trail]]` has, or that have a different meaning there.
pub const TRAIL: [Key; 7] = [
    key(
        "leaders",
        Holds::Accounts,
        "[\"curie\", \"ocd\"]",
        "The accounts whose votes to follow.",
    )
    .required(),
    key(
        "weight",
        Holds::PercentageOrTable(&SCALED),
        "{ scale = \"50%\", max = \"40%\" }",
        "The weight of the vote: fixed, as `\"50%\"`, or computed from the leader's weight, as \
         `{ scale = \"50%\", max = \"40%\" }`. It has no sign: the sign is that of the leader's vote.",
    )
    .required(),
    key(
        "authors",
        Holds::Accounts,
        "[\"bob\", \"carol\"]",
        "Follow only votes on posts of these authors.",
    )
    .or("every author"),
    key(
        "except",
        Holds::Accounts,
        "[\"dave\"]",
        "Do not follow votes on posts of these authors.",
    ),
    key(
        "min_leader_weight",
        Holds::Percentage,
        "\"5%\"",
        "The minimum weight of a leader's vote; smaller votes are not followed.",
    )
    .or("\"0%\""),
    key(
        "downvotes",
        Holds::Choice(&["ignore", "follow", "only"]),
        "\"only\"",
        "Which votes of the leaders are followed: upvotes (`\"ignore\"`), both (`\"follow\"`), or downvotes \
         (`\"only\"`).",
    )
    .or("\"ignore\""),
    key(
        "agree",
        Holds::Count(1),
        "2",
        "The number of leaders that must have voted. Weight and delay are based on the last of these votes.",
    )
    .or("1"),
];

const LIMIT: [Key; 4] = [
    key("per_day", Holds::Count(1), "10", "Votes in 24 hours."),
    key("per_week", Holds::Count(1), "50", "Votes in 168 hours."),
    key(
        "per_author_per_day",
        Holds::Count(1),
        "1",
        "Votes on one author in 24 hours.",
    ),
    key(
        "per_author_per_week",
        Holds::Count(1),
        "3",
        "Votes on one author in 168 hours.",
    ),
];

const WINDOW: [Key; 4] = [
    key(
        "from",
        Holds::TimeOfDay,
        "\"08:00\"",
        "When the window opens.",
    )
    .required(),
    key(
        "to",
        Holds::TimeOfDay,
        "\"22:00\"",
        "When the window closes; `\"24:00\"` is the end of the day.",
    )
    .required(),
    key(
        "days",
        Holds::Days,
        "[\"sat\", \"sun\"]",
        "The days on which the window opens.",
    )
    .or("every day"),
    key(
        "timezone",
        Holds::Timezone,
        "\"Europe/Amsterdam\"",
        "The time zone of the window.",
    )
    .or("the file's `timezone`"),
];

const TAGS: [Key; 3] = [
    key(
        "any",
        Holds::Words,
        "[\"photography\", \"art\"]",
        "At least one of these tags.",
    ),
    key(
        "all",
        Holds::Words,
        "[\"photography\"]",
        "All of these tags.",
    ),
    key("none", Holds::Words, "[\"nsfw\"]", "None of these tags."),
];

const COMMUNITIES: [Key; 3] = [
    key(
        "any",
        Holds::Words,
        "[\"hive-174578\"]",
        "One of these communities.",
    ),
    key(
        "all",
        Holds::Words,
        "[\"hive-174578\"]",
        "All of these communities. A post is in one community only.",
    ),
    key(
        "none",
        Holds::Words,
        "[\"hive-174578\"]",
        "None of these communities.",
    ),
];

const APPS: [Key; 3] = [
    key(
        "any",
        Holds::Words,
        "[\"peakd\", \"ecency\"]",
        "One of these applications.",
    ),
    key(
        "all",
        Holds::Words,
        "[\"peakd\"]",
        "All of these applications. A post is published with one application only.",
    ),
    key(
        "none",
        Holds::Words,
        "[\"actifit\"]",
        "None of these applications.",
    ),
];

const TEXT: [Key; 2] = [
    key(
        "any",
        Holds::Texts,
        "[\"long exposure\"]",
        "At least one of these texts.",
    ),
    key(
        "none",
        Holds::Texts,
        "[\"giveaway\"]",
        "None of these texts.",
    ),
];

const WORDS: [Key; 2] = [
    key(
        "min",
        Holds::Count(0),
        "300",
        "The minimum number of words.",
    ),
    key(
        "max",
        Holds::Count(0),
        "5000",
        "The maximum number of words.",
    ),
];

const PAYOUT: [Key; 2] = [
    key(
        "declined",
        Holds::Flag,
        "true",
        "`true` also votes on posts whose author declines payout.",
    )
    .or("false"),
    key(
        "max",
        Holds::Amount,
        "20",
        "The maximum pending payout when the vote is due, in HBD or SBD; posts above it are skipped.",
    ),
];

const SCHEDULE: [Key; 2] = [
    key(
        "cron",
        Holds::Text,
        "\"0 18 * * MON-FRI\"",
        "Five fields: minute, hour, day of month, month, day of week. A sixth field in front is the second.",
    )
    .required(),
    key(
        "timezone",
        Holds::Timezone,
        "\"Europe/Amsterdam\"",
        "The time zone of the schedule.",
    )
    .or("the file's `timezone`"),
];

const SCALED: [Key; 4] = [
    key(
        "scale",
        Holds::Percentage,
        "\"50%\"",
        "The leader's weight is multiplied by this: 0.01 % to 1000 %.",
    )
    .or("\"100%\""),
    key(
        "offset",
        Holds::Percentage,
        "\"-5%\"",
        "Then this is added: -100 % to 100 %.",
    )
    .or("\"0%\""),
    key(
        "min",
        Holds::Percentage,
        "\"1%\"",
        "The minimum of the result.",
    )
    .or("\"0%\""),
    key(
        "max",
        Holds::Percentage,
        "\"40%\"",
        "The maximum of the result.",
    )
    .or("\"100%\""),
];
