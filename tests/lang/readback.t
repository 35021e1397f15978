# What the real one saves and then does not read back as it was: every index of ipcomp, and nodes of a cluster above the sixth one. What it
# refuses because the host does not have it: a control group.
:INPUT
*filter
-p ipcomp -m ipcomp --ipcompspi 0:4294967295;=;OK
-p ipcomp -m ipcomp ! --ipcompspi :;-p ipcomp -m ipcomp ! --ipcompspi 0:4294967295;OK
-m cluster --cluster-total-nodes 32 --cluster-local-node 7 --cluster-hash-seed 1;-m cluster --cluster-local-nodemask 0x00000040 --cluster-total-nodes 32 --cluster-hash-seed 0x00000001;OK
-m cluster --cluster-local-nodemask 0xffffffff --cluster-total-nodes 32 --cluster-hash-seed 0x00000000;=;OK
-m cluster --cluster-local-nodemask 0x100000000 --cluster-total-nodes 32 --cluster-hash-seed 0;2;FAIL
-m cluster --cluster-local-nodemask 0 --cluster-total-nodes 32 --cluster-hash-seed 0;2;FAIL
-m cgroup --path a/b -j DROP;-m cgroup --path "a/b" -j DROP;OK
-m cgroup ! --path a;=;OK
