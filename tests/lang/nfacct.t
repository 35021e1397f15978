:INPUT,FORWARD
*filter
-m nfacct --nfacct-name foo;-m nfacct --nfacct-name  foo;OK
-m nfacct --nfacct-name "a b";-m nfacct --nfacct-name  "a b";OK
-m nfacct;2;FAIL
-m nfacct --nfacct-name "";2;FAIL
-m nfacct --nfacct-name 0123456789012345678901234567890;-m nfacct --nfacct-name  0123456789012345678901234567890;OK
-m nfacct --nfacct-name 01234567890123456789012345678901;-m nfacct --nfacct-name  0123456789012345678901234567890;OK
-m nfacct ! --nfacct-name foo;2;FAIL
-m nfacct --nfacct-name foo --nfacct-name foo;2;FAIL
%ip6tables
-m nfacct --nfacct-name foo -j ACCEPT;-m nfacct --nfacct-name  foo -j ACCEPT;OK
