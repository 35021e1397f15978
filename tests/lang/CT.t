:PREROUTING
*raw
-j CT;=;OK
-j CT --notrack;=;OK
-j CT --zone 5;=;OK
-j CT --zone mark;=;OK
-j CT --zone 65536;2;FAIL
-j CT --zone 65535;=;OK
-j CT --zone 0;-j CT;OK
-j CT --zone-orig 5;=;OK
-j CT --zone-reply mark;=;OK
-j CT --zone-orig 5 --zone-reply 5;-j CT --zone 5;OK
-j CT --zone 5 --zone-reply 6;-j CT --zone-reply 6;OK
-j CT --notrack --zone 3;=;OK
-j CT --helper ftp;1;FAIL
-p tcp -j CT --helper ftp;=;OK
-p udp -j CT --helper ftp;1;FAIL
-p tcp -j CT --helper irc;=;OK
-p tcp -j CT --helper Q.931;=;OK
-p tcp -j CT --notrack --timeout a.b;=;OK
-p tcp -j CT --helper foo;1;FAIL
:INPUT
*filter
-j CT --zone 3;1;FAIL
:PREROUTING
*raw
-j CT --zone 5 --zone 6;2;FAIL
-j CT --zone x;2;FAIL
-j CT --zone-orig mark --zone-reply mark;-j CT --zone mark;OK
-j CT --helper "";-j CT;OK
-j CT --notrack --notrack;2;FAIL
-j CT ! --notrack;2;FAIL
-j CT --zone-reply 5 --zone 6;-j CT --zone-reply 6;OK
-j CT --zone-orig 5 --zone-orig 5;2;FAIL
-j CT --zone 0x10;-j CT --zone 16;OK
-j CT --notrack --helper ftp -p tcp;-p tcp -j CT --notrack --helper ftp;OK
:PREROUTING
*raw
-p tcp -j CT --zone 7 --helper ftp;-p tcp -j CT --helper ftp --zone 7;OK
-p udp -j CT --helper sip --zone-reply 9;=;OK
:PREROUTING,OUTPUT
*raw
-p tcp -j CT --timeout slow;=;OK
-j CT --timeout slow;1;FAIL
! -p tcp -j CT --timeout slow;1;FAIL
-p tcp -j CT --timeout "";-p tcp -j CT;OK
-p tcp -j CT --zone 4 --timeout slow --helper ftp;-p tcp -j CT --helper ftp --timeout slow --zone 4;OK
! -p tcp -j CT --notrack --timeout none;=;OK
-p tcp -j CT --timeout slow --timeout slow;2;FAIL
-p tcp -j CT ! --timeout slow;2;FAIL
:PREROUTING
*raw
-j CT --ctevents new;=;OK
-j CT --ctevents destroy,new,new;-j CT --ctevents new,destroy;OK
-j CT --ctevents new,related,destroy,reply,assured,protoinfo,helper,mark,natseqinfo,secmark;=;OK
-j CT --expevents new;=;OK
-p tcp -j CT --expevents new --zone 5 --ctevents mark --helper ftp;-p tcp -j CT --helper ftp --ctevents mark --expevents new --zone 5;OK
-p tcp -j CT --zone mark --ctevents reply --timeout slow;-p tcp -j CT --timeout slow --ctevents reply --zone mark;OK
-j CT --notrack --ctevents new;=;OK
-j CT --ctevents NEW;2;FAIL
-j CT --ctevents label;2;FAIL
-j CT --ctevents "";2;FAIL
-j CT --ctevents new,;2;FAIL
-j CT --ctevents "new, mark";2;FAIL
-j CT --ctevents all;2;FAIL
-j CT --expevents destroy;2;FAIL
-j CT --expevents new,destroy;2;FAIL
-j CT --expevents "";2;FAIL
-j CT --ctevents new --ctevents mark;2;FAIL
-j CT ! --ctevents new;2;FAIL
