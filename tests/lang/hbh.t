:INPUT
*filter
-m hbh;2;FAIL
%ip6tables
:INPUT,FORWARD,OUTPUT
-m hbh --hbh-len 5;=;OK
-m hbh ! --hbh-len 8 --hbh-opts 1,2:3 -j DROP;=;OK
:INPUT
-m hbh;=;OK
-m hbh -j LOG;=;OK
-m hbh --hbh-len 0;=;OK
-m hbh ! --hbh-len 0x10;-m hbh ! --hbh-len 16;OK
-m hbh --hbh-opts 1;=;OK
-m hbh --hbh-opts 1,2:3,255:254 -j LOG;=;OK
-m hbh --hbh-opts 01,0x2:010 --hbh-len 24 -j LOG;-m hbh --hbh-len 24 --hbh-opts 1,2:8 -j LOG;OK
-m hbh --hbh-opts 5:0;=;OK
-m hbh --hbh-opts 0;=;OK
-m hbh --hbh-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16;=;OK
# A length of 255 stands for any.
-m hbh --hbh-opts 5:255;-m hbh --hbh-opts 5;OK
-m hbh --hbh-len x;2;FAIL
-m hbh --hbh-len 1:2;2;FAIL
-m hbh --hbh-len 4294967296;2;FAIL
-m hbh --hbh-len;2;FAIL
-m hbh --hbh-len 1 --hbh-len 1;2;FAIL
-m hbh --hbh-opts 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17;2;FAIL
-m hbh --hbh-opts x;2;FAIL
-m hbh --hbh-opts "";2;FAIL
-m hbh --hbh-opts 1,;2;FAIL
-m hbh --hbh-opts ,1;2;FAIL
-m hbh --hbh-opts 1:;2;FAIL
-m hbh --hbh-opts :1;2;FAIL
-m hbh --hbh-opts 1:x;2;FAIL
-m hbh --hbh-opts 1x;2;FAIL
-m hbh --hbh-opts 1:2x;2;FAIL
-m hbh --hbh-opts 1:2:3;2;FAIL
-m hbh --hbh-opts 0:0;2;FAIL
-m hbh --hbh-opts 5,0:255;2;FAIL
-m hbh ! --hbh-opts 1;2;FAIL
-m hbh --hbh-opts 1 --hbh-opts 2;2;FAIL
-m hbh --hbh-not-strict;2;FAIL
