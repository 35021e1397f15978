:INPUT,FORWARD,OUTPUT
*filter
-m length --length 20;=;OK
-m length --length 20:65535 -j DROP;=;OK
:INPUT
-m length ! --length 0:65535;=;OK
-m length --length 20:;-m length --length 20:65535;OK
-m length --length :20;-m length --length 0:20;OK
-m length --length :;-m length --length 0:65535;OK
-m length --length 5:5;-m length --length 5;OK
-m length --length 0:0;-m length --length 0;OK
-m length --length 0x20:010;-m length --length 32:8;OK
-m length --length 40:20;=;OK
-m length ! --length 40:20;=;OK
-m length --length "";-m length --length 0;OK
-m length --length 65536;2;FAIL
-m length --length :65536;2;FAIL
-m length --length -1;2;FAIL
-m length --length x;2;FAIL
-m length --length 20:x;2;FAIL
-m length --length 20-30;2;FAIL
-m length --length 5:5x;2;FAIL
-m length --length 20:30:40;2;FAIL
-m length;2;FAIL
-m length --length;2;FAIL
-m length --length 20 --length 20;2;FAIL
*mangle
:POSTROUTING
-p tcp -m length --length 0:128 -j MARK --set-mark 1;-p tcp -m length --length 0:128 -j MARK --set-xmark 0x1/0xffffffff;OK
%ip6tables
*filter
:INPUT
-m length ! --length 0:100;=;OK
-m length --length 40;=;OK
