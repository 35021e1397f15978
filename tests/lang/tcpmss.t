:INPUT,FORWARD
*filter
-p tcp -m tcpmss --mss 1400;=;OK
-p tcp -m tcpmss --mss 1400:1500;=;OK
-p tcp -m tcpmss --mss 1400:;-p tcp -m tcpmss --mss 1400:65535;OK
-p tcp -m tcpmss --mss :1400;-p tcp -m tcpmss --mss 0:1400;OK
-p tcp -m tcpmss --mss :;-p tcp -m tcpmss --mss 0:65535;OK
-p tcp -m tcpmss --mss 1500:1400;2;FAIL
-p tcp -m tcpmss ! --mss 1400:1500;=;OK
-p tcp -m tcpmss --mss 65535;=;OK
-p tcp -m tcpmss --mss 65536;2;FAIL
-p tcp -m tcpmss --mss 0;=;OK
-p tcp -m tcpmss --mss 0:65535;=;OK
-p tcp -m tcpmss --mss x;2;FAIL
-p tcp -m tcpmss --mss 5x;2;FAIL
-p tcp -m tcpmss --mss "";-p tcp -m tcpmss --mss 0;OK
-p tcp -m tcpmss --mss 1:2:3;2;FAIL
-p tcp -m tcpmss;2;FAIL
-m tcpmss --mss 1;1;FAIL
! -p tcp -m tcpmss --mss 1;1;FAIL
-p udp -m tcpmss --mss 1;1;FAIL
-p tcp --tcp-flags SYN,RST SYN -m tcpmss --mss 1361:1536 -j ACCEPT;-p tcp -m tcp --tcp-flags SYN,RST SYN -m tcpmss --mss 1361:1536 -j ACCEPT;OK
-p tcp -m tcpmss --mss 5 --mss 6;2;FAIL
-p tcp -m tcpmss --mss 1400-1500;2;FAIL
-p tcp -m tcpmss --mss 1:1;-p tcp -m tcpmss --mss 1;OK
%ip6tables
-p tcp -m tcpmss --mss 1:100;=;OK
-m tcpmss --mss 5;1;FAIL
