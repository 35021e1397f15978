:INPUT
*filter
-m comment --comment "hello world";=;OK
-m comment --comment hello;=;OK
-m comment --comment "a \"quoted\" b\\\\c";=;OK
-m comment --comment "";=;OK
-m comment;2;FAIL
-m comment --comment it's;-m comment --comment "it\'s";OK
-m comment --comment a --comment b;2;FAIL
-m comment ! --comment a;2;FAIL
-m comment --comment a -m comment --comment b;=;OK
