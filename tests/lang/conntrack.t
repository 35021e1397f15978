:INPUT
*filter
-m conntrack;2;FAIL
-m conntrack --ctstate NEW,SNAT,DNAT,UNTRACKED,INVALID;-m conntrack --ctstate INVALID,NEW,UNTRACKED,SNAT,DNAT;OK
-m conntrack --ctstate new;-m conntrack --ctstate NEW;OK
-m conntrack --ctstate FOO;2;FAIL
-m conntrack ! --ctstate NEW --ctproto tcp --ctorigsrc 1.2.3.4/24 ! --ctreplsrc 5.6.7.8 --ctorigdst 9.0.0.0/8 --ctrepldst 1.1.1.1;-m conntrack ! --ctstate NEW --ctproto 6 --ctorigsrc 1.2.3.4/24 --ctorigdst 9.0.0.0/8 ! --ctreplsrc 5.6.7.8 --ctrepldst 1.1.1.1;OK
-m conntrack --ctorigsrcport 80 ! --ctorigdstport 1:9 --ctreplsrcport 5:5 --ctrepldstport 0:65535;-m conntrack --ctorigsrcport 80 ! --ctorigdstport 1:9 --ctreplsrcport 5 --ctrepldstport 0:65535;OK
-p tcp -m conntrack --ctproto 6 --ctorigsrcport 80 ! --ctorigdstport 1:9 --ctreplsrcport 5:5 --ctrepldstport 0:65535;-p tcp -m conntrack --ctproto 6 --ctorigsrcport 80 ! --ctorigdstport 1:9 --ctreplsrcport 5 --ctrepldstport 0:65535;OK
-m conntrack --ctstatus ASSURED,CONFIRMED,SEEN_REPLY,EXPECTED;-m conntrack --ctstatus EXPECTED,SEEN_REPLY,ASSURED,CONFIRMED;OK
-m conntrack --ctstatus NONE;=;OK
-m conntrack ! --ctstatus NONE,ASSURED;-m conntrack ! --ctstatus ASSURED;OK
-m conntrack --ctexpire 5;=;OK
-m conntrack ! --ctexpire 5:10;=;OK
-m conntrack --ctdir ORIGINAL;=;OK
-m conntrack ! --ctdir REPLY;2;FAIL
-m conntrack --ctdir original;-m conntrack --ctdir ORIGINAL;OK
-m conntrack --ctproto 0;=;OK
-m conntrack ! --ctproto 6;=;OK
-m conntrack --ctproto all;-m conntrack --ctproto 0;OK
-m conntrack --ctorigsrcport 9:1;=;OK
-m conntrack --ctorigsrcport x;2;FAIL
-m conntrack --ctstate NEW --ctstate NEW;2;FAIL
-m conntrack --ctorigsrc 1.2.3.4,5.6.7.8;2;FAIL
-m conntrack --ctorigsrc 1.2.3.4/255.0.255.0;-m conntrack --ctorigsrc 1.2.3.4;OK
-m conntrack --ctorigsrc 0/0;-m conntrack --ctorigsrc 0.0.0.0/0;OK
-m conntrack --ctexpire 9:1;=;OK
-m conntrack --ctexpire x;2;FAIL
-m conntrack --ctexpire :5;-m conntrack --ctexpire 0:5;OK
-m conntrack --ctexpire 5:;-m conntrack --ctexpire 5:4294967295;OK
-m conntrack --ctstatus FOO;2;FAIL
-m conntrack --ctdir FOO;2;FAIL
-m conntrack --ctproto foo;2;FAIL
-m conntrack --ctstate "";2;FAIL
-m conntrack --ctstate NEW,;2;FAIL
-m conntrack --ctstate;2;FAIL
:PREROUTING
*nat
-m conntrack --ctstate NEW;=;OK
:INPUT
*security
-m conntrack --ctstate NEW -j ACCEPT;=;OK
:FORWARD
*filter
-m conntrack --ctdir REPLY --ctexpire 1:2 ! --ctstatus ASSURED --ctrepldstport 4 --ctreplsrcport 3 --ctorigdstport 2 --ctorigsrcport 1 --ctrepldst 1.0.0.4 --ctreplsrc 1.0.0.3 --ctorigdst 1.0.0.2 --ctorigsrc 1.0.0.1 --ctproto udp --ctstate NEW;-m conntrack --ctstate NEW --ctproto 17 --ctorigsrc 1.0.0.1 --ctorigdst 1.0.0.2 --ctreplsrc 1.0.0.3 --ctrepldst 1.0.0.4 --ctorigsrcport 1 --ctorigdstport 2 --ctreplsrcport 3 --ctrepldstport 4 ! --ctstatus ASSURED --ctexpire 1:2 --ctdir REPLY;OK
-m conntrack --ctorigsrcport http;-m conntrack --ctorigsrcport 80;OK
-m conntrack --ctexpire 5:6:7;2;FAIL
-m conntrack --ctexpire 5x;2;FAIL
-m conntrack --ctexpire 5:x;2;FAIL
-m conntrack --ctexpire x:5;2;FAIL
-m conntrack --ctexpire 5:4294967296;2;FAIL
-m conntrack --ctexpire "";-m conntrack --ctexpire 0;OK
:INPUT
-m conntrack --ctorigsrc 1.2.3;-m conntrack --ctorigsrc 1.2.0.3;OK
-m conntrack --ctorigsrc 0x01020304/0x8;-m conntrack --ctorigsrc 1.2.3.4/8;OK
-m conntrack --ctorigsrc 1.2.3/255.255;-m conntrack --ctorigsrc 1.2.0.3;OK
-m conntrack --ctorigsrc 1.2.3.4/;2;FAIL
-m conntrack --ctorigsrc 1.2.3.4/x;2;FAIL
-m conntrack --ctorigsrc /5;2;FAIL
-m conntrack --ctorigsrc ::1;2;FAIL
