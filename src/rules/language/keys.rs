//! The keys of a rule file: where each belongs, what it holds, what it means. Messages, the JSON Schema and
//! the tests take them from here. It is one table, and as long as the language is rich.

/// One key.
#[derive(Debug)]
pub struct Key {
    /// As it stands in a file.
    pub name: &'static str,
    /// The type of its value.
    pub holds: Holds,
    /// What stands after `=`, as TOML.
    pub example: &'static str,
    /// What counts where the key is left out, as TOML or in words; empty where nothing does.
    pub default: &'static str,
    /// Whether a table without it is refused.
    pub required: bool,
    /// What it says, for people.
    pub about: &'static str,
}

/// What a key holds.
#[derive(Debug)]
pub enum Holds {
    /// At least one account or `"list:…"`.
    Accounts,
    /// The same, or `"*"`.
    AccountsOrAnyone,
    /// At least one word or `"list:…"`.
    Words,
    /// At least one text, whatever is in it.
    Texts,
    /// At least one day of the week.
    Days,
    /// `"50%"`, with at most two decimals.
    Percentage,
    /// `"6d 12h"`.
    Duration,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number from here on.
    Count(u32),
    /// A number that is not negative.
    Amount,
    /// A TOML date, or a date and time.
    Date,
    /// `"08:00"`.
    TimeOfDay,
    /// A name of the IANA database, such as `"Europe/Amsterdam"`.
    Timezone,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A table that says something.
    Table(&'static [Key]),
    /// A percentage, or a table with these keys.
    PercentageOrTable(&'static [Key]),
    /// Tables below each other, `[[author]]`.
    Rules(Kind),
    /// `[lists]`: any names, each with at least one account or word.
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
    /// The key of its tables, which default names begin with.
    pub fn key(self) -> &'static str {
        match self {
            Self::Author => "author",
            Self::Trail => "trail",
        }
    }

    /// The keys that its tables may hold.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        let own: &[Key] = match self {
            Self::Author => &AUTHOR,
            Self::Trail => &TRAIL,
        };
        own.iter().chain(&BOTH)
    }

    /// Whether its tables may hold a key of that name.
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
        "Who votes, in every rule of this file that does not name its own voters.",
    ),
    key(
        "timezone",
        Holds::Timezone,
        "\"Europe/Amsterdam\"",
        "The time zone of every schedule, window and date in this file that does not name its own.",
    )
    .or("\"UTC\""),
    key(
        "lists",
        Holds::Lists,
        "{ friends = [\"bob\", \"carol\"] }",
        "Names for lists of accounts or tags: `\"list:friends\"` stands for the members of `friends`, in every \
         rule file. A list is defined once.",
    ),
    key(
        "author",
        Holds::Rules(Kind::Author),
        "[{ authors = [\"bob\"], weight = \"50%\" }]",
        "A rule that votes on what certain accounts publish.",
    ),
    key(
        "trail",
        Holds::Rules(Kind::Trail),
        "[{ leaders = [\"curie\"], weight = \"50%\" }]",
        "A rule that repeats the votes of others.",
    ),
];

/// Keys of `[[author]]` and `[[trail]]` alike.
pub const BOTH: [Key; 20] = [
    key(
        "name",
        Holds::Text,
        "\"favourites\"",
        "Names the rule, together with its file, in logs and tables: `friends.toml:favourites`. Each rule of a \
         file has a name of its own.",
    )
    .or("kind and number: `author-1`, `trail-2`"),
    key(
        "voters",
        Holds::Accounts,
        "[\"alice\"]",
        "Who votes; instead of the file's `voters`. Needed here or there.",
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
        "How long to wait: in an author rule after publication, in a trail after the leader's vote. At most 7 \
         days.",
    )
    .or("\"0s\""),
    key(
        "max_age",
        Holds::Duration,
        "\"1d\"",
        "Posts that would be older than this when the vote goes out are skipped. At most 7 days, when posts pay \
         out; in the last 12 hours before, a vote is worth less and less.",
    )
    .or("\"6d 12h\""),
    key(
        "limit",
        Holds::Table(&LIMIT),
        "{ per_day = 10, per_author_per_week = 3 }",
        "At most so many votes by this rule for each voter. Days and weeks are the last 24 and 168 hours. What \
         exceeds a limit is skipped.",
    )
    .or("no limit"),
    key(
        "min_mana",
        Holds::Percentage,
        "\"85%\"",
        "No vote while the voter's mana is below this.",
    )
    .or("no minimum"),
    key(
        "below_min_mana",
        Holds::Choice(&["skip", "wait"]),
        "\"wait\"",
        "What becomes of a vote while mana is below `min_mana`: skipped, or kept until mana is back, at most \
         until `max_age`.",
    )
    .or("\"skip\""),
    key(
        "window",
        Holds::Table(&WINDOW),
        "{ from = \"08:00\", to = \"22:00\", days = [\"sat\", \"sun\"] }",
        "The hours in which votes go out; a vote that is due outside of them waits for the next opening. `to` \
         before `from` runs over midnight.",
    )
    .or("always"),
    key(
        "kind",
        Holds::Choice(&["posts", "comments", "all"]),
        "\"all\"",
        "Whether to vote on posts, on the comments below them, or on both.",
    )
    .or("\"posts\""),
    key(
        "tags",
        Holds::Table(&TAGS),
        "{ any = [\"photography\", \"art\"], none = [\"nsfw\"] }",
        "Only posts with such tags, as the author has set them; the first tag or community of a post counts \
         too.",
    ),
    key(
        "communities",
        Holds::Table(&COMMUNITIES),
        "{ any = [\"hive-174578\"] }",
        "Only posts published in such communities.",
    ),
    key(
        "apps",
        Holds::Table(&APPS),
        "{ none = [\"actifit\"] }",
        "Only posts published with such applications, named without their version.",
    ),
    key(
        "text",
        Holds::Table(&TEXT),
        "{ none = [\"giveaway\"] }",
        "Only posts with such texts in their title or body. Capitals do not matter.",
    ),
    key(
        "words",
        Holds::Table(&WORDS),
        "{ min = 300 }",
        "Only posts with so many words in their body.",
    ),
    key(
        "payout",
        Holds::Table(&PAYOUT),
        "{ max = 20 }",
        "What is asked of a post's payout.",
    )
    .or("{ declined = false }"),
    key(
        "max_votes",
        Holds::Count(0),
        "50",
        "Skip posts that have more upvotes than this when the vote is due.",
    )
    .or("no maximum"),
    key(
        "expires",
        Holds::Date,
        "2027-12-31",
        "The rule is off from then on: a date (from its start, in the file's time zone), or a date with a time, \
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
        "For people; it changes nothing.",
    ),
];

