:OUTPUT,POSTROUTING
*mangle
-m owner --uid-owner 0;=;OK
-m owner --uid-owner root;-m owner --uid-owner 0;OK
-m owner --uid-owner nobody;-m owner --uid-owner 65534;OK
-m owner --uid-owner 0-5;=;OK
-m owner --uid-owner 1:2;-m owner --uid-owner 1-2;OK
-m owner --gid-owner 1:x;2;FAIL
-m owner --uid-owner 5-5;-m owner --uid-owner 5;OK
-m owner --uid-owner 5-0;1;FAIL
-m owner --uid-owner 0-4294967294;=;OK
-m owner --uid-owner 4294967294;=;OK
-m owner --uid-owner 0-4294967295;2;FAIL
-m owner --uid-owner 4294967295;2;FAIL
-m owner --uid-owner 4294967296;2;FAIL
-m owner --uid-owner 0x10-0x20;-m owner --uid-owner 16-32;OK
-m owner --uid-owner " 1";-m owner --uid-owner 1;OK
-m owner --uid-owner +1;-m owner --uid-owner 1;OK
-m owner --uid-owner nosuch;2;FAIL
-m owner --uid-owner root-5;2;FAIL
-m owner --uid-owner 1-;2;FAIL
-m owner --uid-owner 1-x;2;FAIL
-m owner --uid-owner 1-2-3;2;FAIL
-m owner --uid-owner -1;2;FAIL
-m owner --uid-owner "";2;FAIL
-m owner ! --uid-owner 1;=;OK
-m owner --gid-owner root;-m owner --gid-owner 0;OK
-m owner --gid-owner 5;=;OK
-m owner ! --gid-owner 0-9;=;OK
-m owner --gid-owner 9-0;1;FAIL
-m owner --gid-owner nosuch;2;FAIL
-m owner --socket-exists;=;OK
-m owner ! --socket-exists;=;OK
-m owner --gid-owner 1 --suppl-groups;=;OK
-m owner ! --gid-owner 1 --suppl-groups;=;OK
-m owner --suppl-groups;2;FAIL
-m owner --suppl-groups --gid-owner 0;2;FAIL
-m owner --socket-exists --suppl-groups;2;FAIL
-m owner --gid-owner 1 ! --suppl-groups;2;FAIL
-m owner --gid-owner 1 --suppl-groups --suppl-groups;2;FAIL
-m owner --gid-owner 1 --suppl-groups 5;2;FAIL
-m owner --uid-owner 1 --gid-owner 2 --socket-exists --suppl-groups;-m owner --socket-exists --uid-owner 1 --gid-owner 2 --suppl-groups;OK
-m owner ! --socket-exists ! --gid-owner 2 ! --uid-owner 1;-m owner ! --socket-exists ! --uid-owner 1 ! --gid-owner 2;OK
-m owner;2;FAIL
-m owner --uid-owner 1 --uid-owner 2;2;FAIL
-m owner --socket-exists --socket-exists;2;FAIL
-m owner --pid-owner 5;2;FAIL
-p tcp -m owner --uid-owner 1 -j ACCEPT;=;OK
:INPUT,FORWARD
*filter
-m owner --uid-owner 1;1;FAIL
-m owner --socket-exists;1;FAIL
:PREROUTING
*nat
-m owner --uid-owner 1;1;FAIL
%ip6tables
:OUTPUT
*filter
-m owner --uid-owner root -j ACCEPT;-m owner --uid-owner 0 -j ACCEPT;OK
-m owner ! --gid-owner 7 --suppl-groups;=;OK
-m owner;2;FAIL
:INPUT
-m owner --uid-owner 0;1;FAIL
