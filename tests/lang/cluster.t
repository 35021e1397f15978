:INPUT,OUTPUT
*filter
-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001;=;OK
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1;-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001;OK
:INPUT
-m cluster --cluster-total-nodes 2 ! --cluster-local-node 2 --cluster-hash-seed 0xdeadbeef -j DROP;-m cluster ! --cluster-local-nodemask 0x00000002 --cluster-total-nodes 2 --cluster-hash-seed 0xdeadbeef -j DROP;OK
-m cluster --cluster-total-nodes 1 --cluster-local-node 1 --cluster-hash-seed 0;-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 1 --cluster-hash-seed 0x00000000;OK
-m cluster --cluster-hash-seed 4294967295 --cluster-local-node 6 --cluster-total-nodes 32;-m cluster --cluster-local-nodemask 0x00000020 --cluster-total-nodes 32 --cluster-hash-seed 0xffffffff;OK
-m cluster --cluster-total-nodes 4 --cluster-local-nodemask 5 --cluster-hash-seed 1;-m cluster --cluster-local-nodemask 0x00000005 --cluster-total-nodes 4 --cluster-hash-seed 0x00000001;OK
-m cluster --cluster-total-nodes 4 ! --cluster-local-nodemask 15 --cluster-hash-seed 0x10;-m cluster ! --cluster-local-nodemask 0x0000000f --cluster-total-nodes 4 --cluster-hash-seed 0x00000010;OK
-m cluster --cluster-total-nodes 32 --cluster-local-nodemask 32 --cluster-hash-seed 1;-m cluster --cluster-local-nodemask 0x00000020 --cluster-total-nodes 32 --cluster-hash-seed 0x00000001;OK
-m cluster --cluster-total-nodes 4 --cluster-local-nodemask 16 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 1 --cluster-local-nodemask 2 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-local-node 9 --cluster-total-nodes 3 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 0 --cluster-local-node 1 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 33 --cluster-local-node 1 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 0 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 33 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 4294967296;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed x;2;FAIL
-m cluster;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 1;2;FAIL
-m cluster --cluster-local-node 1 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 4 --cluster-local-nodemask 4 --cluster-local-node 1 --cluster-hash-seed 1;2;FAIL
-m cluster ! --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 ! --cluster-hash-seed 1;2;FAIL
-m cluster --cluster-total-nodes 2 --cluster-total-nodes 2;2;FAIL
*mangle
:PREROUTING
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1 -j MARK --set-mark 1;-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001 -j MARK --set-xmark 0x1/0xffffffff;OK
%ip6tables
*filter
:INPUT
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1;-m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001;OK
