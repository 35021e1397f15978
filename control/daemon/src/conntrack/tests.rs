//! Lines as the real command printed them of the kernel's connections, and words as it takes and refuses them.

use std::time::Duration;

use chrono::{Local, TimeZone};
use proto::expectation::{Expectation, Master};
use proto::flow::{Change, Event, Flow, Half, Kind, L4, Name, Zone};
use rules::names::{Labels, NameFiles, WithLabels};

use super::filter::Filter;
use super::options::{self, Command, Error, Invocation};
use super::print::{EventLine, Line, Output};
use super::watch::Kinds;

const NOW: Duration = Duration::from_micros(1_795_711_207_342_484);

fn half(src: &str, dst: &str, l4: L4, counts: Option<(u64, u64)>) -> Half {
    Half { src: src.parse().unwrap(), dst: dst.parse().unwrap(), l4, counts }
}

fn flow(protocol: u8, timeout: u32, status: u32, original: Half, reply: Half) -> Flow {
    Flow {
        name: Name(0, 1),
        id: 152_080_205,
        protocol,
        state: if protocol == 6 { "TIME_WAIT".into() } else { "".into() },
        timeout,
        status,
        mark: 0,
        label: String::new(),
        labels: 0,
        helper: "".into(),
        zone: Zone { id: 0, original: true, reply: true },
        tags: None,
        started: None,
        original,
        reply,
    }
}

fn tcp() -> Flow {
    let (here, there) = (L4::Ports(37560, 8080), L4::Ports(8080, 37560));
    let original = half("127.0.0.1", "127.0.0.1", here, Some((4, 216)));
    flow(6, 119, 0x18e, original, half("127.0.0.1", "127.0.0.1", there, Some((2, 112))))
}

fn line(flow: &Flow) -> String {
    Line { flow, is_deleted: false, output: Output::default(), names: &Labels::default(), now: NOW }.to_string()
}

#[test]
fn lines_of_every_kind_of_protocol_are_the_real_ones() {
    let on_lo = |l4, counts| half("127.0.0.1", "127.0.0.1", l4, counts);
    let icmp = |kind| L4::Icmp { kind, code: 0, id: 9 };
    for (flow, expected) in [
        (
            tcp(),
            "tcp      6 119 TIME_WAIT src=127.0.0.1 dst=127.0.0.1 sport=37560 dport=8080 packets=4 bytes=216 src=127.0.0.1 dst=127.0.0.1 \
             sport=8080 dport=37560 packets=2 bytes=112 [ASSURED] mark=0 use=1",
        ),
        (
            flow(17, 29, 8, half("::1", "::1", L4::Ports(39665, 9999), None), half("::1", "::1", L4::Ports(9999, 39665), None)),
            "udp      17 29 src=::1 dst=::1 sport=39665 dport=9999 [UNREPLIED] src=::1 dst=::1 sport=9999 dport=39665 mark=0 use=1",
        ),
        (
            flow(1, 29, 10, on_lo(icmp(8), Some((1, 84))), on_lo(icmp(0), Some((1, 84)))),
            "icmp     1 29 src=127.0.0.1 dst=127.0.0.1 type=8 code=0 id=9 packets=1 bytes=84 src=127.0.0.1 dst=127.0.0.1 type=0 code=0 id=9 \
             packets=1 bytes=84 mark=0 use=1",
        ),
        (
            flow(58, 29, 10, half("::1", "::1", icmp(128), None), half("::1", "::1", icmp(129), None)),
            "icmpv6   58 29 src=::1 dst=::1 type=128 code=0 id=9 src=::1 dst=::1 type=129 code=0 id=9 mark=0 use=1",
        ),
        (
            flow(99, 599, 8, on_lo(L4::None, Some((1, 28))), on_lo(L4::None, Some((0, 0)))),
            "unknown  99 599 src=127.0.0.1 dst=127.0.0.1 packets=1 bytes=28 [UNREPLIED] src=127.0.0.1 dst=127.0.0.1 packets=0 bytes=0 \
             mark=0 use=1",
        ),
        (
            flow(33, 599, 8, on_lo(L4::None, None), on_lo(L4::None, None)),
            "dccp     33 599 src=127.0.0.1 dst=127.0.0.1 sport=0 dport=0 [UNREPLIED] src=127.0.0.1 dst=127.0.0.1 sport=0 dport=0 mark=0 use=1",
        ),
        (
            flow(47, 29, 8, on_lo(L4::Keys(0, 0), None), on_lo(L4::Keys(0, 0), None)),
            "gre      47 29 src=127.0.0.1 dst=127.0.0.1 srckey=0x0 dstkey=0x0 [UNREPLIED] src=127.0.0.1 dst=127.0.0.1 srckey=0x0 dstkey=0x0 \
             mark=0 use=1",
        ),
    ] {
        assert_eq!(line(&flow), expected);
    }
}

