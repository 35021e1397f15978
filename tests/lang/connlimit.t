:INPUT,FORWARD,OUTPUT
*filter
-m connlimit --connlimit-upto 5;-m connlimit --connlimit-upto 5 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit --connlimit-above 5;-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit ! --connlimit-above 1;-m connlimit --connlimit-upto 1 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit ! --connlimit-upto 1;-m connlimit --connlimit-above 1 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit --connlimit-upto 0;-m connlimit --connlimit-upto 0 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit --connlimit-above 4294967295 --connlimit-daddr;-m connlimit --connlimit-above 4294967295 --connlimit-mask 32 --connlimit-daddr;OK
-m connlimit --connlimit-above 0x10 --connlimit-mask 010;-m connlimit --connlimit-above 16 --connlimit-mask 8 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 0;-m connlimit --connlimit-above 5 --connlimit-mask 0 --connlimit-saddr;OK
-m connlimit --connlimit-daddr --connlimit-mask 8 --connlimit-upto 7 -j DROP;-m connlimit --connlimit-upto 7 --connlimit-mask 8 --connlimit-daddr -j DROP;OK
-p tcp --syn --dport 22 -m connlimit --connlimit-above 2 -j DROP;-p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -m connlimit --connlimit-above 2 --connlimit-mask 32 --connlimit-saddr -j DROP;OK
# A mask may be an address; one with holes, or a number that is an address to C, stands for all bits.
-m connlimit --connlimit-above 5 --connlimit-mask 255.255.255.0;-m connlimit --connlimit-above 5 --connlimit-mask 24 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 0.0.0.0;-m connlimit --connlimit-above 5 --connlimit-mask 0 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 255.0.255.0;-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 255.255.255;-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 33;-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 4294967296;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-mask -1;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-mask x;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-mask "";2;FAIL
-m connlimit --connlimit-above 5 --connlimit-mask 24x;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-mask ffff::;2;FAIL
-m connlimit --connlimit-above 4294967296;2;FAIL
-m connlimit --connlimit-above -1;2;FAIL
-m connlimit --connlimit-above 5x;2;FAIL
-m connlimit --connlimit-above "";2;FAIL
-m connlimit --connlimit-above 5 ! --connlimit-mask 24;2;FAIL
-m connlimit --connlimit-above 5 ! --connlimit-saddr;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-saddr --connlimit-daddr;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-daddr --connlimit-saddr;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-upto 6;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-above 6;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-saddr --connlimit-saddr;2;FAIL
-m connlimit --connlimit-mask 5 --connlimit-mask 6 --connlimit-above 6;2;FAIL
-m connlimit --connlimit-mask 24;2;FAIL
-m connlimit --connlimit-daddr;2;FAIL
-m connlimit;2;FAIL
:PREROUTING
*mangle
-m connlimit --connlimit-above 5;-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr;OK
*nat
-m connlimit --connlimit-above 5;-m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr;OK
:PREROUTING
*raw
-m connlimit --connlimit-above 3;-m connlimit --connlimit-above 3 --connlimit-mask 32 --connlimit-saddr;OK
%ip6tables
:INPUT
*filter
-m connlimit --connlimit-above 5;-m connlimit --connlimit-above 5 --connlimit-mask 128 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 64 --connlimit-daddr;=;OK
-m connlimit --connlimit-above 5 --connlimit-mask 33;-m connlimit --connlimit-above 5 --connlimit-mask 33 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask ffff::;-m connlimit --connlimit-above 5 --connlimit-mask 16 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask ffff:0:ffff::;-m connlimit --connlimit-above 5 --connlimit-mask 128 --connlimit-saddr;OK
-m connlimit --connlimit-above 5 --connlimit-mask 129;2;FAIL
-m connlimit --connlimit-above 5 --connlimit-mask 255.255.255.0;2;FAIL
