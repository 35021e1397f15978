:INPUT
*filter
-j REJECT;-j REJECT --reject-with icmp-port-unreachable;OK
-j REJECT --reject-with icmp-net-unreachable;=;OK
-j REJECT --reject-with net-unreach;-j REJECT --reject-with icmp-net-unreachable;OK
-j REJECT --reject-with icmp-host-unr;-j REJECT --reject-with icmp-host-unreachable;OK
-j REJECT --reject-with admin-prohib;-j REJECT --reject-with icmp-admin-prohibited;OK
-j REJECT --reject-with icmp-admin-prohibited;=;OK
-j REJECT --reject-with tcp-reset;1;FAIL
-p tcp -j REJECT --reject-with tcp-reset;=;OK
-p tcp -j REJECT --reject-with tcp-rst;-p tcp -j REJECT --reject-with tcp-reset;OK
-j REJECT --reject-with foo;2;FAIL
-j REJECT --reject-with icmp;-j REJECT --reject-with icmp-net-unreachable;OK
-j REJECT --reject-with;2;FAIL
-j REJECT ! --reject-with icmp-net-unreachable;2;FAIL
:PREROUTING
*nat
-j REJECT;1;FAIL
:INPUT
*mangle
-j REJECT;1;FAIL
*filter
-j REJECT --reject-with icmp-net-unreachable --reject-with icmp-net-unreachable;2;FAIL
-j REJECT --reject-with "";-j REJECT --reject-with icmp-net-unreachable;OK
:PREROUTING
*raw
-j REJECT;1;FAIL
:FORWARD
*security
-j REJECT;1;FAIL