#[test]
fn zones_marks_labels_and_formats_stand_where_the_real_one_has_them() {
    let zoned = |original, reply| Flow { zone: Zone { id: 6, original, reply }, mark: 16, ..tcp() };
    assert!(line(&zoned(true, false)).contains("dport=8080 zone-orig=6 packets=4"));
    assert!(line(&zoned(false, true)).contains("dport=37560 zone-reply=6 packets=2"));
    assert!(line(&zoned(true, true)).ends_with("[ASSURED] mark=16 zone=6 use=1"));
    let labelled = Flow { label: "system_u:object_r:ssh_t:s0".into(), ..tcp() };
    assert!(line(&labelled).ends_with("mark=0 secctx=system_u:object_r:ssh_t:s0 use=1"));
    let helped = Flow { helper: "ftp".into(), ..zoned(true, true) };
    assert!(line(&helped).ends_with("mark=16 zone=6 helper=ftp use=1"));
    let output = Output { extended: true, id: true, ..Output::default() };
    let all = Line { flow: &tcp(), is_deleted: false, output, names: &Labels::default(), now: NOW }.to_string();
    assert!(all.starts_with("ipv4     2 tcp      6 119 ") && all.ends_with(" use=1 id=152080205"));
}

#[test]
fn other_formats_are_the_real_ones() {
    let half = |ends: (&str, &str), l4, counts| half(ends.0, ends.1, l4, counts);
    let (there, back, home) = (("192.168.1.100", "203.0.113.10"), ("203.0.113.10", "203.0.113.1"), ("192.168.1.2", "198.51.100.7"));
    let zoned = Flow {
        id: 3_144_099_671,
        zone: Zone { id: 7, original: false, reply: true },
        helper: "tftp".into(),
        label: "a<b&c".into(),
        ..flow(17, 29, 0x188, half(there, L4::Ports(5000, 7779), Some((1, 33))), half(back, L4::Ports(7779, 5000), Some((0, 0))))
    };
    let show = |flow: &Flow, output, is_deleted| Line { flow, is_deleted, output, names: &Labels::default(), now: NOW }.to_string();
    let (xml, save) = (Output { xml: true, ..Output::default() }, Output { save: true, ..Output::default() });
    assert_eq!(
        show(&zoned, xml, false),
        "<flow><meta direction=\"original\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>192.168.1.100</src><dst>203.0.113.10</dst></layer3>\
         <layer4 protonum=\"17\" protoname=\"udp\"><sport>5000</sport><dport>7779</dport></layer4><counters><packets>1</packets>\
         <bytes>33</bytes></counters></meta><meta direction=\"reply\"><layer3 protonum=\"2\" protoname=\"ipv4\"><src>203.0.113.10</src>\
         <dst>203.0.113.1</dst></layer3><layer4 protonum=\"17\" protoname=\"udp\"><sport>7779</sport><dport>5000</dport></layer4><zone>7</zone>\
         <counters><packets>0</packets><bytes>0</bytes></counters></meta><meta direction=\"independent\"><timeout>29</timeout><mark>0</mark>\
         <secctx>a&lt;b&amp;c</secctx><use>1</use><id>3144099671</id><unreplied/></meta><helper>tftp</helper></flow>"
    );
    assert_eq!(
        show(&zoned, save, false),
        "-A -t 29 -u UNSET --reply-zone 7 -s 192.168.1.100 -d 203.0.113.10 -r 203.0.113.10 -n 203.0.113.1 -p udp --sport 5000 --dport 7779 \
         --reply-port-src 7779 --reply-port-dst 5000"
    );
    let other = Flow { state: "".into(), ..flow(99, 599, 0x40f, half(there, L4::None, None), half(home, L4::None, None)) };
    assert_eq!(
        show(&other, save, true),
        "-D -t 599 -u EXPECTED,SEEN_REPLY,ASSURED,FIXED_TIMEOUT -s 192.168.1.100 -d 203.0.113.10 -g 192.168.1.2 -n 198.51.100.7 -p 99"
    );
    let calls = flow(47, 29, 8, half(there, L4::Keys(1, 2), None), half((there.1, there.0), L4::Keys(2, 1), None));
    assert_eq!(
        show(&calls, save, false),
        "-A -t 29 -u UNSET -s 192.168.1.100 -d 203.0.113.10 -r 203.0.113.10 -q 192.168.1.100 -p gre --srckey 1 --dstkey 2 --reply-key-src 2 \
         --reply-key-dst 1"
    );
    assert!(show(&calls, xml, false).contains("protoname=\"gre\"><srckey>0x1</srckey><dstkey>0x2</dstkey></layer4>"));
    let association = Flow {
        state: "COOKIE_WAIT".into(),
        tags: Some([0x5678, 0x1234]),
        ..flow(132, 2, 10, half(there, L4::Ports(7000, 7001), None), half(back, L4::Ports(7001, 7000), None))
    };
    assert!(show(&association, save, false).ends_with(" --state COOKIE_WAIT --orig-vtag 2018902016 --reply-vtag 873594880"));
    assert!(show(&association, xml, false).contains("<state>COOKIE_WAIT</state>"));
}

