//! Every operation of the store, on each database: the same cases run on SQLite, in a file of their
//! own, and on the MySQL or MariaDB server that `CURATORD_TEST_MYSQL` names, in a database of their
//! own. Cases for only one of them are in files of their own.

mod chain;
mod claims;
mod rows;
mod schedules;
mod server;
mod shared_tables;
mod sqlite_file;
mod tokens;
mod votes;

use crate::harness::{Database, run};

/// The cases of the suite; each is run once for each kind of database.
macro_rules! on_each_database {
    ($($module:ident: $($case:ident),+;)+) => {
        mod on_sqlite {
            $($(
                #[tokio::test]
                async fn $case() {
                    super::run(super::Database::sqlite().await, super::$module::$case).await;
                }
            )+)+
        }

        mod on_mysql {
            $($(
                #[tokio::test]
                async fn $case() {
                    super::run(super::Database::mysql().await, super::$module::$case).await;
                }
            )+)+
        }
    };
}

on_each_database! {
    votes:
        a_vote_comes_back_as_it_was_written,
        a_vote_that_is_not_there_is_none,
        permlinks_compare_byte_by_byte,
        a_batch_is_written_whole_or_not_at_all,
        a_batch_given_twice_changes_nothing,
        thousands_of_votes_are_written_in_one_batch,
        a_vote_that_changes_is_changed_and_not_added,
        undone_blocks_take_their_votes_along,
        what_another_rule_asked_for_before_an_upgrade_is_kept,
        two_that_plan_the_same_votes_at_once_write_each_once,
        names_that_the_chain_does_not_allow_hold_up_nobody_else,
        an_endless_transaction_id_is_cut;
    claims:
        what_is_due_soonest_is_claimed_first,
        a_row_that_cannot_be_read_keeps_no_other_back,
        what_is_held_is_not_claimed_again_until_the_hold_ends,
        a_claimed_vote_names_the_daemon_that_held_it_before,
        what_is_not_queued_is_not_claimed,
        renewing_holds_only_what_the_owner_holds,
        what_an_owner_holds_can_be_read,
        released_votes_are_free_at_once,
        cast_votes_are_looked_for_by_one_at_a_time,
        many_who_claim_at_once_take_different_votes,
        planning_claiming_renewing_and_reporting_at_once_all_succeed,
        a_lease_has_one_holder,
        a_lease_given_up_is_free,
        many_who_want_a_lease_at_once_do_not_both_get_it;
    chain:
        a_new_database_has_no_cursor,
        an_error_names_the_call_and_not_its_statement,
        the_cursor_comes_back_as_it_was_written,
        leaders_votes_are_kept_by_block,
        undone_blocks_take_leaders_votes_along,
        old_leaders_votes_are_forgotten;
    schedules:
        a_run_is_remembered_until_the_next,
        a_schedule_that_is_gone_is_forgotten,
        a_rule_of_any_length_holds_up_nobody_else,
        a_run_is_written_with_its_votes_or_not_at_all,
        many_votes_are_read_at_once,
        an_undone_block_leaves_scheduled_votes_alone;
    tokens:
        imported_tokens_come_back,
        importing_again_updates_the_row_that_is_there,
        rows_by_other_programs_are_read_as_they_are,
        a_mark_changes_when_the_row_does,
        a_refresh_is_stored_once,
        a_refresh_is_dropped_when_somebody_logged_in_meanwhile,
        expiry_is_kept_in_the_zone_of_the_table;
    shared_tables:
        errors_of_any_length_and_alphabet_are_kept,
        an_error_with_a_fingerprint_is_written_once,
        a_vote_that_fails_for_good_is_an_error,
        an_error_log_without_type_is_adopted,
        an_error_log_with_type_is_adopted,
        tokens_that_were_there_stay,
        a_table_that_is_not_ours_is_refused,
        many_who_open_a_new_database_at_once_all_succeed,
        opening_again_changes_nothing,
        a_database_that_must_be_there_is_not_made,
        what_the_tables_cannot_hold_is_an_error_with_its_content;
}
