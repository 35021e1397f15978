:INPUT,FORWARD,OUTPUT
*filter
-m ttl --ttl-eq 5;=;OK
-m ttl --ttl-lt 5 -j DROP;=;OK
:INPUT
-m ttl --ttl 5;-m ttl --ttl-eq 5;OK
-m ttl ! --ttl-eq 0;=;OK
-m ttl ! --ttl 255;-m ttl ! --ttl-eq 255;OK
-m ttl --ttl-lt 0;=;OK
-m ttl --ttl-lt 255;=;OK
-m ttl --ttl-gt 0;=;OK
-m ttl --ttl-gt 255;=;OK
-m ttl --ttl-eq 0x10;-m ttl --ttl-eq 16;OK
-m ttl --ttl-eq 010;-m ttl --ttl-eq 8;OK
-m ttl --ttl-eq 256;2;FAIL
-m ttl --ttl-lt 300;2;FAIL
-m ttl --ttl-gt x;2;FAIL
-m ttl --ttl-eq 5:6;2;FAIL
-m ttl --ttl-eq "";2;FAIL
-m ttl --ttl-eq -1;2;FAIL
-m ttl ! --ttl-gt 5;2;FAIL
-m ttl ! --ttl-lt 5;2;FAIL
-m ttl;2;FAIL
-m ttl --ttl-eq;2;FAIL
-m ttl --ttl-gt 5 --ttl-lt 5;2;FAIL
-m ttl --ttl-lt 5 --ttl-eq 5;2;FAIL
-m ttl --ttl-eq 5 --ttl-gt 5;2;FAIL
-m ttl --ttl-eq 5 --ttl-lt 5 --ttl-gt 5;2;FAIL
-m ttl --ttl-eq 5 --ttl-eq 5;2;FAIL
-m hl --hl-eq 5;2;FAIL
%ip6tables
:INPUT
-m ttl --ttl-eq 5;2;FAIL