#[test]
fn events_are_the_real_lines() {
    let show = |kind, state_changed, flow, output| {
        let (written, by_hand) = (false, false);
        let event = Event { kind, state_changed, mark_written: written, labels_written: written, by_hand, ended: None, flow };
        EventLine { event: &event, output, names: &Labels::default(), now: NOW }.to_string()
    };
    let half = |src, dst, ports: (u16, u16), counts| half(src, dst, L4::Ports(ports.0, ports.1), counts);
    let there = |counts| half("10.0.0.2", "10.0.0.1", (5080, 80), counts);
    let back = |counts| half("10.0.0.1", "10.0.0.2", (80, 5080), counts);
    let flow = |state: &'static str, timeout, status, counts: Option<[(u64, u64); 2]>| Flow {
        id: 683_000_235,
        state: state.into(),
        ..flow(6, timeout, status, there(counts.map(|counts| counts[0])), back(counts.map(|counts| counts[1])))
    };
    let all = Output { extended: true, id: true, timestamp: true, ..Output::default() };
    assert_eq!(
        show(Kind::New, true, flow("SYN_SENT", 120, 8, None), all),
        "[1795711207.342484]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.0.0.2 dst=10.0.0.1 sport=5080 dport=80 [UNREPLIED] \
         src=10.0.0.1 dst=10.0.0.2 sport=80 dport=5080 id=683000235"
    );
    assert_eq!(
        show(Kind::Update, true, flow("ESTABLISHED", 432_000, 14, None), Output::default()),
        " [UPDATE] tcp      6 432000 ESTABLISHED src=10.0.0.2 dst=10.0.0.1 sport=5080 dport=80 src=10.0.0.1 dst=10.0.0.2 sport=80 \
         dport=5080 [ASSURED]"
    );
    assert_eq!(
        show(Kind::Destroy, false, flow("TIME_WAIT", 0, 14, Some([(6, 321), (4, 218)])), Output::default()),
        "[DESTROY] tcp      6 TIME_WAIT src=10.0.0.2 dst=10.0.0.1 sport=5080 dport=80 packets=6 bytes=321 src=10.0.0.1 dst=10.0.0.2 \
         sport=80 dport=5080 packets=4 bytes=218 [ASSURED]"
    );
}

#[test]
fn times_are_shown_where_they_are_kept_by_the_seconds_of_the_wall_clock() {
    let day = |seconds| Local.timestamp_opt(seconds, 0).unwrap().format("%a %b %e %H:%M:%S %Y").to_string();
    let started = NOW.as_nanos() as u64 - 1_300_000_000;
    let zoned = Zone { id: 6, original: true, reply: true };
    let kept = Flow { zone: zoned, helper: "ftp".into(), started: Some(started), ..tcp() };
    assert!(line(&kept).ends_with(" mark=0 zone=6 delta-time=1 helper=ftp use=1"), "{}", line(&kept));
    let output = Output { ktimestamp: true, id: true, ..Output::default() };
    let start = format!("[start={}]", day(1_795_711_206));
    let full = Line { flow: &kept, is_deleted: false, output, names: &Labels::default(), now: NOW }.to_string();
    assert!(full.ends_with(&format!(" mark=0 zone=6 delta-time=1 {start} helper=ftp use=1 id=152080205")), "{full}");
    let not_kept = Line { flow: &tcp(), is_deleted: false, output, names: &Labels::default(), now: NOW }.to_string();
    assert!(not_kept.ends_with(" mark=0 use=1 id=152080205"), "{not_kept}");

    let ended = |kind, ended| {
        let (flow, state_changed) = (kept.clone(), false);
        let (written, by_hand) = (false, kind == Kind::Destroy);
        let event = Event { kind, state_changed, mark_written: written, labels_written: written, by_hand, ended, flow };
        EventLine { event: &event, output, names: &Labels::default(), now: NOW }.to_string()
    };
    let last = ended(Kind::Destroy, Some(started + 2_000_000_000));
    let times = format!("{start} [stop={}]", day(1_795_711_208));
    assert!(last.ends_with(&format!("[ASSURED] zone=6 delta-time=2 {times} id=152080205 [USERSPACE]")), "{last}");
    assert!(ended(Kind::Update, None).ends_with("[ASSURED] zone=6 helper=ftp id=152080205"), "{}", ended(Kind::Update, None));
}

