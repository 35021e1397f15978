:FORWARD,INPUT
*filter
-j RATEEST;2;FAIL
-j RATEEST --rateest-name a;2;FAIL
-j RATEEST --rateest-name a --rateest-interval 250ms;2;FAIL
-j RATEEST --rateest-name a --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name a --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-ewmalog 500ms --rateest-name a --rateest-interval 250ms;-j RATEEST --rateest-name a --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name b --rateest-interval 500ms --rateest-ewmalog 1s;-j RATEEST --rateest-name b --rateest-interval 500.0ms --rateest-ewmalog 1.0s;OK
-j RATEEST --rateest-name c --rateest-interval 1s --rateest-ewmalog 2s;-j RATEEST --rateest-name c --rateest-interval 1.0s --rateest-ewmalog 2.0s;OK
-j RATEEST --rateest-name d --rateest-interval 2s --rateest-ewmalog 16s;-j RATEEST --rateest-name d --rateest-interval 2.0s --rateest-ewmalog 16.0s;OK
-j RATEEST --rateest-name e --rateest-interval 4s --rateest-ewmalog 60s;-j RATEEST --rateest-name e --rateest-interval 4.0s --rateest-ewmalog 32.0s;OK
-j RATEEST --rateest-name f --rateest-interval 8s --rateest-ewmalog 100s;-j RATEEST --rateest-name f --rateest-interval 8.0s --rateest-ewmalog 64.0s;OK
-j RATEEST --rateest-name g --rateest-interval 16s --rateest-ewmalog 100s;2;FAIL
-j RATEEST --rateest-name h --rateest-interval 20s --rateest-ewmalog 100s;2;FAIL
-j RATEEST --rateest-name i --rateest-interval 1 --rateest-ewmalog 2;-j RATEEST --rateest-name i --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name j --rateest-interval 250000us --rateest-ewmalog 500000us;-j RATEEST --rateest-name j --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name k --rateest-interval 0.25 --rateest-ewmalog 0.5;2;FAIL
-j RATEEST --rateest-name l --rateest-interval 0.25sec --rateest-ewmalog 0.5secs;-j RATEEST --rateest-name l --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name m --rateest-interval 250msec --rateest-ewmalog 500msecs;-j RATEEST --rateest-name m --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name n --rateest-interval 300ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name n --rateest-interval 500.0ms --rateest-ewmalog 1.0s;OK
-j RATEEST --rateest-name o --rateest-interval 250ms --rateest-ewmalog 250ms;2;FAIL
-j RATEEST --rateest-name p --rateest-interval 250ms --rateest-ewmalog 100ms;2;FAIL
-j RATEEST --rateest-name q --rateest-interval 250ms --rateest-ewmalog 700ms;-j RATEEST --rateest-name q --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name r --rateest-interval 100ms --rateest-ewmalog 200ms;-j RATEEST --rateest-name r --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name s --rateest-interval 0 --rateest-ewmalog 200ms;2;FAIL
-j RATEEST --rateest-name t --rateest-interval x --rateest-ewmalog 200ms;2;FAIL
-j RATEEST --rateest-name t --rateest-interval 1min --rateest-ewmalog 200ms;2;FAIL
-j RATEEST --rateest-name t --rateest-interval "" --rateest-ewmalog 200ms;2;FAIL
-j RATEEST --rateest-name t --rateest-interval -1 --rateest-ewmalog 200ms;2;FAIL
-j RATEEST --rateest-name t --rateest-interval 250ms --rateest-ewmalog x;2;FAIL
-j RATEEST --rateest-name u --rateest-interval 250us --rateest-ewmalog 500us;-j RATEEST --rateest-name u --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name v --rateest-interval 250usecs --rateest-ewmalog 500usec;-j RATEEST --rateest-name v --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name 01234567890123 --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name 01234567890123 --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name 012345678901234 --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name 012345678901234 --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name 0123456789012345 --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name 012345678901234 --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST --rateest-name 01234567890123456 --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name 012345678901234 --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
-j RATEEST ! --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name a ! --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name a --rateest-name b --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-interval 250ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name a --rateest-interval 250ms --rateest-ewmalog 500ms --rateest-ewmalog 500ms;2;FAIL
-j RATEEST --rateest-name w --rateest-interval 8s --rateest-ewmalog 1000s;-j RATEEST --rateest-name w --rateest-interval 8.0s --rateest-ewmalog 512.0s;OK
-j RATEEST --rateest-name w --rateest-interval 250ms --rateest-ewmalog 4294s;-j RATEEST --rateest-name w --rateest-interval 250.0ms --rateest-ewmalog 4096.0s;OK
:PREROUTING
*raw
-j RATEEST --rateest-name x --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name x --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
*nat
-j RATEEST --rateest-name x --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name x --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
%ip6tables
*mangle
-j RATEEST --rateest-name y --rateest-interval 250ms --rateest-ewmalog 500ms;-j RATEEST --rateest-name y --rateest-interval 250.0ms --rateest-ewmalog 500.0ms;OK
