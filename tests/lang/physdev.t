:FORWARD,INPUT
*filter
-m physdev --physdev-in br0;=;OK
-m physdev --physdev-in br+;=;OK
-m physdev --physdev-in +;=;OK
-m physdev ! --physdev-in eth0;=;OK
-m physdev --physdev-out eth0;=;OK
-m physdev ! --physdev-out eth+;=;OK
-m physdev --physdev-is-in;=;OK
-m physdev ! --physdev-is-in;=;OK
-m physdev --physdev-is-out;=;OK
-m physdev ! --physdev-is-out;=;OK
-m physdev --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged;=;OK
-m physdev --physdev-is-in --physdev-is-out;=;OK
-m physdev --physdev-is-in --physdev-is-bridged;=;OK
-m physdev --physdev-is-bridged --physdev-is-out --physdev-in eth0 --physdev-out eth1;-m physdev --physdev-in eth0 --physdev-is-out --physdev-out eth1 --physdev-is-bridged;OK
-m physdev;2;FAIL
-m physdev --physdev-in aaaaaaaaaabbbbb;=;OK
-m physdev --physdev-in aaaaaaaaaabbbbbb;2;FAIL
-m physdev --physdev-in a/b;=;OK
-m physdev --physdev-in eth0 --physdev-in eth1;2;FAIL
-m physdev --physdev-is-in --physdev-is-in;2;FAIL
-m physdev ! --physdev-in +;=;OK
-m physdev --physdev-out +;=;OK
-m physdev --physdev-in eth0 ! --physdev-is-in;-m physdev ! --physdev-is-in --physdev-in eth0;OK
-m physdev --physdev-in lo --physdev-is-in;-m physdev --physdev-is-in --physdev-in lo;OK
:PREROUTING
*mangle
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;=;OK
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;=;OK
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;-m physdev --physdev-out a ! --physdev-is-bridged;OK
:PREROUTING
*raw
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;=;OK
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;=;OK
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;-m physdev --physdev-out a ! --physdev-is-bridged;OK
:OUTPUT
*filter
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;1;FAIL
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;1;FAIL
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;1;FAIL
:POSTROUTING
*nat
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;=;OK
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;=;OK
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;-m physdev --physdev-out a ! --physdev-is-bridged;OK
:POSTROUTING
*mangle
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;=;OK
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;=;OK
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;-m physdev --physdev-out a ! --physdev-is-bridged;OK
:PREROUTING
*nat
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;=;OK
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;=;OK
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;-m physdev --physdev-out a ! --physdev-is-bridged;OK
%ip6tables
:OUTPUT
*filter
-m physdev --physdev-in a;=;OK
-m physdev --physdev-out a;1;FAIL
-m physdev --physdev-is-in;=;OK
-m physdev --physdev-is-out;1;FAIL
-m physdev --physdev-is-bridged;=;OK
-m physdev --physdev-out a --physdev-is-bridged;=;OK
-m physdev --physdev-is-out --physdev-is-bridged;=;OK
-m physdev ! --physdev-is-bridged --physdev-out a;1;FAIL
