:INPUT,FORWARD
*filter
-m helper --helper ftp;=;OK
-m helper ! --helper ftp-2121 -j ACCEPT;=;OK
-m helper --helper "";=;OK
-m helper --helper "a b";=;OK
-p icmp -m helper --helper irc;=;OK
# What is longer than 29 bytes is cut off.
-m helper --helper 123456789012345678901234567890123;-m helper --helper 12345678901234567890123456789;OK
-m helper;2;FAIL
-m helper --helper ftp --helper sip;2;FAIL
%ip6tables
-m helper --helper sip -m conntrack --ctstate RELATED -j ACCEPT;=;OK
