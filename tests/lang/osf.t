:INPUT,FORWARD
*filter
-p tcp -m osf --genre Linux;=;OK
-p tcp -m osf ! --genre Linux;=;OK
-p tcp -m osf --genre Linux --ttl 0;=;OK
-p tcp -m osf --genre Linux --ttl 1;=;OK
-p tcp -m osf --genre Linux --ttl 2;=;OK
-p tcp -m osf --genre Linux --ttl 3;2;FAIL
-p tcp -m osf --genre Linux --log 0;=;OK
-p tcp -m osf --genre Linux --log 1;=;OK
-p tcp -m osf --genre Linux --log 2;=;OK
-p tcp -m osf --genre Linux --log 3;2;FAIL
-p tcp -m osf --genre Linux --ttl 2 --log 1;=;OK
-p tcp -m osf;2;FAIL
-p tcp -m osf --ttl 1;2;FAIL
-m osf --genre Linux;1;FAIL
-p udp -m osf --genre Linux;1;FAIL
-p tcp -m osf --genre aaaaaaaaaabbbbbbbbbbccccccccccd;=;OK
-p tcp -m osf --genre aaaaaaaaaabbbbbbbbbbccccccccccdd;-p tcp -m osf --genre aaaaaaaaaabbbbbbbbbbccccccccccd;OK
-p tcp -m osf --genre aaaaaaaaaabbbbbbbbbbccccccccccddd;-p tcp -m osf --genre aaaaaaaaaabbbbbbbbbbccccccccccd;OK
-p tcp -m osf --genre Linux ! --ttl 1;2;FAIL
-p tcp -m osf --genre Linux --genre BSD;2;FAIL
-p tcp -m osf --genre Linux --ttl x;2;FAIL
-p tcp -m osf --genre Linux ! --log 1;2;FAIL
:PREROUTING
*mangle
-p tcp -m osf --genre Linux;=;OK
:OUTPUT
*filter
-p tcp -m osf --genre Linux;1;FAIL
:POSTROUTING
*mangle
-p tcp -m osf --genre Linux;1;FAIL
%ip6tables
:INPUT
*filter
-p tcp -m osf --genre Linux;2;FAIL
