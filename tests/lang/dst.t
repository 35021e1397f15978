:INPUT
*filter
-m dst;2;FAIL
%ip6tables
:INPUT,FORWARD,OUTPUT
-m dst --dst-len 5;=;OK
-m dst ! --dst-len 8 --dst-opts 1,2:3 -j DROP;=;OK
:INPUT
-m dst;=;OK
-m dst -j LOG;=;OK
-m dst --dst-len 0;=;OK
-m dst ! --dst-len 0x10;-m dst ! --dst-len 16;OK
-m dst --dst-opts 1;=;OK
-m dst --dst-opts 1,2:3,255:254 -j LOG;=;OK
-m dst --dst-opts 01,0x2:010 --dst-len 24 -j LOG;-m dst --dst-len 24 --dst-opts 1,2:8 -j LOG;OK
-m dst --dst-opts 5:0;=;OK
-m dst --dst-opts 0;=;OK
-m dst --dst-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16;=;OK
# A length of 255 stands for any.
-m dst --dst-opts 5:255;-m dst --dst-opts 5;OK
-m dst --dst-len x;2;FAIL
-m dst --dst-len 1:2;2;FAIL
-m dst --dst-len 4294967296;2;FAIL
-m dst --dst-len;2;FAIL
-m dst --dst-len 1 --dst-len 1;2;FAIL
-m dst --dst-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17;2;FAIL
-m dst --dst-opts x;2;FAIL
-m dst --dst-opts "";2;FAIL
-m dst --dst-opts 1,;2;FAIL
-m dst --dst-opts ,1;2;FAIL
-m dst --dst-opts 1:;2;FAIL
-m dst --dst-opts :1;2;FAIL
-m dst --dst-opts 1:x;2;FAIL
-m dst --dst-opts 1x;2;FAIL
-m dst --dst-opts 1:2x;2;FAIL
-m dst --dst-opts 1:2:3;2;FAIL
-m dst --dst-opts 0:0;2;FAIL
-m dst --dst-opts 5,0:255;2;FAIL
-m dst ! --dst-opts 1;2;FAIL
-m dst --dst-opts 1 --dst-opts 2;2;FAIL
-p ipv6-opts -m dst --dst-len 8;=;OK
-m dst --dst-not-strict;2;FAIL
