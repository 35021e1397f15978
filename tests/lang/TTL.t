:PREROUTING
*mangle
-j TTL --ttl-set 64;=;OK
-j TTL --ttl-inc 1;=;OK
-j TTL --ttl-dec 1;=;OK
-j TTL --ttl-dec 0;2;FAIL
-j TTL --ttl-inc 0;2;FAIL
-j TTL --ttl-set 0;=;OK
-j TTL --ttl-set 256;2;FAIL
-j TTL --ttl-set 1 --ttl-dec 1;2;FAIL
-j TTL;2;FAIL
:INPUT
*filter
-j TTL --ttl-set 1;1;FAIL
*mangle
-j TTL --ttl-set x;2;FAIL
-j TTL --ttl-set 1 --ttl-set 2;2;FAIL
-j TTL ! --ttl-set 1;2;FAIL
:PREROUTING
*nat
-j TTL --ttl-set 1;1;FAIL
