:INPUT,FORWARD,OUTPUT
*filter
-m ecn --ecn-ip-ect 1;=;OK
-p tcp -m ecn ! --ecn-tcp-ece -j DROP;=;OK
:INPUT
-m ecn --ecn-ip-ect 0;=;OK
-m ecn --ecn-ip-ect 0x3;-m ecn --ecn-ip-ect 3;OK
-m ecn ! --ecn-ip-ect 2;=;OK
-p tcp -m ecn --ecn-tcp-ece;=;OK
-p tcp -m ecn --ecn-tcp-cwr;=;OK
-p tcp -m ecn --ecn-ip-ect 1 --ecn-tcp-cwr --ecn-tcp-ece;-p tcp -m ecn --ecn-tcp-ece --ecn-tcp-cwr --ecn-ip-ect 1;OK
-p tcp -m ecn ! --ecn-tcp-cwr ! --ecn-tcp-ece ! --ecn-ip-ect 1;-p tcp -m ecn ! --ecn-tcp-ece ! --ecn-tcp-cwr ! --ecn-ip-ect 1;OK
-m ecn --ecn-ip-ect 4;2;FAIL
-m ecn --ecn-ip-ect -1;2;FAIL
-m ecn --ecn-ip-ect x;2;FAIL
-m ecn --ecn-ip-ect;2;FAIL
-m ecn;2;FAIL
-m ecn --ecn-ip-ect 1 --ecn-ip-ect 1;2;FAIL
-p tcp -m ecn --ecn-tcp-cwr --ecn-tcp-cwr;2;FAIL
# The flags are TCP's.
-m ecn --ecn-tcp-cwr;1;FAIL
! -p tcp -m ecn --ecn-tcp-cwr;1;FAIL
-p udp -m ecn --ecn-tcp-ece;1;FAIL
%ip6tables
-m ecn --ecn-ip-ect 1;=;OK
-p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr;=;OK
-p udp -m ecn ! --ecn-tcp-ece;1;FAIL
