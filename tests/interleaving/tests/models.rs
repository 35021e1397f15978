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

#[test]
fn of_two_that_announce_the_same_one_is_let_in() {
    interleaving::of_two_that_announce_the_same_one_is_let_in();
}

#[test]
fn so_it_is_when_a_slot_becomes_free_meanwhile() {
    interleaving::so_it_is_when_a_slot_becomes_free_meanwhile();
}

#[test]
fn what_is_announced_is_taken_once_and_whole_while_its_slot_is_drained_and_filled() {
    interleaving::what_is_announced_is_taken_once_and_whole_while_its_slot_is_drained_and_filled();
}

#[test]
fn who_is_kept_out_finds_what_keeps_him_out() {
    interleaving::who_is_kept_out_finds_what_keeps_him_out();
}

#[test]
fn a_full_table_has_as_many_as_it_may() {
    interleaving::a_full_table_has_as_many_as_it_may();
}

#[test]
fn an_inside_end_that_two_workers_see_first_has_one_outside_end() {
    interleaving::an_inside_end_that_two_workers_see_first_has_one_outside_end();
}

#[test]
fn an_outside_end_that_two_workers_want_is_one_inside_ends() {
    interleaving::an_outside_end_that_two_workers_want_is_one_inside_ends();
}

#[test]
fn a_cone_that_is_swept_while_a_flow_prolongs_it_can_be_had_again() {
    interleaving::a_cone_that_is_swept_while_a_flow_prolongs_it_can_be_had_again();
}

#[test]
fn two_workers_that_join_the_same_ends_make_one_cone() {
    interleaving::two_workers_that_join_the_same_ends_make_one_cone();
}

#[test]
fn an_address_that_two_workers_see_first_was_seen_twice() {
    interleaving::an_address_that_two_workers_see_first_was_seen_twice();
}

#[test]
fn who_is_the_one_too_many_is_found_out_by_one_worker_at_least() {
    interleaving::who_is_the_one_too_many_is_found_out_by_one_worker_at_least();
}

#[test]
fn an_address_that_is_forgotten_while_it_is_seen_is_there_with_that_alone_or_not_at_all() {
    interleaving::an_address_that_is_forgotten_while_it_is_seen_is_there_with_that_alone_or_not_at_all();
}

#[test]
fn an_element_is_found_as_it_was_or_not_at_all() {
    interleaving::an_element_is_found_as_it_was_or_not_at_all();
}

#[test]
fn an_element_that_two_packets_bring_at_once_is_there_for_what_follows_each() {
    interleaving::an_element_that_two_packets_bring_at_once_is_there_for_what_follows_each();
}

#[test]
fn a_network_that_two_packets_bring_at_once_is_there_for_what_follows_each() {
    interleaving::a_network_that_two_packets_bring_at_once_is_there_for_what_follows_each();
}

#[test]
fn an_element_that_two_packets_take_out_at_once_is_gone_for_what_follows_each() {
    interleaving::an_element_that_two_packets_take_out_at_once_is_gone_for_what_follows_each();
}

#[test]
fn two_elements_that_come_at_once_are_both_there() {
    interleaving::two_elements_that_come_at_once_are_both_there();
}

#[test]
fn an_element_that_comes_and_one_that_goes_stay_so_while_they_are_put_into_the_table() {
    interleaving::an_element_that_comes_and_one_that_goes_stay_so_while_they_are_put_into_the_table();
}

#[test]
fn an_element_that_goes_and_comes_again_is_there_whatever_was_put_into_the_table_between() {
    interleaving::an_element_that_goes_and_comes_again_is_there_whatever_was_put_into_the_table_between();
}

#[test]
fn of_one_that_brings_and_one_that_takes_the_same_element_either_comes_later_for_everybody() {
    interleaving::of_one_that_brings_and_one_that_takes_the_same_element_either_comes_later_for_everybody();
}

#[test]
fn nothing_is_lost_when_notes_are_full_and_workers_come_to_new_ones_one_after_the_other() {
    interleaving::nothing_is_lost_when_notes_are_full_and_workers_come_to_new_ones_one_after_the_other();
}

#[test]
fn nothing_is_lost_when_a_table_is_outgrown_while_packets_change_it() {
    interleaving::nothing_is_lost_when_a_table_is_outgrown_while_packets_change_it();
}

#[test]
fn packets_that_find_an_element_are_counted_while_it_is_put_into_the_table() {
    interleaving::packets_that_find_an_element_are_counted_while_it_is_put_into_the_table();
}
