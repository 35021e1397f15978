:INPUT
*security
-j SECMARK --selctx system_u:object_r:httpd_t:s0;=;OK
-p tcp --dport 80 -j SECMARK --selctx system_u:object_r:httpd_t:s0;-p tcp -m tcp --dport 80 -j SECMARK --selctx system_u:object_r:httpd_t:s0;OK
-j SECMARK;2;FAIL
-j SECMARK --selctx "";2;FAIL
-j SECMARK --selctx "two words";2;FAIL
-j SECMARK ! --selctx x;2;FAIL
*mangle
-j SECMARK --selctx system_u:object_r:httpd_t:s0;=;OK
*filter
-j SECMARK --selctx system_u:object_r:httpd_t:s0;1;FAIL
