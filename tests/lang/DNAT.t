:PREROUTING
*nat
-j DNAT --to-destination 1.2.3.4;=;OK
-j DNAT --to-destination 1.2.3.4-1.2.3.9;=;OK
-j DNAT --to-destination 1.2.3.9-1.2.3.4;=;OK
-j DNAT --to-destination 1.2.3.4-1.2.3.4;-j DNAT --to-destination 1.2.3.4;OK
-j DNAT --to-destination 1.2.3.4:80;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80;=;OK
-p tcp -j DNAT --to-destination 1.2.3.4:80-90;=;OK
-p tcp -j DNAT --to-destination 1.2.3.4:90-80;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80-90/1000;=;OK
-p tcp -j DNAT --to-destination :80;=;OK
-p tcp -j DNAT --to-destination 1.2.3.4:http;-p tcp -j DNAT --to-destination 1.2.3.4:80;OK
-p tcp -j DNAT --to-destination 1.2.3.4:0;=;OK
-p tcp -j DNAT --to-destination 1.2.3.4:70000;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:foo;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80-foo;2;FAIL
-p tcp -j DNAT --to-destination foo;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4.5;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4-foo;2;FAIL
-p tcp -j DNAT --to-destination "";2;FAIL
-p tcp -j DNAT;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4 --to-destination 1.2.3.5;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4 --random --persistent;=;OK
-p icmp -j DNAT --to-destination 1.2.3.4:80;=;OK
-p sctp -j DNAT --to-destination 1.2.3.4:80;=;OK
-p udplite -j DNAT --to-destination 1.2.3.4:80;2;FAIL
-p ipv6-icmp -j DNAT --to-destination 1.2.3.4:80;2;FAIL
-j DNAT --to 1.2.3.4;-j DNAT --to-destination 1.2.3.4;OK
! -p tcp -j DNAT --to-destination 1.2.3.4:80;=;OK
:POSTROUTING
-j DNAT --to-destination 1.2.3.4;1;FAIL
:INPUT
*filter
-j DNAT --to-destination 1.2.3.4;1;FAIL
:OUTPUT
*nat
-j DNAT --to-destination 1.2.3.4;=;OK
:INPUT
-j DNAT --to-destination 1.2.3.4;1;FAIL
:PREROUTING
-p tcp -j DNAT --to-destination 1.2.3.4:80/90;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80-90/x;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80-90/0;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80-80;-p tcp -j DNAT --to-destination 1.2.3.4:80;OK
-p tcp -j DNAT --to-destination 1.2.3.4:80:90;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:;2;FAIL
-p tcp -j DNAT --to-destination :;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4-;2;FAIL
-p tcp -j DNAT --to-destination -1.2.3.4;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3.4:80 --random;=;OK
-p tcp -j DNAT --to-destination 1.2.3.4 --random-fully;2;FAIL
-p tcp -j DNAT ! --to-destination 1.2.3.4;2;FAIL
-p tcp -j DNAT --to-destination 1.2.3;2;FAIL
