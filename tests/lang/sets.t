# A host that has the sets foo and net (IPv4), six (IPv6) and any (of no family), as for set.t.
:FORWARD
*mangle
-j SET --add-set foo src;=;OK
-j SET --add-set foo dst;=;OK
-j SET --add-set foo src,dst;=;OK
-j SET --add-set foo src,dst,src,dst,src,dst;=;OK
-j SET --add-set foo src,dst,src,dst,src,dst,src;2;FAIL
-j SET --add-set foo bad;2;FAIL
-j SET --add-set foo src,bad;2;FAIL
-j SET --add-set foo SRC;2;FAIL
-j SET --add-set foo "";2;FAIL
-j SET --add-set foo src,;2;FAIL
-j SET --add-set foo ,src;2;FAIL
-j SET --add-set foo src --exist;=;OK
-j SET --add-set foo src --timeout 5;=;OK
-j SET --add-set foo src --timeout 0;=;OK
-j SET --add-set foo src --timeout 4294967294;=;OK
-j SET --add-set foo src --timeout 4294967295;2;FAIL
-j SET --add-set foo src --exist --timeout 5;=;OK
-j SET --add-set foo src --timeout 5 --exist;-j SET --add-set foo src --exist --timeout 5;OK
-j SET --exist --timeout 5 --add-set foo src;-j SET --add-set foo src --exist --timeout 5;OK
-j SET --add-set foo src --exist --exist;-j SET --add-set foo src --exist;OK
-j SET --add-set foo src --timeout 5 --timeout 6;-j SET --add-set foo src --timeout 6;OK
-j SET ! --add-set foo src;-j SET --add-set foo src;OK
-j SET --add-set foo src ! --exist;-j SET --add-set foo src --exist;OK
-j SET --del-set foo src;=;OK
-j SET --del-set foo src,dst;=;OK
-j SET --del-set foo src --exist;2;FAIL
-j SET --del-set foo src --timeout 5;2;FAIL
-j SET --add-set foo src --del-set net dst;=;OK
-j SET --del-set foo src --add-set net dst;-j SET --add-set net dst --del-set foo src;OK
-j SET --add-set foo src --add-set net src;2;FAIL
-j SET --del-set foo src --del-set net src;2;FAIL
-j SET --map-set foo src;2;FAIL
-j SET --map-set net src,dst;2;FAIL
-j SET --map-set net src --map-mark;=;OK
-j SET --map-set net src --map-prio;=;OK
-j SET --map-set net src --map-queue;=;OK
-j SET --map-set net src --map-mark --map-prio --map-queue;=;OK
-j SET --map-mark --map-set net src;-j SET --map-set net src --map-mark;OK
-j SET --map-set foo src --map-mark;=;OK
-j SET --map-set net src --map-mark --map-mark;-j SET --map-set net src --map-mark;OK
-j SET --add-set foo src --map-mark;2;FAIL
-j SET --add-set foo src --map-set net src --map-mark;=;OK
-j SET --map-set net src --map-mark --exist;2;FAIL
-j SET --map-set net src --map-mark --timeout 5;2;FAIL
-j SET --map-set net src --map-set net src;2;FAIL
-j SET ! --map-set net src;2;FAIL
-j SET --add-set six src;2;FAIL
-j SET --add-set foo src --del-set net dst --map-set foo src;2;FAIL
-j SET --add-set foo src --map-prio;2;FAIL
-j SET --add-set foo src --map-queue;2;FAIL
-j SET --del-set foo src --exist --timeout 3;2;FAIL
-j SET --map-set foo src --exist --timeout 3;2;FAIL
-j SET --del-set foo src --map-prio --timeout 3;2;FAIL
-j SET --map-set foo src --timeout 3;2;FAIL
-j SET --del-set foo src --map-prio --map-mark;2;FAIL
-j SET --add-set nosuch src --timeout x;2;FAIL
-j SET --timeout x --add-set nosuch src;2;FAIL
-j SET --add-set six src --exist;2;FAIL
-j SET --add-set nosuch src --add-set foo src;2;FAIL
-j SET --add-set foo src --del-set nosuch src;2;FAIL
-j SET --add-set foo src,bad --bad;2;FAIL
:FORWARD
*filter
-j SET --add-set foo src --exist;=;OK
-j SET --map-set net src --map-mark;1;FAIL
-j SET --map-set net src --map-prio;1;FAIL
:OUTPUT,FORWARD,POSTROUTING
*mangle
-j SET --map-set net src --map-prio;=;OK
-j SET --map-set net src --map-queue;=;OK
:PREROUTING,INPUT
-j SET --map-set net src --map-prio;1;FAIL
:PREROUTING
*nat
-j SET --add-set foo src;=;OK
%ip6tables
:FORWARD
*mangle
-j SET --add-set foo src;2;FAIL
-j SET --add-set six src;=;OK
-j SET --add-set any src;=;OK
