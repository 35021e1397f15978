:INPUT
*filter
-m eui64;2;FAIL
%ip6tables
:INPUT,FORWARD
-m eui64;=;OK
-m eui64 -j LOG;=;OK
:INPUT
-m eui64 --foo;2;FAIL
! -m eui64;2;FAIL
:OUTPUT
-m eui64;1;FAIL
*mangle
:PREROUTING
-m eui64 -j MARK --set-mark 1;-m eui64 -j MARK --set-xmark 0x1/0xffffffff;OK
:POSTROUTING
-m eui64;1;FAIL
