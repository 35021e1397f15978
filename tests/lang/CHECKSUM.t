:PREROUTING,FORWARD
*mangle
-j CHECKSUM;2;FAIL
-j CHECKSUM --checksum-fill;=;OK
-p udp --dport 68 -j CHECKSUM --checksum-fill;-p udp -m udp --dport 68 -j CHECKSUM --checksum-fill;OK
-p tcp -j CHECKSUM --checksum-fill;=;OK
-j CHECKSUM ! --checksum-fill;2;FAIL
-j CHECKSUM --checksum-fill --checksum-fill;2;FAIL
-j CHECKSUM --checksum-fill 1;2;FAIL
:FORWARD
*filter
-j CHECKSUM --checksum-fill;1;FAIL
:PREROUTING
*raw
-j CHECKSUM --checksum-fill;1;FAIL
*nat
-j CHECKSUM --checksum-fill;1;FAIL
%ip6tables
*mangle
-j CHECKSUM --checksum-fill;=;OK