#[test]
fn statistics_are_a_line_for_each_worker() {
    let counts = proto::stats::Tracking {
        worker: 1,
        found: 2,
        invalid: 3,
        insert_failed: 4,
        drop: 5,
        early_drop: 6,
        error: 7,
        expect_new: 8,
        expect_create: 9,
        expect_delete: 10,
    };
    assert_eq!(
        super::print::tracking(&counts),
        "cpu=1   \tfound=2 invalid=3 insert=0 insert_failed=4 drop=5 early_drop=6 error=7 search_restart=0 clash_resolve=0 chaintoolong=0 \n"
    );
    assert_eq!(super::print::tracking_of_expected(&counts), "cpu=1   \texpect_new=8 expect_create=9 expect_delete=10 \n");
}

#[test]
fn kinds_of_events_are_named_by_their_beginnings() {
    for (line, new, updates, destroy) in [
        ("-E", true, true, true),
        ("-E -e new", true, false, false),
        ("-E -e NEW,DESTROY", true, false, true),
        ("-E -e UPDATE", false, true, false),
        ("-E -e ALL", true, true, true),
    ] {
        assert_eq!(parse(line).unwrap().kinds, Kinds { new, updates, destroy }, "{line}");
    }
}

fn labels() -> Labels {
    Labels::parse("0 zero\n3 three\n127 last\n200 over\n")
}

fn parse(line: &str) -> Result<Invocation, Error> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let names = NameFiles::parse("tcp 6\nudp 17\nicmp 1\ngre 47\nsctp 132\ndccp 33\n", "");
    options::parse(&words, &WithLabels { names: &names, labels: &labels() })
}

fn filter(line: &str) -> Filter {
    parse(line).unwrap_or_else(|error| panic!("{line}: {error:?}")).filter
}

#[test]
fn each_filter_takes_what_it_names_and_nothing_else() {
    let translated = Flow {
        reply: half("192.168.1.2", "203.0.113.1", L4::Ports(80, 37560), None),
        original: half("192.168.1.100", "203.0.113.9", L4::Ports(37560, 8080), None),
        mark: 0x12,
        zone: Zone { id: 5, original: true, reply: true },
        ..tcp()
    };
    for yes in [
        "-s 192.168.1.100",
        "-s 192.168.1.0/24",
        "-s 192.168.1.7 --mask-src 255.255.255.0",
        "-d 203.0.113.9",
        "-r 192.168.1.2 -q 203.0.113.1",
        "-p tcp --sport 37560 --dport 8080 --reply-port-src 80 --reply-port-dst 37560",
        "-p tcp --state TIME_WAIT",
        "-f ipv4",
        "-m 0x12",
        "-m 2/2",
        "-u ASSURED,SEEN_REPLY",
        "-w 5",
        "-n",
        "-n 203.0.113.1",
        "-g 192.168.1.2:80",
        "-j 192.168.1.2",
        "-s 0.0.0.0/0",
    ] {
        assert!(filter(&format!("-L {yes}")).takes(&translated), "{yes}");
    }
    for no in [
        "-s 192.168.1.101",
        "-s 192.168.2.0/24",
        "-d 203.0.113.1",
        "-r 203.0.113.9",
        "-p udp",
        "-p tcp --sport 1",
        "-p tcp --state ESTABLISHED",
        "-f ipv6",
        "-m 2",
        "-m 0x30/0x10",
        "-u EXPECTED",
        "-w 0",
        "--orig-zone 5",
        "-n 203.0.113.1:37560",
        "-g 192.168.1.2:81",
        "-n 192.168.1.2",
        "-g 203.0.113.1",
        "-j 10.0.0.1",
    ] {
        assert!(!filter(&format!("-L {no}")).takes(&translated), "{no}");
    }
    let not_translated = tcp();
    for none in ["-n", "-g", "-j"] {
        assert!(!filter(&format!("-L {none}")).takes(&not_translated), "{none}");
    }
    let ping = Flow { status: 0x18a, ..flow(1, 29, 10, translated.original, translated.original) };
    assert!(!filter("-L -p icmp --icmp-type 8").takes(&ping), "no ICMP fields");
    let datagrams = flow(33, 599, 8, half("10.0.0.1", "10.0.0.2", L4::None, None), half("10.0.0.2", "10.0.0.1", L4::None, None));
    assert!(filter("-L -p dccp").takes(&datagrams) && !filter("-L -p dccp --sport 0").takes(&datagrams), "no ports");
}

