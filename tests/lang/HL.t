%ip6tables
:PREROUTING
*mangle
-j HL --hl-set 64;=;OK
-j HL --hl-inc 1;=;OK
-j HL --hl-dec 1;=;OK
-j HL --hl-dec 0;2;FAIL
-j HL --hl-inc 0;2;FAIL
-j HL --hl-set 0;=;OK
-j HL --hl-set 256;2;FAIL
-j HL --hl-set 1 --hl-dec 1;2;FAIL
-j HL;2;FAIL
:INPUT
*filter
-j HL --hl-set 1;1;FAIL
*mangle
-j HL --hl-set x;2;FAIL
-j HL --hl-set 1 --hl-set 2;2;FAIL
-j HL ! --hl-set 1;2;FAIL
