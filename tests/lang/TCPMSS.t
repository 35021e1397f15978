:FORWARD,OUTPUT
*mangle
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu;OK
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400;=;OK
-p tcp --syn -j TCPMSS --set-mss 0;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 0;OK
-p tcp --syn -j TCPMSS --set-mss 65515;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 65515;OK
-p tcp --syn -j TCPMSS --set-mss 65516;2;FAIL
-p tcp --syn -j TCPMSS --set-mss 65535;2;FAIL
-p tcp --syn -j TCPMSS --set-mss 65536;2;FAIL
-p tcp --syn -j TCPMSS --set-mss -1;2;FAIL
-p tcp --syn -j TCPMSS --set-mss 0x5b4;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 1460;OK
-p tcp --syn -j TCPMSS --set-mss "";2;FAIL
-p tcp --syn -j TCPMSS --set-mss 1x;2;FAIL
-p tcp --syn -j TCPMSS;2;FAIL
-p tcp --syn -j TCPMSS --set-mss 3 --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu;OK
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu --set-mss 3;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 3;OK
-p tcp --syn -j TCPMSS --set-mss 3 --set-mss 3;2;FAIL
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu --clamp-mss-to-pmtu;2;FAIL
-p tcp --syn -j TCPMSS ! --set-mss 3;2;FAIL
-p tcp --syn -j TCPMSS ! --clamp-mss-to-pmtu;2;FAIL
-p tcp --syn -j TCPMSS --set-mss;2;FAIL
-p tcp -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
-p tcp ! --syn -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
-p tcp --tcp-flags SYN,ACK SYN,ACK -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j TCPMSS --clamp-mss-to-pmtu;OK
-p tcp --tcp-flags SYN,RST RST -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
-p tcp --tcp-flags RST SYN -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags RST SYN -j TCPMSS --clamp-mss-to-pmtu;OK
-p tcp -m tcp -m tcp --syn -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu;OK
-p udp -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
! -p tcp -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
-j TCPMSS --clamp-mss-to-pmtu;1;FAIL
:POSTROUTING
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu;OK
:PREROUTING,INPUT
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
-p tcp --syn -j TCPMSS --set-mss 5;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 5;OK
:INPUT,FORWARD
*filter
-p tcp --syn -j TCPMSS --set-mss 5;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 5;OK
:POSTROUTING
*nat
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu;OK
:PREROUTING
*raw
-p tcp --syn -j TCPMSS --set-mss 5;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 5;OK
:FORWARD
*security
-p tcp --syn -j TCPMSS --set-mss 5;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 5;OK
%ip6tables
*mangle
-p tcp --syn -j TCPMSS --set-mss 65495;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 65495;OK
-p tcp --syn -j TCPMSS --set-mss 65496;2;FAIL
-p tcp --syn -j TCPMSS --set-mss 5;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --set-mss 5;OK
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu;-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu;OK
-p tcp -j TCPMSS --clamp-mss-to-pmtu;1;FAIL
