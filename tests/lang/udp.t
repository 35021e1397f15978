:INPUT
*filter
-p udp -m udp --dport 010;-p udp -m udp --dport 10;OK
-p udp -m udp --dport " +80";-p udp -m udp --dport 80;OK
-p udp -m udp --dport 0x50;2;FAIL
-p udp -m udp --dport 80x;2;FAIL
-p udp --dport 53 --sport domain;-p udp -m udp --sport 53 --dport 53;OK
-p udp --syn;2;FAIL
-p tcp -m udp --dport 5;1;FAIL
-p udp --sport 3 --source-port 4;2;FAIL
-p udp --sport 9:3;-p udp -m udp --sport 9:3;OK
-p udp --sport 3:x;2;FAIL
-p udp ! --sport 3:6;-p udp -m udp ! --sport 3:6;OK
! -p udp;=;OK
-p tcp -p udp;2;FAIL
-p tcp --dport 80 -m udp;1;FAIL
