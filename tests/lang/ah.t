:INPUT,FORWARD
*filter
-p ah -m ah --ahspi 5;=;OK
-p ah -m ah ! --ahspi 5:10 -j DROP;=;OK
:INPUT
-p ah -m ah --ahspi :10;-p ah -m ah --ahspi 0:10;OK
-p ah -m ah --ahspi 5:;-p ah -m ah --ahspi 5:4294967295;OK
-p ah -m ah --ahspi 0;=;OK
-p ah -m ah --ahspi "";-p ah -m ah --ahspi 0;OK
-p ah -m ah --ahspi 0x10:020;-p ah -m ah --ahspi 16;OK
-p ah -m ah --ahspi 10:5;=;OK
# Every index: nothing to say, even if inverted.
-p ah -m ah;=;OK
-p ah -m ah -j LOG;=;OK
-p ah -m ah --ahspi 0:4294967295;-p ah -m ah;OK
-p ah -m ah ! --ahspi 0:4294967295;-p ah -m ah;OK
-p ah --ahspi 5;-p ah -m ah --ahspi 5;OK
-p 51 --ahspi 5;-p ah -m ah --ahspi 5;OK
-p ah -m ah --ahspi 4294967296;2;FAIL
-p ah -m ah --ahspi x;2;FAIL
-p ah -m ah --ahspi 5:x;2;FAIL
-p ah -m ah --ahspi 5-6;2;FAIL
-p ah -m ah --ahspi 1:2:3;2;FAIL
-p ah -m ah --ahspi;2;FAIL
-p ah -m ah --ahspi 5 --ahspi 6;2;FAIL
-p ah -m ah --ahres;2;FAIL
-p ah -m ah --ahlen 5;2;FAIL
-m ah --ahspi 5;1;FAIL
! -p ah -m ah --ahspi 5;1;FAIL
-p tcp -m ah --ahspi 5;1;FAIL
%ip6tables
-m ah;=;OK
-m ah -j LOG;=;OK
-m ah --ahspi 5;=;OK
-m ah ! --ahspi 5 --ahres;=;OK
-m ah ! --ahres;2;FAIL
-m ah --ahres --ahspi 5:10 --ahlen 12;-m ah --ahspi 5:10 --ahlen 12 --ahres;OK
-m ah ! --ahspi 5:10 ! --ahlen 12 -j ACCEPT;=;OK
-m ah --ahlen 0;-m ah;OK
-m ah ! --ahlen 0;=;OK
-m ah ! --ahspi 0:4294967295;-m ah;OK
-m ah --ahlen 5 --ahlen 5;2;FAIL
-m ah --ahlen 12:13;2;FAIL
-m ah --ahlen x;2;FAIL
-m ah --ahlen 4294967296;2;FAIL
-p tcp -m ah --ahspi 5;=;OK
-p ah --ahspi 5;-p ah -m ah --ahspi 5;OK
-p ah -m ah --ahspi x;2;FAIL
