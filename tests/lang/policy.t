:INPUT
*filter
-m policy --dir in --pol none;=;OK
-m policy --dir in --pol ipsec;=;OK
-m policy --dir out --pol ipsec;1;FAIL
-m policy --dir in;-m policy --dir in --pol ipsec;OK
-m policy --pol ipsec;2;FAIL
-m policy;2;FAIL
-m policy --dir x --pol none;2;FAIL
-m policy --dir in --pol x;2;FAIL
-m policy --dir in --pol none --strict;2;FAIL
-m policy --dir in --pol ipsec --strict;2;FAIL
-m policy --dir in --pol none --reqid 1;-m policy --dir in --pol none;OK
-m policy --dir in --pol ipsec --reqid 1;=;OK
-m policy --dir in --pol ipsec ! --reqid 1;=;OK
-m policy --dir in --pol ipsec --reqid 4294967295;=;OK
-m policy --dir in --pol ipsec --reqid 4294967296;2;FAIL
-m policy --dir in --pol ipsec --reqid x;2;FAIL
-m policy --dir in --pol ipsec --spi 0x10;=;OK
-m policy --dir in --pol ipsec ! --spi 16;-m policy --dir in --pol ipsec ! --spi 0x10;OK
-m policy --dir in --pol ipsec --spi 4294967295;-m policy --dir in --pol ipsec --spi 0xffffffff;OK
-m policy --dir in --pol ipsec --proto esp;=;OK
-m policy --dir in --pol ipsec ! --proto ah;=;OK
-m policy --dir in --pol ipsec --proto ipcomp;=;OK
-m policy --dir in --pol ipsec --proto tcp;2;FAIL
-m policy --dir in --pol ipsec --proto 50;-m policy --dir in --pol ipsec --proto esp;OK
-m policy --dir in --pol ipsec --proto ipv6-route;2;FAIL
-m policy --dir in --pol ipsec --proto x;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel;=;OK
-m policy --dir in --pol ipsec --mode transport;=;OK
-m policy --dir in --pol ipsec ! --mode transport;=;OK
-m policy --dir in --pol ipsec --mode x;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4;=;OK
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.0/24 --tunnel-dst 5.6.7.8;-m policy --dir in --pol ipsec --mode tunnel --tunnel-dst 5.6.7.8 --tunnel-src 1.2.3.0/24;OK
-m policy --dir in --pol ipsec --mode tunnel ! --tunnel-src 1.2.3.4/24;=;OK
-m policy --dir in --pol ipsec --tunnel-src 1.2.3.4;2;FAIL
-m policy --dir in --pol ipsec --mode transport --tunnel-src 1.2.3.4;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4/255.0.255.0;-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4;OK
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src ::1;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4/0;=;OK
-m policy --dir in --pol ipsec --strict --reqid 1 --next --reqid 2;=;OK
-m policy --dir in --pol ipsec --strict --reqid 1 --next --spi 2 --next --proto esp --next --mode tunnel;-m policy --dir in --pol ipsec --strict --reqid 1 --next --spi 0x2 --next --proto esp --next --mode tunnel;OK
-m policy --dir in --pol ipsec --strict --reqid 1 --next --spi 2 --next --proto esp --next --mode tunnel --next --reqid 5;2;FAIL
-m policy --dir in --pol ipsec --reqid 1 --next --reqid 2;2;FAIL
-m policy --dir in --pol ipsec --strict --next;2;FAIL
-m policy --dir in --pol ipsec --strict --next --reqid 5;2;FAIL
-m policy --dir in --pol ipsec --strict --reqid 1 --next;2;FAIL
-m policy --dir in --pol ipsec --reqid 1 --reqid 2;2;FAIL
-m policy --dir in --dir out --pol ipsec;2;FAIL
-m policy --dir in --pol ipsec --pol ipsec;2;FAIL
-m policy --dir in --pol ipsec --strict --strict --reqid 1;2;FAIL
-m policy --dir in --pol ipsec ! --strict;2;FAIL
-m policy ! --dir in --pol ipsec;2;FAIL
-m policy --dir in --pol ipsec ! --next;2;FAIL
-m policy --dir in --pol ipsec --strict --reqid 1 --spi 0x2 --proto esp --mode tunnel --tunnel-dst 10.0.0.1 --tunnel-src 10.0.0.2 --next ! --reqid 2 ! --proto ah ! --mode transport;=;OK
-m policy --dir IN --pol ipsec;2;FAIL
-m policy --dir in --pol ipsec --mode TUNNEL;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src localhost;-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 127.0.0.1;OK
-m policy --dir in --pol ipsec --strict --reqid 1 --next --reqid 1 --reqid 2;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3;-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.0.3;OK
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4,5.6.7.8;2;FAIL
-m policy --dir in --pol none --mode tunnel --tunnel-src 1.2.3.4;-m policy --dir in --pol none;OK
-m policy --dir in --pol none --next;2;FAIL
-m policy --next --dir in --pol none;2;FAIL
-m policy --dir in --pol ipsec --tunnel-src 1.2.3.4 --mode tunnel;-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4;OK
-m policy --dir in --pol ipsec ! --mode tunnel --tunnel-src 1.2.3.4;2;FAIL
-m policy --dir in --pol ipsec ! --mode transport --tunnel-src 1.2.3.4;=;OK
-m policy --dir in --pol none --tunnel-src 1.2.3.4;-m policy --dir in --pol none;OK
-m policy --dir in --pol none --strict --next;2;FAIL
-m policy --pol none --strict;2;FAIL
-m policy --dir in --pol ipsec --strict --mode transport --next --tunnel-src 1.2.3.4;2;FAIL
-m policy --dir in --pol ipsec --strict --next --tunnel-src 1.2.3.4;2;FAIL
-m policy --dir in --pol ipsec --spi x;2;FAIL
-m policy --dir in --pol ipsec --proto esp --proto ah;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --mode tunnel;2;FAIL
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.1.1.1 --tunnel-src 1.1.1.1;2;FAIL
-m policy --dir in --pol ipsec --spi 1 --spi 2;2;FAIL
-m policy --dir in --pol ipsec --proto 0;2;FAIL
-m policy --dir in --pol ipsec --next --next --next --next;2;FAIL
-m policy --dir in --pol ipsec --proto ESP;2;FAIL
-m policy --dir in --pol ipsec --tunnel-dst 1.1.1.1/24 --mode tunnel;-m policy --dir in --pol ipsec --mode tunnel --tunnel-dst 1.1.1.1/24;OK
:PREROUTING
*mangle
-m policy --dir in --pol none;=;OK
-m policy --dir out --pol none;1;FAIL
:OUTPUT
*filter
-m policy --dir in --pol none;1;FAIL
-m policy --dir out --pol none;=;OK
:POSTROUTING
*nat
-m policy --dir in --pol none;1;FAIL
-m policy --dir out --pol none;=;OK
:FORWARD
*filter
-m policy --dir in --pol none;=;OK
-m policy --dir out --pol none;=;OK
%ip6tables
:INPUT
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src ::1;=;OK
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src fe80::/10 --tunnel-dst ffff:0:1::1/ffff:0:ffff::;-m policy --dir in --pol ipsec --mode tunnel --tunnel-dst ffff:0:1::1 --tunnel-src fe80::/10;OK
-m policy --dir in --pol ipsec --mode tunnel --tunnel-src 1.2.3.4;2;FAIL