#[test]
fn what_makes_no_sense_or_is_not_built_is_refused_by_name() {
    for (line, message) in [
        ("-U expect", "Can't do --update on expectations"),
        ("-F dying", "Can't do that command with tables `dying' and `unconfirmed'"),
        ("-E unconfirmed", "Can't do that command with tables `dying' and `unconfirmed'"),
        ("-L expect -p tcp", "Illegal option `--protonum' with this command"),
        ("-C expect -f ipv6", "Illegal option `--family' with this command"),
        ("-F expect -f ipv6", "Illegal option `--family' with this command"),
        ("-G expect", "You need to supply the `--src' option for this command"),
        ("-D expect -s 1.2.3.4", "You need to supply the `--dst' option for this command"),
        ("-D expect -s 1.2.3.4 -d 1.2.3.5 -t 5", "You need to supply the `--protonum' option for this command"),
        ("-D expect -p 99 -s 1.2.3.0/24 -d 1.2.3.5", "Illegal option `--mask-src' with this command"),
        ("-G expect -p tcp -s 1.2.3.4 -d 1.2.3.5 --dport 5", "You need to supply the `--sport' option for this command"),
        ("-G expect -p 47 -s 1.2.3.4 -d 1.2.3.5 --srckey 5", "You need to supply the `--dstkey' option for this command"),
        ("-G expect -p icmp -s 1.2.3.4 -d 1.2.3.5 --icmp-id 5", "Illegal option `--icmp-id' with this command"),
        ("-G expect -p 99 -s 1.2.3.4 -d 1.2.3.5 -o id", "Illegal option `--output' with this command"),
        ("-E expect -e NEW", "Illegal option `--event-mask' with this command"),
        ("-E expect -f ipv4", "Illegal option `--family' with this command"),
        ("-S expect -o id", "Illegal option `--output' with this command"),
        ("-L -w x", "Invalid zone `x'"),
        ("-E -b x", "Invalid buffer size `x'"),
        ("-L -b 9", "Illegal option `--buffer-size' with this command"),
        ("-L -w 65536", "Invalid zone `65536'"),
        ("-L -m 0x100000000", "Invalid mark `0x100000000'"),
        ("-L -p udp --sport x", "Invalid port `x'"),
        ("-L -s 1.2.3.4/24 -m x/0 -p tcp --mask-port-src 5", "Illegal option `--mask-port-src' with this command"),
        ("-L --mask-src 255.0.0.0/8", "CIDR notation unavailable for `--mask-src'"),
        ("-L --zero=5", "unknown option `--zero=5'"),
        ("-Vx", "unknown option `-Vx'"),
        ("-L -p gre --srckey 0x10000", "Invalid key `0x10000'"),
        ("-L -p icmp --icmp-type 0x8", "Invalid ICMP type `0x8'"),
        ("-L -p dccp --state ESTABLISHED", "Unknown DCCP state `ESTABLISHED'"),
        ("-D -p sctp --orig-vtag 5", "Illegal option `--orig-vtag' with this command"),
        ("-p tcp", "Illegal option `--protonum' with this command"),
        ("-G -p tcp -s 1.2.3.4 -d 1.2.3.5 --sport 1 --reply-port-src 1", "you have to specify `--sport' and `--dport'"),
        ("-F -m x", "Illegal option `--mark' with this command"),
        ("-L -z -j", "Can't use -z with filtering parameters"),
        ("-L --mask-src 255.0.0.0", "Can't use --mask-src without --src"),
        ("-S -f ipv4", "Illegal option `--family' with this command"),
        ("-E -u ASSURED", "Illegal option `--status' with this command"),
        ("-E -i 5", "Illegal option `--id' with this command"),
        ("-E -z", "Illegal option `--zero' with this command"),
        ("-E -t 5", "Illegal option `--timeout' with this command"),
        ("-E --tuple-src 1.2.3.4", "Illegal option `--tuple-src' with this command"),
        ("-L -e NEW", "Illegal option `--event-mask' with this command"),
        ("-E -e NEW|DESTROY", "Bad parameter `NEW|DESTROY'"),
        ("-E -e FOO", "Bad parameter `FOO'"),
        ("-E -l x", "unknown label 'x'"),
        ("-L -l 3", "unknown label '3'"),
        ("-L -l three,", "unknown label ''"),
        ("-U --label-add three,,zero", "unknown label ''"),
        ("-L --label-add zero", "Illegal option `--label-add' with this command"),
        ("-D --label-del zero", "Illegal option `--label-del' with this command"),
        ("-F -l zero", "Illegal option `--label' with this command"),
        ("-S -l zero", "Illegal option `--label' with this command"),
        ("-L expect -l zero", "Illegal option `--label' with this command"),
        ("-L -l zero -z", "Can't use -z with filtering parameters"),
        ("-U --label-add", "option `--label-add' requires an argument"),
    ] {
        assert_eq!(parse(line), Err(Error::Usage(message.into())), "{line}");
    }
    for line in ["-L -o save,id", "-E -o xml -o save", "-L expect -o labels -o save"] {
        let message = "cannot combine save output with any other output type, use -o save only";
        assert_eq!(parse(line), Err(Error::Together(message.into())), "{line}");
    }
    for line in [
        "-L -u UNSET",
        "-G -p tcp -r 1.2.3.4 -q 1.2.3.5 --reply-port-src 1 --reply-port-dst 2",
        "-G -p tcp -s 1.2.3.4 -d 1.2.3.5 --sport 1 --dport 2 --reply-port-src 1 --reply-port-dst 2",
        "-G -p icmp -s 1.2.3.4 -d 1.2.3.5 --icmp-type 3 --icmp-code 0",
    ] {
        assert_eq!(parse(line), Err(Error::Refused("invalid parameters")), "{line}");
    }
    for line in ["-I", "-A", "-R f", "-E -c 5", "-D -t 5", "-L -c 5", "-L -u SRC_NAT", "-L -u S", "-D -u UNSET"] {
        assert!(matches!(parse(line), Err(Error::Unsupported(_))), "{line}: {:?}", parse(line));
    }
}

