:INPUT,FORWARD,OUTPUT
*filter
-p dccp -m dccp --sport 5:10 ! --dport 7;=;OK
-p dccp -m dccp ! --dccp-types RESET,INVALID -j DROP;=;OK
:INPUT
-p dccp -m dccp;=;OK
-p dccp -m dccp -j LOG;=;OK
-p dccp --source-port 5:10 --destination-port http;-p dccp -m dccp --sport 5:10 --dport 80;OK
-p 33 --dport 5 -j ACCEPT;-p dccp -m dccp --dport 5 -j ACCEPT;OK
-p dccp -m dccp --dccp-option 4 ! --sport 80 --dport 5005 --dccp-types SYNC,DATA -j LOG;-p dccp -m dccp ! --sport 80 --dport 5005 --dccp-types DATA,SYNC --dccp-option 4 -j LOG;OK
-p dccp -m dccp --dccp-types REQUEST;=;OK
-p dccp -m dccp --dccp-types REQUEST,RESPONSE,DATA,ACK,DATAACK,CLOSEREQ,CLOSE,RESET,SYNC,SYNCACK,INVALID;=;OK
-p dccp -m dccp ! --dccp-types INVALID,reset;-p dccp -m dccp ! --dccp-types RESET,INVALID;OK
-p dccp -m dccp --dccp-types ,ack,,REQUEST,REQUEST,;-p dccp -m dccp --dccp-types REQUEST,ACK;OK
-p dccp -m dccp --dccp-types FOO;2;FAIL
-p dccp -m dccp --dccp-types REQ;2;FAIL
-p dccp -m dccp --dccp-types DATA,FOO;2;FAIL
-p dccp -m dccp --dccp-types 1;2;FAIL
-p dccp -m dccp --dccp-types;2;FAIL
-p dccp -m dccp --dccp-types DATA --dccp-types DATA;2;FAIL
-p dccp -m dccp --dccp-option 1;=;OK
-p dccp -m dccp ! --dccp-option 255;=;OK
-p dccp -m dccp --dccp-option 0;2;FAIL
-p dccp -m dccp --dccp-option 256;2;FAIL
-p dccp -m dccp --dccp-option x;2;FAIL
-p dccp -m dccp --dccp-option 1 --dccp-option 1;2;FAIL
# Every port is said, unlike with tcp and udp.
-p dccp -m dccp --sport 0:65535;=;OK
-p dccp -m dccp ! --sport 0:65535;=;OK
-p dccp -m dccp --dport :;-p dccp -m dccp --dport 0:65535;OK
-p dccp -m dccp --dport :5;-p dccp -m dccp --dport 0:5;OK
-p dccp -m dccp --dport 5:;-p dccp -m dccp --dport 5:65535;OK
-p dccp -m dccp --sport 10:5;=;OK
-p dccp -m dccp --sport 7:7;-p dccp -m dccp --sport 7;OK
-p dccp -m dccp --sport 010;-p dccp -m dccp --sport 10;OK
-p dccp -m dccp --sport 0x10;2;FAIL
-p dccp -m dccp --sport x;2;FAIL
-p dccp -m dccp --sport 5:x;2;FAIL
-p dccp -m dccp --sport;2;FAIL
-p dccp -m dccp --sport 5 --sport 6;2;FAIL
-m dccp --dport 5;1;FAIL
! -p dccp -m dccp --dport 5;1;FAIL
-p tcp -m dccp --dport 5;1;FAIL
%ip6tables
-p dccp -m dccp --dport 5 --dccp-types DATA;=;OK
-p dccp --sport 5;-p dccp -m dccp --sport 5;OK
