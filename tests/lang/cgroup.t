:INPUT,OUTPUT
*filter
-m cgroup --cgroup 1;=;OK
-m cgroup ! --cgroup 1 -j DROP;=;OK
:OUTPUT
-m cgroup --cgroup 0x10;-m cgroup --cgroup 16;OK
-m cgroup --cgroup 4294967295 -j LOG;=;OK
-m cgroup --path /;-m cgroup --path "/";OK
-m cgroup ! --path /;-m cgroup ! --path "/";OK
-m cgroup --path "";=;OK
-m cgroup --cgroup 4294967296;2;FAIL
-m cgroup --cgroup x;2;FAIL
-m cgroup --cgroup;2;FAIL
-m cgroup;1;FAIL
-m cgroup --path a --cgroup 1;1;FAIL
-m cgroup --cgroup 1 --path a;1;FAIL
-m cgroup --cgroup 1 --cgroup 2;2;FAIL
-m cgroup --path a --path b;2;FAIL
:FORWARD
-m cgroup --cgroup 1;1;FAIL
*mangle
:POSTROUTING
-m cgroup --cgroup 1;=;OK
:PREROUTING
-m cgroup --cgroup 1;1;FAIL
%ip6tables
*filter
:OUTPUT
-m cgroup --cgroup 1;=;OK
