:FORWARD,OUTPUT
*mangle
-j CLASSIFY --set-class 0:0;-j CLASSIFY --set-class 0000:0000;OK
-j CLASSIFY --set-class 1:2;-j CLASSIFY --set-class 0001:0002;OK
-j CLASSIFY --set-class ffff:ffff;=;OK
-j CLASSIFY --set-class FFFF:10;-j CLASSIFY --set-class ffff:0010;OK
-j CLASSIFY --set-class 0x1:0x2;-j CLASSIFY --set-class 0001:0002;OK
-j CLASSIFY --set-class 1x:2;2;FAIL
-j CLASSIFY --set-class 1:;2;FAIL
-j CLASSIFY --set-class :1;2;FAIL
-j CLASSIFY --set-class :;2;FAIL
-j CLASSIFY --set-class 1;2;FAIL
-j CLASSIFY --set-class "1 :2";2;FAIL
-j CLASSIFY --set-class zz;2;FAIL
-j CLASSIFY --set-class "";2;FAIL
-j CLASSIFY --set-class;2;FAIL
-j CLASSIFY;2;FAIL
-j CLASSIFY ! --set-class 1:2;2;FAIL
-j CLASSIFY --set-class 1:2 --set-class 1:2;2;FAIL
:PREROUTING,INPUT
-j CLASSIFY --set-class 1:2;1;FAIL
:FORWARD
*filter
-j CLASSIFY --set-class 1:2;-j CLASSIFY --set-class 0001:0002;OK
:OUTPUT
*raw
-j CLASSIFY --set-class 1:2;-j CLASSIFY --set-class 0001:0002;OK
:POSTROUTING
*nat
-j CLASSIFY --set-class 1:2;-j CLASSIFY --set-class 0001:0002;OK
:FORWARD
*security
-j CLASSIFY --set-class 1:2;-j CLASSIFY --set-class 0001:0002;OK
%ip6tables
*mangle
-j CLASSIFY --set-class a:b;-j CLASSIFY --set-class 000a:000b;OK
