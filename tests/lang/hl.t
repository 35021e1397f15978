:INPUT
*filter
-m hl --hl-eq 5;2;FAIL
%ip6tables
:INPUT,FORWARD,OUTPUT
-m hl --hl-eq 5;=;OK
-m hl --hl-gt 5 -j DROP;=;OK
:INPUT
-m hl --hl 5;-m hl --hl-eq 5;OK
-m hl ! --hl-eq 5;=;OK
-m hl ! --hl 0;-m hl ! --hl-eq 0;OK
-m hl --hl-lt 5;=;OK
-m hl --hl-lt 0;=;OK
-m hl --hl-gt 255;=;OK
-m hl --hl-eq 0x10;-m hl --hl-eq 16;OK
-m hl --hl-eq 256;2;FAIL
-m hl --hl-lt x;2;FAIL
-m hl ! --hl-lt 5;2;FAIL
-m hl ! --hl-gt 5;2;FAIL
-m hl;2;FAIL
-m hl --hl-eq;2;FAIL
-m hl --hl-gt 5 --hl-lt 6;2;FAIL
-m hl --hl-lt 5 --hl-eq 6;2;FAIL
-m hl --hl-eq 5 --hl-gt 6;2;FAIL
-m hl --hl-eq 5 --hl-lt 6 --hl-gt 6;2;FAIL
-m hl --hl-gt 5 --hl-gt 6;2;FAIL
-m ttl --ttl-eq 5;2;FAIL
