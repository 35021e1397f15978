:INPUT
*filter
-m socket;=;OK
-m socket --nowildcard;=;OK
-m socket --transparent;=;OK
-m socket --restore-skmark;=;OK
-m socket --restore-skmark --transparent --nowildcard;-m socket --transparent --nowildcard --restore-skmark;OK
-m socket ! --transparent;2;FAIL
-m socket --transparent --transparent;2;FAIL
:PREROUTING
*mangle
-m socket --transparent -j MARK --set-mark 1;-m socket --transparent -j MARK --set-xmark 0x1/0xffffffff;OK
*raw
-m socket;=;OK
*nat
-m socket;=;OK
:INPUT
-m socket;=;OK
:FORWARD
*mangle
-m socket;1;FAIL
:OUTPUT
-m socket;1;FAIL
:POSTROUTING
-m socket;1;FAIL
%ip6tables
:PREROUTING
-m socket --nowildcard;=;OK
:FORWARD
-m socket;1;FAIL
