:FORWARD,INPUT,OUTPUT
*filter
-m realm --realm 1;-m realm --realm 0x1;OK
-m realm --realm 0x10;=;OK
-m realm --realm 1/0xff;-m realm --realm 0x1/0xff;OK
-m realm ! --realm 5;-m realm ! --realm 0x5;OK
-m realm --realm cosmos;=;OK
-m realm --realm nosuch;2;FAIL
-m realm --realm 4294967295;-m realm --realm 0xffffffff;OK
-m realm --realm 4294967296;2;FAIL
-m realm --realm 1/x;2;FAIL
-m realm --realm 1/;2;FAIL
-m realm --realm x/1;2;FAIL
-m realm --realm cosmos/1;2;FAIL
-m realm --realm "";2;FAIL
-m realm;2;FAIL
-m realm --realm 1 --realm 2;2;FAIL
-m realm --realm 0;-m realm --realm cosmos;OK
-m realm --realm 0/0;-m realm --realm 0x0/0x0;OK
-m realm --realm 1/0xffffffff;-m realm --realm 0x1;OK
-m realm --realm 5x;2;FAIL
-m realm --realm -1;2;FAIL
-m realm --realm 0/0xff;-m realm --realm 0x0/0xff;OK
:POSTROUTING
*nat
-m realm --realm 1;-m realm --realm 0x1;OK
:PREROUTING
*mangle
-m realm --realm 1;1;FAIL
*raw
-m realm --realm 1;1;FAIL
%ip6tables
:INPUT
*filter
-m realm --realm 1;2;FAIL
