:INPUT,FORWARD
*filter
-m devgroup --src-group 0x1;=;OK
-m devgroup ! --src-group 0x1/0xff -j DROP;=;OK
:FORWARD
-m devgroup --src-group 2 --dst-group 1;-m devgroup --src-group 0x2 --dst-group 0x1;OK
-m devgroup ! --dst-group 1 ! --src-group 0x2/0x3;-m devgroup ! --src-group 0x2/0x3 ! --dst-group 0x1;OK
-m devgroup --dst-group 0x5 -j LOG;=;OK
# A name stands for its number; under a mask numbers have no name.
-m devgroup --src-group default;=;OK
-m devgroup ! --dst-group 0;-m devgroup ! --dst-group default;OK
-m devgroup --src-group 0/0xffffffff;-m devgroup --src-group default;OK
-m devgroup --src-group 0/0;-m devgroup --src-group 0x0/0x0;OK
-m devgroup --src-group 0/1;-m devgroup --src-group 0x0/0x1;OK
-m devgroup --src-group 1/2;-m devgroup --src-group 0x1/0x2;OK
-m devgroup --src-group 010/4294967295;-m devgroup --src-group 0x8;OK
-m devgroup --src-group x;2;FAIL
-m devgroup --src-group defaul;2;FAIL
-m devgroup --src-group default/5;2;FAIL
-m devgroup --src-group "";2;FAIL
-m devgroup --src-group 5x;2;FAIL
-m devgroup --src-group 4294967296;2;FAIL
-m devgroup --src-group 1/;2;FAIL
-m devgroup --src-group 5/x;2;FAIL
-m devgroup;2;FAIL
-m devgroup --src-group;2;FAIL
-m devgroup --src-group 1 --src-group 1;2;FAIL
# Where packets have the interface.
:INPUT
-m devgroup --dst-group 1;1;FAIL
-m devgroup --dst-group 1 --src-group 1;1;FAIL
:OUTPUT
-m devgroup --src-group 1;1;FAIL
-m devgroup --dst-group 0x1;=;OK
*nat
:PREROUTING
-m devgroup --src-group 0x1;=;OK
-m devgroup --dst-group 1;1;FAIL
:POSTROUTING
-m devgroup --src-group 1;1;FAIL
-m devgroup --dst-group 0x1 -j MASQUERADE;=;OK
%ip6tables
*filter
:INPUT
-m devgroup --src-group 1;-m devgroup --src-group 0x1;OK
-m devgroup --dst-group 1;1;FAIL
