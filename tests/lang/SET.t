:FORWARD,PREROUTING
*mangle
-j SET;2;FAIL
-j SET --add-set;2;FAIL
-j SET --add-set foo;2;FAIL
-j SET --add-set foo src;2;FAIL
-j SET --add-set foo src,dst;2;FAIL
-j SET --add-set foo bad;2;FAIL
-j SET --add-set foo src,bad;2;FAIL
-j SET --add-set foo src,dst,src,dst,src,dst,src;2;FAIL
-j SET --add-set foo src,dst,src,dst,src,dst;2;FAIL
-j SET --add-set foo "";2;FAIL
-j SET --add-set "" src;2;FAIL
-j SET --add-set 0123456789012345678901234567890 src;2;FAIL
-j SET --add-set 01234567890123456789012345678901 src;2;FAIL
-j SET --add-set foo --exist;2;FAIL
-j SET --add-set foo ! src;2;FAIL
-j SET ! --add-set foo src;2;FAIL
-j SET --del-set foo src;2;FAIL
-j SET --del-set foo;2;FAIL
-j SET ! --del-set foo src;2;FAIL
-j SET --map-set foo src;2;FAIL
-j SET --map-set foo;2;FAIL
-j SET --exist;2;FAIL
-j SET --timeout 5;2;FAIL
-j SET --timeout;2;FAIL
-j SET --timeout x;2;FAIL
-j SET --timeout 4294967296;2;FAIL
-j SET --map-mark;2;FAIL
-j SET --map-prio;2;FAIL
-j SET --map-queue;2;FAIL
-j SET --map-mark --map-mark;2;FAIL
-j SET ! --exist;2;FAIL
-j SET --exist --exist;2;FAIL
-j SET --exist --timeout 5 --map-mark;2;FAIL
-j SET --timeout 5 --timeout 6;2;FAIL
-j SET ! --timeout 5;2;FAIL
-j SET --timeout -1;2;FAIL
-j SET --timeout "";2;FAIL
-j SET --timeout 0x10;2;FAIL
-j SET ! --map-mark;2;FAIL
-j SET ! --map-set foo src;2;FAIL
:FORWARD
*filter
-j SET --add-set foo src;2;FAIL
-j SET --map-set foo src;2;FAIL
:FORWARD
%ip6tables
*mangle
-j SET --add-set foo src;2;FAIL
-j SET --exist;2;FAIL
