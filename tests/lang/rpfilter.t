:PREROUTING
*raw
-m rpfilter;=;OK
-m rpfilter --loose;=;OK
-m rpfilter --validmark;=;OK
-m rpfilter --accept-local;=;OK
-m rpfilter --invert;=;OK
-m rpfilter --invert --accept-local --loose --validmark;-m rpfilter --loose --validmark --accept-local --invert;OK
-m rpfilter ! --loose;2;FAIL
-m rpfilter ! --invert;2;FAIL
-m rpfilter --loose --loose;2;FAIL
-m rpfilter --loose 5;2;FAIL
-m rpfilter --invert -j DROP;=;OK
*mangle
-m rpfilter --loose;=;OK
*nat
-m rpfilter;1;FAIL
:OUTPUT
*raw
-m rpfilter;1;FAIL
:INPUT
*filter
-m rpfilter;1;FAIL
%ip6tables
:PREROUTING
*raw
-m rpfilter --loose --invert -j DROP;=;OK
-m rpfilter ! --validmark;2;FAIL
*mangle
-m rpfilter;=;OK
:FORWARD
-m rpfilter;1;FAIL
