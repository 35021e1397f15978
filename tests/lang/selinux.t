:INPUT
*security
-m selinux --selctx user_u:object_r:httpd_t:s0 -j ACCEPT;=;OK
-m selinux ! --selctx system_u:object_r:sshd_t:s0-s0:c0.c1023 -j DROP;=;OK
-m selinux;2;FAIL
-m selinux --selctx "";2;FAIL
-m selinux --selctx "two words";2;FAIL
-m selinux --selctx a --selctx b;2;FAIL