#[test]
fn labels_are_shown_by_their_names_to_who_asks_for_them() {
    let labelled = |labels| Flow { labels, ..tcp() };
    let ending = |flow: &Flow, names: &Labels| {
        let output = Output { id: true, labels: true, ..Output::default() };
        let line = Line { flow, is_deleted: false, output, names, now: NOW }.to_string();
        line.split_once("use=1").expect("every line has it").1.to_owned()
    };
    for (flow, shown) in [
        (labelled(0), ""),
        (labelled(1 << 3), " labels=three"),
        (labelled(1 << 127 | 1 | 1 << 5), " labels=zero,last"),
        // As the real command says it.
        (labelled(1 << 5), " labels"),
    ] {
        assert_eq!(ending(&flow, &labels()), format!(" id=152080205{shown}"));
    }
    assert_eq!(ending(&labelled(8), &Labels::default()), " id=152080205", "nothing has a name");
    assert!(line(&labelled(8)).ends_with("mark=0 use=1"), "nobody asked");
    let event = |kind, labels_written, by_hand| {
        let event =
            Event { kind, state_changed: false, mark_written: false, labels_written, by_hand, ended: None, flow: labelled(8) };
        let output = Output { labels: true, id: true, ..Output::default() };
        EventLine { event: &event, output, names: &labels(), now: NOW }.to_string()
    };
    assert!(event(Kind::New, true, false).ends_with("[ASSURED] id=152080205 labels=three"));
    assert!(event(Kind::Update, false, true).ends_with("[ASSURED] id=152080205 labels=three [USERSPACE]"));
    assert!(event(Kind::Update, false, false).ends_with("[ASSURED] id=152080205"));
    assert!(event(Kind::Destroy, true, true).ends_with("[ASSURED] id=152080205 [USERSPACE]"));
}

