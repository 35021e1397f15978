:INPUT,FORWARD
*filter
-p tcp -j SYNPROXY;=;OK
-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460;=;OK
-p tcp -j SYNPROXY --ecn --mss 1460 --wscale 7 --timestamp --sack-perm;-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 --ecn;OK
-p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp;=;OK
-p tcp -j SYNPROXY --wscale 0 --mss 0;=;OK
-p tcp -j SYNPROXY --wscale 255 --mss 65535;=;OK
-p tcp -j SYNPROXY --mss 0x5b4;-p tcp -j SYNPROXY --mss 1460;OK
-j SYNPROXY;1;FAIL
! -p tcp -j SYNPROXY;1;FAIL
-p udp -j SYNPROXY;1;FAIL
-p tcp -j SYNPROXY --mss;2;FAIL
-p tcp -j SYNPROXY --mss foo;2;FAIL
-p tcp -j SYNPROXY --mss 1 --mss 2;2;FAIL
-p tcp -j SYNPROXY --ecn --ecn;2;FAIL
-p tcp -j SYNPROXY ! --ecn;2;FAIL
:OUTPUT
-p tcp -j SYNPROXY;1;FAIL
:INPUT,FORWARD
*mangle
-p tcp -j SYNPROXY --mss 1460;=;OK
:PREROUTING,POSTROUTING
-p tcp -j SYNPROXY;1;FAIL
:PREROUTING
*raw
-p tcp -j SYNPROXY;1;FAIL
