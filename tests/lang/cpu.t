:INPUT,FORWARD,OUTPUT
*filter
-m cpu --cpu 0;=;OK
-m cpu ! --cpu 3 -j DROP;=;OK
:INPUT
-m cpu --cpu 0x10;-m cpu --cpu 16;OK
-m cpu --cpu 4294967295;=;OK
-m cpu --cpu 4294967296;2;FAIL
-m cpu --cpu -1;2;FAIL
-m cpu --cpu x;2;FAIL
-m cpu --cpu 1:2;2;FAIL
-m cpu --cpu;2;FAIL
-m cpu;2;FAIL
-m cpu --cpu 1 --cpu 2;2;FAIL
*nat
:PREROUTING
-p tcp -m tcp --dport 80 -m cpu --cpu 0 -j REDIRECT --to-ports 8080;=;OK
%ip6tables
*filter
:INPUT
-m cpu --cpu 1;=;OK
