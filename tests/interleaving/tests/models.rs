//! Every order of what workers do to what they share.

#[test]
fn connections_of_one_address_are_counted_one_after_the_other() {
    interleaving::connections_of_one_address_are_counted_one_after_the_other();
}

#[test]
fn a_list_that_is_left_may_make_room_for_another_and_none_is_lost() {
    interleaving::a_list_that_is_left_may_make_room_for_another_and_none_is_lost();
}

#[test]
fn the_flow_limit_is_exact_and_no_credit_is_lost() {
    interleaving::the_flow_limit_is_exact_and_no_credit_is_lost();
}

#[test]
fn a_flow_that_ends_at_one_worker_makes_room_at_the_other() {
    interleaving::a_flow_that_ends_at_one_worker_makes_room_at_the_other();
}

#[test]
fn a_burst_of_limit_is_taken_once_by_all_workers_together() {
    interleaving::a_burst_of_limit_is_taken_once_by_all_workers_together();
}

#[test]
fn every_third_packet_is_every_third_of_all_workers() {
    interleaving::every_third_packet_is_every_third_of_all_workers();
}

#[test]
fn one_sender_is_not_answered_more_often_by_two_workers() {
    interleaving::one_sender_is_not_answered_more_often_by_two_workers();
}