#[test]
fn a_connection_has_all_of_the_labels_that_are_asked_for() {
    let with = |labels| Flow { labels, ..tcp() };
    for (line, yes, no) in [
        ("-L -l three", vec![8, 9, u128::MAX], vec![0, 1, !8]),
        ("-L -l three,last", vec![8 | 1 << 127, u128::MAX], vec![8, 1 << 127, 0]),
        ("-D -l three -l zero", vec![9], vec![8, 1]),
        ("-G -l last -p 99 -s 127.0.0.1 -d 127.0.0.1", vec![], vec![1 << 127]),
        ("-E -l over", vec![], vec![0, u128::MAX]),
    ] {
        let filter = filter(line);
        assert!(yes.iter().all(|labels| filter.takes(&with(*labels))), "{line}");
        assert!(!no.iter().any(|labels| filter.takes(&with(*labels))), "{line}");
    }
    let untold = |kind, labels_written, by_hand| {
        super::labels::told(&Event {
            kind,
            state_changed: true,
            mark_written: true,
            labels_written,
            by_hand,
            ended: None,
            flow: with(8),
        })
    };
    assert_eq!([untold(Kind::Update, false, false), untold(Kind::Destroy, true, true)], [0, 0]);
    assert_eq!([untold(Kind::New, true, false), untold(Kind::Update, false, true)], [8, 8]);
    assert!(parse("-L -l zero").unwrap().output.labels && !parse("-L").unwrap().output.labels);
}

#[test]
fn an_update_is_for_those_in_whom_it_changes_something() {
    let flow = |mark, labels| Flow { mark, labels, ..tcp() };
    for (line, altered, not) in [
        ("-U -m 5", vec![flow(4, 0)], vec![flow(5, 0), flow(5, 8)]),
        ("-U -m 5/0xf", vec![flow(0x14, 0)], vec![flow(0x15, 8)]),
        ("-U --label-add three", vec![flow(0, 0), flow(0, 8)], vec![]),
        ("-U --label-del three", vec![flow(0, 8), flow(0, 1)], vec![flow(0, 0)]),
        ("-U -m 5 --label-del", vec![flow(5, 1), flow(4, 0)], vec![flow(5, 0)]),
        ("-U", vec![], vec![flow(5, 8)]),
        ("-U -t 5", vec![flow(0, 0)], vec![]),
        ("-U -t 119", vec![], vec![flow(0, 0)]),
        ("-U -u ASSURED,UNSET", vec![], vec![flow(0, 0)]),
        ("-U -u EXPECTED", vec![flow(0, 0)], vec![]),
        ("-U -u OFFLOAD -t 119", vec![flow(0, 0)], vec![]),
    ] {
        let update = parse(line).unwrap().update;
        assert!(altered.iter().all(|flow| update.alters(flow)) && !not.iter().any(|flow| update.alters(flow)), "{line}");
    }
    let change = |line| parse(line).unwrap().update.change();
    assert_eq!(change("-U --label-add last,zero -m 3/1"), Change { clear: 1, flip: 3, put_on: [1, 1 << 63], ..Change::default() });
    assert_eq!(change("-U --label-del"), Change { take_off: [u64::MAX; 2], ..Change::default() });
    assert_eq!(change("-U --label-del over,three"), Change { take_off: [8, 0], ..Change::default() });
    assert_eq!(change("-U -t 5 -u ASSURED,FIXED_TIMEOUT"), Change { timeout: Some(5), status: 0x404, ..Change::default() });
    assert!(parse("-U --label-add over").unwrap().update.is_impossible());
    let fails = |line: &str, status| {
        let was = Flow { status, ..tcp() };
        parse(line).unwrap().update.failure(&was, &Flow { labels: 1, ..was.clone() }).map(|reason| &reason[..5])
    };
    for (line, status, reason) in [
        ("-U -t 5 -u EXPECTED", 0x40f, Some("sorry")),
        ("-U -m 5 -u ASSURED", 0x40f, None),
        ("-U -u EXPECTED", 0x0e, Some("Devic")),
        ("-U -u EXPECTED -t 5 --label-add zero", 0x0f, None),
        ("-U --label-add three", 0x0f, Some("No sp")),
    ] {
        assert_eq!(fails(line, status), reason, "{line}");
    }
    let both = "cannot use --label-add and --label-del at the same time";
    for line in ["-U --label-add zero --label-del three", "-U --label-del --label-add three"] {
        let error = parse(line).unwrap_err();
        assert_eq!(error, Error::Together(both.into()), "{line}");
        assert_eq!((error.reply().exit, error.reply().stderr), (1, format!("conntrack v1.4.7 (conntrack-tools): {both}\n")));
    }
}

