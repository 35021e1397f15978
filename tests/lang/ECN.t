:PREROUTING,FORWARD
*mangle
-p tcp -j ECN --ecn-tcp-remove;=;OK
-p tcp -j ECN --ecn-tcp-cwr 0;=;OK
-p tcp -j ECN --ecn-tcp-cwr 1;=;OK
-p tcp -j ECN --ecn-tcp-cwr 2;2;FAIL
-p tcp -j ECN --ecn-tcp-ece 0;=;OK
-p tcp -j ECN --ecn-tcp-ece 1;=;OK
-p tcp -j ECN --ecn-tcp-ece 2;2;FAIL
-p tcp -j ECN --ecn-ip-ect 0;=;OK
-p tcp -j ECN --ecn-ip-ect 1;=;OK
-p tcp -j ECN --ecn-ip-ect 2;=;OK
-p tcp -j ECN --ecn-ip-ect 3;=;OK
-p tcp -j ECN --ecn-ip-ect 4;2;FAIL
-j ECN --ecn-ip-ect 1;=;OK
-p udp -j ECN --ecn-ip-ect 1;=;OK
-p tcp -j ECN --ecn-tcp-cwr 0 --ecn-tcp-ece 0;-p tcp -j ECN --ecn-tcp-remove;OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-ece 0;-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 1;OK
-p tcp -j ECN --ecn-tcp-ece 1 --ecn-tcp-cwr 0;=;OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-ece 1;-p tcp -j ECN --ecn-tcp-ece 1 --ecn-tcp-cwr 1;OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-ip-ect 2;=;OK
-p tcp -j ECN --ecn-ip-ect 2 --ecn-tcp-cwr 1 --ecn-tcp-ece 0;-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 1 --ecn-ip-ect 2;OK
-p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 1;-p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 0 --ecn-ip-ect 1;OK
-p tcp -j ECN --ecn-ip-ect 1 --ecn-tcp-remove;-p tcp -j ECN --ecn-tcp-remove;OK
-p tcp -j ECN --ecn-tcp-remove --ecn-tcp-cwr 1;2;FAIL
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-remove;2;FAIL
-p tcp -j ECN --ecn-tcp-remove --ecn-tcp-ece 1;2;FAIL
-p tcp -j ECN;2;FAIL
-p tcp -j ECN ! --ecn-tcp-remove;2;FAIL
-p tcp -j ECN ! --ecn-tcp-cwr 1;2;FAIL
-p tcp -j ECN --ecn-tcp-remove --ecn-tcp-remove;2;FAIL
-p tcp -j ECN --ecn-tcp-cwr;2;FAIL
-p tcp -j ECN --ecn-tcp-cwr x;2;FAIL
-j ECN --ecn-tcp-remove;1;FAIL
! -p tcp -j ECN --ecn-tcp-remove;1;FAIL
-p udp -j ECN --ecn-tcp-remove;1;FAIL
-p udp -j ECN --ecn-tcp-cwr 1;1;FAIL
-j ECN --ecn-ip-ect 1 --ecn-tcp-ece 1;1;FAIL
:FORWARD
*filter
-p tcp -j ECN --ecn-tcp-remove;1;FAIL
:PREROUTING
*raw
-p tcp -j ECN --ecn-tcp-remove;1;FAIL
%ip6tables
*mangle
-p tcp -j ECN --ecn-tcp-remove;2;FAIL
