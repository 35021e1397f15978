//! What stands in packets. What the kernel finds is in `tests/kernel`; here it lies in several segments, and in packets of known connections.

use engine::sim::{Event, Shape};
use rules::TableName::Filter;

use crate::fragments::cut;
use crate::lab::frames::{tcp, udp};
use crate::lab::{ETH0, ETH1, Lab};

const CLIENT: &str = "10.0.0.2:1024";
const SERVER: &str = "192.168.1.2:80";

fn rule(test: &str) -> String {
    format!("*filter\n-A FORWARD {test}\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n")
}

fn in_segments(segments: &[usize]) -> Shape {
    Shape { segments: segments.to_vec(), ..Shape::default() }
}

#[test]
fn bytes_and_words_are_found_in_whatever_segments_they_lie() {
    // The frame's and the two packet headers have 42 bytes; the string begins at byte 3000 of the data, a word of it two bytes further on.
    let (from, word) = (28 + 3000, 28 + 3002);
    for test in [
        "-m string --algo bm --string ababac",
        "-m string --algo kmp --icase --string ABABAC",
        &format!("-m string --algo bm --string ababac --from {from} --to {}", from + 6),
        &format!("-m u32 --u32 {word}=0x61626163"),
        "-m u32 --u32 0>>22&0x3c@3010=0x61626163",
    ] {
        let mut lab = Lab::new(&rule(test));
        let mut data = vec![b'a'; 4000];
        data[2996..3006].copy_from_slice(b"ababababac");
        let frame = udp(CLIENT, SERVER).bytes(&data).frame();
        for segments in [&[][..], &[3043], &[3044], &[3045, 1], &[2000, 1044, 0, 1, 2]] {
            assert!(!lab.wire_shaped(ETH0, frame.clone(), &in_segments(segments)).is_empty(), "{segments:?}");
        }
        assert_eq!(lab.count(Filter, "FORWARD", 1).0, 5, "{test}");
    }
}

#[test]
fn what_was_cut_in_pieces_is_found_where_it_is_put_together() {
    for test in ["-m string --algo bm --string wxyz -j DROP", "-m string --algo kmp --string wxyz -j DROP"] {
        let mut lab = Lab::new(&rule(test));
        let mut data = vec![b'-'; 3000];
        data[1470..1474].copy_from_slice(b"wxyz");
        lab.sim.wire(ETH0, &cut(&udp(CLIENT, SERVER).bytes(&data).frame(), &[1480], false), &Shape::default());
        assert!(!lab.sim.events().iter().any(|event| matches!(event, Event::Transmit { .. })), "{test}");
        assert_eq!(lab.count(Filter, "FORWARD", 1), (1, 3028));
    }
}

#[test]
fn each_packet_of_a_known_connection_is_searched() {
    let mut lab = Lab::new(&rule("-m string --algo bm --string secret -j DROP"));
    lab.wire(ETH0, &tcp(CLIENT, SERVER, "S"));
    lab.wire(ETH1, &tcp(SERVER, CLIENT, "SA").numbers(5000, 1001));
    let mut says = |seq: u32, data: &[u8]| lab.wire(ETH0, &tcp(CLIENT, SERVER, "PA").numbers(seq, 5001).bytes(data)).len();
    assert_eq!([says(1001, b"nothing"), says(1008, b"nothing"), says(1015, b"a secret"), says(1015, b"nothing")], [1, 1, 0, 1]);
}

#[test]
fn what_stands_behind_a_packet_in_its_frame_is_no_part_of_it() {
    for (test, found) in [
        ("-m string --algo bm --hex-string |abab|", 0),
        ("-m string --algo bm ! --hex-string |abab|", 1),
        ("-m u32 --u32 25=0:0xffffffff", 0),
        ("-m u32 ! --u32 25=0:0xffffffff", 1),
        ("-m u32 --u32 24=0:0xffffffff", 1),
    ] {
        let mut lab = Lab::new(&rule(test));
        let mut frame = udp(CLIENT, SERVER).frame();
        // Short frames are filled up.
        frame.resize(60, 0xab);
        assert_eq!(lab.wire_frame(ETH0, frame).len(), 1);
        assert_eq!(lab.count(Filter, "FORWARD", 1).0, found, "{test}");
    }
}
