:INPUT,FORWARD
*filter
-j NFQUEUE;-j NFQUEUE --queue-num 0;OK
-j NFQUEUE --queue-num 0;=;OK
-j NFQUEUE --queue-num 65535;=;OK
-j NFQUEUE --queue-num 65536;2;FAIL
-j NFQUEUE --queue-num -1;2;FAIL
-j NFQUEUE --queue-num 0x10;-j NFQUEUE --queue-num 16;OK
-j NFQUEUE --queue-num "";2;FAIL
-j NFQUEUE --queue-num x;2;FAIL
-j NFQUEUE --queue-num;2;FAIL
-j NFQUEUE --queue-num 1 --queue-bypass;=;OK
-j NFQUEUE --queue-bypass;-j NFQUEUE --queue-num 0 --queue-bypass;OK
-j NFQUEUE --queue-num 1 --queue-cpu-fanout;2;FAIL
-j NFQUEUE --queue-cpu-fanout;2;FAIL
-j NFQUEUE --queue-balance 0:3;=;OK
-j NFQUEUE --queue-balance 1:3 --queue-bypass;=;OK
-j NFQUEUE --queue-balance 1:3 --queue-cpu-fanout;=;OK
-j NFQUEUE --queue-balance 1:3 --queue-cpu-fanout --queue-bypass;-j NFQUEUE --queue-balance 1:3 --queue-bypass --queue-cpu-fanout;OK
-j NFQUEUE --queue-bypass --queue-balance 1:3;-j NFQUEUE --queue-balance 1:3 --queue-bypass;OK
-j NFQUEUE --queue-balance 0:65535;1;FAIL
-j NFQUEUE --queue-balance 0:65534;=;OK
-j NFQUEUE --queue-balance 1:65535;=;OK
-j NFQUEUE --queue-balance 65534:65535;=;OK
-j NFQUEUE --queue-balance 3:1;2;FAIL
-j NFQUEUE --queue-balance 3:3;2;FAIL
-j NFQUEUE --queue-balance 3;2;FAIL
-j NFQUEUE --queue-balance 3:;-j NFQUEUE --queue-balance 3:65535;OK
-j NFQUEUE --queue-balance :3;-j NFQUEUE --queue-balance 0:3;OK
-j NFQUEUE --queue-balance :;1;FAIL
-j NFQUEUE --queue-balance "";2;FAIL
-j NFQUEUE --queue-balance x;2;FAIL
-j NFQUEUE --queue-balance 1:x;2;FAIL
-j NFQUEUE --queue-balance 1:2:3;2;FAIL
-j NFQUEUE --queue-balance 1:65536;2;FAIL
-j NFQUEUE --queue-balance 1-2;2;FAIL
-j NFQUEUE --queue-num 1 --queue-balance 0:3;2;FAIL
-j NFQUEUE --queue-balance 0:3 --queue-num 1;2;FAIL
-j NFQUEUE ! --queue-num 1;2;FAIL
-j NFQUEUE ! --queue-bypass;2;FAIL
-j NFQUEUE ! --queue-balance 0:3;2;FAIL
-j NFQUEUE --queue-num 1 --queue-num 2;2;FAIL
-j NFQUEUE --queue-bypass --queue-bypass;2;FAIL
:PREROUTING
*raw
-j NFQUEUE --queue-num 1;=;OK
*mangle
-j NFQUEUE --queue-num 1;=;OK
*nat
-j NFQUEUE --queue-num 1;=;OK
:FORWARD
*security
-j NFQUEUE --queue-num 1;=;OK
%ip6tables
*filter
-j NFQUEUE --queue-num 1;=;OK
-j NFQUEUE --queue-balance 1:3 --queue-cpu-fanout --queue-bypass;-j NFQUEUE --queue-balance 1:3 --queue-bypass --queue-cpu-fanout;OK
