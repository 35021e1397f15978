:INPUT
*filter
-p mh -m mh --mh-type 5;2;FAIL
%ip6tables
:INPUT,FORWARD,OUTPUT
-p mobility-header -m mh --mh-type 5;=;OK
-p mobility-header -m mh ! --mh-type 1:3 -j DROP;=;OK
:INPUT
-p mh -m mh;-p mobility-header -m mh;OK
-p mh -m mh -j LOG;-p mobility-header -m mh -j LOG;OK
-p mh -m mh --mh-type 0:255;-p mobility-header -m mh;OK
-p mh -m mh ! --mh-type 0:255 -j LOG;-p mobility-header -m mh -j LOG;OK
-p mh -m mh --mh-type :;-p mobility-header -m mh;OK
-p mh -m mh --mh-type :5;-p mobility-header -m mh --mh-type 0:5;OK
-p mh -m mh --mh-type 5:;-p mobility-header -m mh --mh-type 5:255;OK
-p mh -m mh --mh-type 6:7;-p mobility-header -m mh --mh-type 6:7;OK
-p mh -m mh --mh-type 8;-p mobility-header -m mh --mh-type 8;OK
-p mh -m mh --mh-type 255;-p mobility-header -m mh --mh-type 255;OK
-p mh -m mh --mh-type 0x3:011;-p mobility-header -m mh --mh-type 3:9;OK
-p mh -m mh --mh-type " 5";-p mobility-header -m mh --mh-type 5;OK
-p mh -m mh --mh-type binding-refresh-request;-p mobility-header -m mh --mh-type 0;OK
-p mh -m mh --mh-type BRR;-p mobility-header -m mh --mh-type 0;OK
-p mh -m mh --mh-type hoti:cot;-p mobility-header -m mh --mh-type 1:4;OK
-p mh -m mh --mh-type Home-Test;-p mobility-header -m mh --mh-type 3;OK
-p mh -m mh --mh-type careof-test;-p mobility-header -m mh --mh-type 4;OK
-p mh -m mh --mh-type hot;-p mobility-header -m mh --mh-type 3;OK
-p mh -m mh --mh-type coti;-p mobility-header -m mh --mh-type 2;OK
-p mh -m mh --mh-type ba;-p mobility-header -m mh --mh-type 6;OK
-p mh -m mh --mh-type be;-p mobility-header -m mh --mh-type 7;OK
# Names cut short: the first one that begins so.
-p mh -m mh --mh-type "";-p mobility-header -m mh --mh-type 0;OK
-p mh -m mh --mh-type b;-p mobility-header -m mh --mh-type 0;OK
-p mh -m mh --mh-type h;-p mobility-header -m mh --mh-type 1;OK
-p mh -m mh --mh-type ho;-p mobility-header -m mh --mh-type 1;OK
-p mh -m mh --mh-type home-test-;-p mobility-header -m mh --mh-type 1;OK
-p mh -m mh --mh-type co;-p mobility-header -m mh --mh-type 2;OK
-p mh -m mh --mh-type c;-p mobility-header -m mh --mh-type 2;OK
-p mh -m mh --mh-type binding-u;-p mobility-header -m mh --mh-type 5;OK
-p mh -m mh --mh-type binding-a;-p mobility-header -m mh --mh-type 6;OK
-p mh -m mh --mh-type binding-e;-p mobility-header -m mh --mh-type 7;OK
-p mh -m mh --mh-type 5:1;2;FAIL
-p mh -m mh --mh-type 256;2;FAIL
-p mh -m mh --mh-type x;2;FAIL
-p mh -m mh --mh-type bra;2;FAIL
-p mh -m mh --mh-type binding-refresh-requestx;2;FAIL
-p mh -m mh --mh-type 1:x;2;FAIL
-p mh -m mh --mh-type 1:2:3;2;FAIL
-p mh -m mh --mh-type 5,6;2;FAIL
-p mh -m mh --mh-type;2;FAIL
-p mh -m mh --mh-type 5 --mh-type 5;2;FAIL
# The name mh brings the match in; the number and the longer name do not.
-p mh --mh-type cot;-p mobility-header -m mh --mh-type 4;OK
-p mobility-header --mh-type cot;2;FAIL
-p 135 --mh-type cot;2;FAIL
-p ipv6-mh --mh-type cot;2;FAIL
-m mh --mh-type 5;1;FAIL
! -p mh -m mh --mh-type 5;1;FAIL
-p tcp -m mh --mh-type 5;1;FAIL
