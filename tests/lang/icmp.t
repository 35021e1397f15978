:INPUT
*filter
-p icmp --icmp-type echo-request;-p icmp -m icmp --icmp-type 8;OK
-p icmp --icmp-type 3/4;-p icmp -m icmp --icmp-type 3/4;OK
-p icmp --icmp-type 3;-p icmp -m icmp --icmp-type 3;OK
-p icmp --icmp-type any;-p icmp -m icmp --icmp-type any;OK
-p icmp --icmp-type 255;-p icmp -m icmp --icmp-type any;OK
-p icmp ! --icmp-type 8;-p icmp -m icmp ! --icmp-type 8;OK
-p icmp --icmp-type foo;2;FAIL
-p icmp --icmp-type 256;2;FAIL
-p icmp --icmp-type 3/256;2;FAIL
-p icmp -m icmp;2;FAIL
-p icmp --icmp-type ping;-p icmp -m icmp --icmp-type 8;OK
-p icmp --icmp-type echo;2;FAIL
-p icmp --icmp-type fragmentation-needed;-p icmp -m icmp --icmp-type 3/4;OK
-m icmp --icmp-type 8;1;FAIL
-p icmp --icmp-type 8 --icmp-type 0;2;FAIL
-p icmp --icmp-type 8/;2;FAIL
-p icmp --icmp-type "";2;FAIL
-p icmp --icmp-type Echo-Request;-p icmp -m icmp --icmp-type 8;OK
-p icmp --icmp-type dest;-p icmp -m icmp --icmp-type 3;OK
-p icmp --icmp-type 0x8;-p icmp -m icmp --icmp-type 8;OK
-p icmp --icmp-type 8/0x1;-p icmp -m icmp --icmp-type 8/1;OK
-p icmp --icmp-type destination-unreachable/3;2;FAIL
-p icmp --icmp-type redirect;-p icmp -m icmp --icmp-type 5;OK
-p icmp --icmp-type network-un;2;FAIL
:FORWARD
*filter
-p icmp --icmp-type ttl-exceeded;-p icmp -m icmp --icmp-type 11;OK
-p icmp --icmp-type pong -j DROP;-p icmp -m icmp --icmp-type 0 -j DROP;OK
-p icmp ! --icmp-type host-unreachable;-p icmp -m icmp ! --icmp-type 3/1;OK
-p 1 --icmp-type 8;-p icmp -m icmp --icmp-type 8;OK
