:INPUT
*filter
-p tcp --sport 1:5 ! --dport 80 --tcp-flags SYN,ACK SYN;-p tcp -m tcp --sport 1:5 ! --dport 80 --tcp-flags SYN,ACK SYN;OK
-p tcp --syn;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN;OK
-p tcp ! --syn;-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN;OK
-p tcp --tcp-flags ALL NONE;-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE;OK
-p tcp --tcp-flags SYN,FOO NONE;2;FAIL
-p tcp --tcp-flags SYN;2;FAIL
-p tcp ! --tcp-flags SYN,ACK,PSH ALL;-p tcp -m tcp ! --tcp-flags SYN,PSH,ACK FIN,SYN,RST,PSH,ACK,URG;OK
-p tcp --tcp-option 5;-p tcp -m tcp --tcp-option 5;OK
-p tcp ! --tcp-option 5;-p tcp -m tcp ! --tcp-option 5;OK
-p tcp --tcp-option 0;2;FAIL
-p tcp --tcp-option 256;2;FAIL
-p tcp --dport 70000;2;FAIL
-p tcp --dport foo;2;FAIL
-p tcp --dport http;-p tcp -m tcp --dport 80;OK
-p tcp --dport :80;-p tcp -m tcp --dport 0:80;OK
-p tcp --dport 80:;-p tcp -m tcp --dport 80:65535;OK
-p tcp --dport 80:20;2;FAIL
-p tcp ! --dport 0:65535;-p tcp -m tcp;OK
-p tcp --dport 0:65535;-p tcp -m tcp;OK
-p tcp --dport 80 --dport 90;2;FAIL
-p tcp --destination-port 80;-p tcp -m tcp --dport 80;OK
-p tcp --dport;2;FAIL
-m tcp --dport 5;1;FAIL
! -m tcp;2;FAIL
-p tcp --syn --tcp-flags SYN SYN;2;FAIL
-p tcp --tcp-flags SYN SYN --tcp-flags ACK ACK;2;FAIL
-p tcp --tcp-option 3 --tcp-option 4;2;FAIL
-p tcp --sport 3 --source-port 4;2;FAIL
-p tcp --tcp-option x;2;FAIL
-p tcp --tcp-flags syn,ack syn;-p tcp -m tcp --tcp-flags SYN,ACK SYN;OK
-p tcp --tcp-flags "" SYN;-p tcp -m tcp;OK
-p tcp --tcp-flags SYN,ALL SYN;-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG SYN;OK
-p tcp --tcp-flags SYN ! --dport 5;2;FAIL
-p all -m tcp;1;FAIL
-p tcp -m tcp -m tcp --dport 80;=;OK
-p tcp --dport 80 -m tcp --dport 90;-p tcp -m tcp --dport 80 -m tcp --dport 90;OK
--dport 80 -p tcp;2;FAIL
:FORWARD
*filter
-p tcp --syn ! --sport 5 ! --dport 6:7 ! --tcp-option 8;-p tcp -m tcp ! --sport 5 ! --dport 6:7 ! --tcp-option 8 --tcp-flags FIN,SYN,RST,ACK SYN;OK
-p tcp -m comment --comment x --dport 80 -j ACCEPT;-p tcp -m comment --comment x -m tcp --dport 80 -j ACCEPT;OK
-p tcp --dport=80;-p tcp -m tcp --dport 80;OK
-p tcp --tcp-flags RST,URG RST,URG;-p tcp -m tcp --tcp-flags RST,URG RST,URG;OK
-p tcp --source-p 5;-p tcp -m tcp --sport 5;OK
-p tcp --sport 0x50;-p tcp -m tcp --sport 80;OK
-p tcp --dport -1;2;FAIL