/// Keys of `[[author]]` only, or with a meaning of their own there.
pub const AUTHOR: [Key; 4] = [
    key(
        "authors",
        Holds::AccountsOrAnyone,
        "[\"bob\", \"carol\"]",
        "Whose posts to vote on; or `\"*\"` for everybody's, together with at least one of `tags.any`, \
         `tags.all` and `communities.any`.",
    )
    .required(),
    key(
        "except",
        Holds::Accounts,
        "[\"dave\"]",
        "Authors left out.",
    ),
    key(
        "weight",
        Holds::Percentage,
        "\"50%\"",
        "The weight of the vote, with at most two decimals; negative for a downvote, never 0 %.",
    )
    .required(),
    key(
        "schedule",
        Holds::Table(&SCHEDULE),
        "{ cron = \"0 18 * * MON-FRI\" }",
        "Fixed times instead of `delay`: at each of them, every voter votes on the newest matching post of every \
         author that it has not voted on yet.",
    ),
];

/// Keys of `[[trail]]` only, or with a meaning of their own there.
pub const TRAIL: [Key; 7] = [
    key(
        "leaders",
        Holds::Accounts,
        "[\"curie\", \"ocd\"]",
        "Whose votes to follow.",
    )
    .required(),
    key(
        "weight",
        Holds::PercentageOrTable(&SCALED),
        "{ scale = \"50%\", max = \"40%\" }",
        "The weight of the vote: always the same, as `\"50%\"`, or made from the leader's, as \
         `{ scale = \"50%\", max = \"40%\" }`. It has no sign: that comes from the leader's vote.",
    )
    .required(),
    key(
        "authors",
        Holds::Accounts,
        "[\"bob\", \"carol\"]",
        "Follow only votes on posts of these.",
    )
    .or("everybody"),
    key(
        "except",
        Holds::Accounts,
        "[\"dave\"]",
        "Follow no votes on posts of these.",
    ),
    key(
        "min_leader_weight",
        Holds::Percentage,
        "\"5%\"",
        "A leader's vote that is smaller than this is not followed.",
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
        "Vote only once so many of the leaders have voted; the last of them counts for weight and delay.",
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
        "When it closes; `\"24:00\"` is the end of the day.",
    )
    .required(),
    key(
        "days",
        Holds::Days,
        "[\"sat\", \"sun\"]",
        "The days on which it opens.",
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
        "All of these; a post is in one community only.",
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
        "All of these; a post is published with one application only.",
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
    key("min", Holds::Count(0), "300", "At least so many words."),
    key("max", Holds::Count(0), "5000", "At most so many words."),
];

const PAYOUT: [Key; 2] = [
    key(
        "declined",
        Holds::Flag,
        "true",
        "`true` votes also on posts whose author declines payout.",
    )
    .or("false"),
    key(
        "max",
        Holds::Amount,
        "20",
        "Skip posts whose pending payout is above this when the vote is due, in HBD or SBD.",
    ),
];

const SCHEDULE: [Key; 2] = [
    key(
        "cron",
        Holds::Text,
        "\"0 18 * * MON-FRI\"",
        "Five fields: minute, hour, day of month, month, day of week; or six with the second first.",
    )
    .required(),
    key(
        "timezone",
        Holds::Timezone,
        "\"Europe/Amsterdam\"",
        "The time zone of the times.",
    )
    .or("the file's `timezone`"),
];

const SCALED: [Key; 4] = [
    key(
        "scale",
        Holds::Percentage,
        "\"50%\"",
        "The leader's weight is multiplied by this; 0.01 % to 1000 %.",
    )
    .or("\"100%\""),
    key(
        "offset",
        Holds::Percentage,
        "\"-5%\"",
        "Then this is added; -100 % to 100 %.",
    )
    .or("\"0%\""),
    key(
        "min",
        Holds::Percentage,
        "\"1%\"",
        "The result is at least this.",
    )
    .or("\"0%\""),
    key(
        "max",
        Holds::Percentage,
        "\"40%\"",
        "The result is at most this.",
    )
    .or("\"100%\""),
];