#[test]
fn words_that_are_no_options_say_nothing_and_names_have_more_spellings_than_one() {
    for (line, same) in [
        ("-L conntrack more", "-L"),
        ("-L - -- -F", "-L"),
        ("-Lexpect -o id", "-L -o id"),
        ("--dump=conntrack expect", "-L"),
        ("-L dying --mask-src 255.0.0.0 -z -p tcp", "-L unconfirmed -{ 255.0.0.0 -z -p 0x6"),
        ("-L -s 1.2.3 -p 021", "-L -s 1.2.0.3 -p udp"),
        ("-L -p gre --orig-key-src 0x10 --orig-key-dst 020", "-L -p gre --srckey 16 --dstkey 16"),
        ("-L -p tcp --sport 010 -m 010", "-L -p tcp --orig-port-src 10 -m 8"),
        ("-L -u exp -u ASSURED", "-L -u ASSURED,EXPECTED"),
        ("-E -l zero -o labels", "-E -l zero"),
    ] {
        assert_eq!(parse(line).unwrap_or_else(|error| panic!("{line}: {error:?}")), parse(same).unwrap(), "{line}");
    }
    assert_eq!(parse("-h -p tcp --sport x").unwrap().command, Command::Help);
}

#[test]
fn who_may_only_read_may_change_nothing() {
    for (line, changes) in [
        ("-L", false),
        ("-G -p 99 -s 1.1.1.1 -d 1.1.1.2", false),
        ("-C", false),
        ("-E", false),
        ("-S", false),
        ("-L -z", true),
        ("-D", true),
        ("-F", true),
        ("-U -m 1", true),
        ("-U --label-del", true),
    ] {
        assert_eq!(parse(line).unwrap().changes(), changes, "{line}");
    }
    assert_eq!(parse("").unwrap().command, Command::Help);
}

#[test]
fn expectations_are_printed_as_the_real_command_prints_the_kernels() {
    let ip = |text: &str| text.parse().unwrap();
    let sip = Expectation {
        name: Name(0, 1),
        zone: 0,
        protocol: 17,
        timeout: 179,
        src: Some(ip("203.0.113.10")),
        sport: None,
        dst: ip("192.168.1.100"),
        dport: 5060,
        master: Master { src: ip("192.168.1.100"), dst: ip("203.0.113.10"), sport: 5060, dport: 5060 },
        class: 0,
        helper: "sip".into(),
        permanent: true,
        inactive: true,
    };
    let ftp = Expectation {
        protocol: 6,
        src: Some(ip("fd00:2::10")),
        dst: ip("fd00:1::100"),
        dport: 5282,
        master: Master { src: ip("fd00:1::100"), dst: ip("fd00:2::10"), sport: 6021, dport: 21 },
        helper: "ftp".into(),
        permanent: false,
        inactive: false,
        ..sip.clone()
    };
    for (expectation, line) in [
        (
            &sip,
            "179 proto=17 src=203.0.113.10 dst=192.168.1.100 sport=0 dport=5060 mask-src=255.255.255.255 mask-dst=255.255.255.255 \
             sport=0 dport=65535 master-src=192.168.1.100 master-dst=203.0.113.10 sport=5060 dport=5060 PERMANENT,INACTIVE class=0 \
             helper=sip",
        ),
        (
            &ftp,
            "179 proto=6 src=fd00:2::10 dst=fd00:1::100 sport=0 dport=5282 mask-src=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
             mask-dst=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff sport=0 dport=65535 master-src=fd00:1::100 master-dst=fd00:2::10 \
             sport=6021 dport=21 class=0 helper=ftp",
        ),
    ] {
        let show = |event, output| super::expect::Line { expectation, event, output, now: NOW }.to_string();
        assert_eq!(show(None, Output::default()), line);
        assert_eq!(show(Some(Kind::New), Output::default()), format!("    [NEW] {line}"));
        let stamped = Output { timestamp: true, id: true, ..Output::default() };
        assert_eq!(show(Some(Kind::Destroy), stamped), format!("[1795711207.342484]\t[DESTROY] {line}"));
        let early = super::expect::Line { expectation, event: None, output: stamped, now: Duration::from_micros(5_000_012) };
        assert_eq!(early.to_string(), format!("[5.12    ]\t{line}"));
    }
}
