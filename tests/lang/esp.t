:INPUT,FORWARD
*filter
-p esp -m esp --espspi 5;=;OK
-p esp -m esp ! --espspi 5:10 -j DROP;=;OK
:INPUT
-p esp -m esp --espspi 0:0;-p esp -m esp --espspi 0;OK
-p esp -m esp --espspi 0x100:0x200;-p esp -m esp --espspi 256:512;OK
-p esp -m esp --espspi 10:5;=;OK
-p esp -m esp --espspi :7;-p esp -m esp --espspi 0:7;OK
# Every index: nothing to say, even if inverted.
-p esp -m esp;=;OK
-p esp -m esp -j LOG;=;OK
-p esp -m esp --espspi :;-p esp -m esp;OK
-p esp -m esp ! --espspi :;-p esp -m esp;OK
-p esp --espspi 5;-p esp -m esp --espspi 5;OK
-p 50 --espspi 5:6;-p esp -m esp --espspi 5:6;OK
-p esp -m esp --espspi x;2;FAIL
-p esp -m esp --espspi 4294967296;2;FAIL
-p esp -m esp --espspi 1:2:3;2;FAIL
-p esp -m esp --espspi;2;FAIL
-p esp -m esp --espspi 1 --espspi 1;2;FAIL
-m esp --espspi 5;1;FAIL
! -p esp -m esp --espspi 5;1;FAIL
-p ah -m esp --espspi 5;1;FAIL
%ip6tables
-p esp -m esp ! --espspi 5:10;=;OK
-p esp --espspi 5:10 -j ACCEPT;-p esp -m esp --espspi 5:10 -j ACCEPT;OK
-m esp --espspi 5;1;FAIL
