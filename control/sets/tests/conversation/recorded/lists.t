# list:set.
$ create a hash:ip
$ create b hash:ip
$ create c hash:ip
$ create l list:set size 2
$ list l
1> Name: l
1> Type: list:set
1> Revision: 3
1> Header: size 4
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
1> Members:
$ add l a
$ list -t a
1> Name: a
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 1
1> Number of entries: 0
$ add l a
2> ipset v7.17: Element cannot be added to the set: it's already added
= 1
$ add l nosuch
2> ipset v7.17: Set to be added/deleted/tested as element does not exist.
= 1
$ add l l
2> ipset v7.17: Sets with list:set type cannot be added to the set.
= 1
$ add l b before c
2> ipset v7.17: The set to which you referred with 'before' or 'after' is not added to the set.
= 1
$ add l b before a
$ add l c after a
$ list l
1> Name: l
1> Type: list:set
1> Revision: 3
1> Header: size 4
1> Size in memory: 224
1> References: 0
1> Number of entries: 3
1> Members:
1> a
1> b
1> c
$ add l b after nosuch
2> ipset v7.17: The set to which you referred with 'before' or 'after' does not exist.
= 1
$ add l b before nosuch
2> ipset v7.17: The set to which you referred with 'before' or 'after' does not exist.
= 1
$ destroy a
2> ipset v7.17: Set cannot be destroyed: it is in use by a kernel component
= 1
$ destroy
2> ipset v7.17: Set cannot be destroyed: it is in use by a kernel component
= 1
$ rename a x
2> ipset v7.17: Set cannot be renamed: it is in use by another system
= 1
$ test l a
2> Warning: a is in set l.
$ test l b
2> Warning: b is in set l.
$ test l b before a
2> Warning: b after a is in set l.
$ test l a before b
2> a after b is NOT in set l.
= 1
$ test l a after b
2> Warning: a after b is in set l.
$ test l nosuch
2> nosuch is NOT in set l.
= 1
$ test l x after y
2> x after y is NOT in set l.
= 1
$ del l a after c
2> ipset v7.17: The set to which you referred with 'before' or 'after' is not added to the set.
= 1
$ del l a after b
$ del l b before a
2> ipset v7.17: The set to which you referred with 'before' or 'after' is not added to the set.
= 1
$ del l a
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ del l nosuch
2> ipset v7.17: Set to be added/deleted/tested as element does not exist.
= 1
$ destroy a
$ flush l
$ destroy a
2> ipset v7.17: The set with the given name does not exist
= 1
$ list -t
1> Name: b
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: c
1> Type: hash:ip
1> Revision: 6
1> Header: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> Size in memory: 216
1> References: 0
1> Number of entries: 0
1>
1> Name: l
1> Type: list:set
1> Revision: 3
1> Header: size 4
1> Size in memory: 80
1> References: 0
1> Number of entries: 0
$ create l2 list:set timeout 10 counters comment skbinfo
$ add l2 b timeout 500 packets 4 bytes 3 comment foo skbmark 0x1 skbprio 1:2 skbqueue 2
$ add l2 l
2> ipset v7.17: Sets with list:set type cannot be added to the set.
= 1
$ list l2
1> Name: l2
1> Type: list:set
1> Revision: 3
1> Header: size 8 timeout 10 counters comment skbinfo
1> Size in memory: 196
1> References: 0
1> Number of entries: 1
1> Members:
1> b timeout 499 packets 4 bytes 3 comment "foo" skbmark 0x1 skbprio 1:2 skbqueue 2
$ save l2
1> add l2 b timeout 499 packets 4 bytes 3 comment "foo" skbmark 0x1 skbprio 1:2 skbqueue 2
1> create l2 list:set size 8 timeout 10 counters comment skbinfo
$ -exist add l2 b
$ -exist add l2 b after c
2> ipset v7.17: The set to which you referred with 'before' or 'after' is not added to the set.
= 1
$ list l2
1> Name: l2
1> Type: list:set
1> Revision: 3
1> Header: size 8 timeout 10 counters comment skbinfo
1> Size in memory: 176
1> References: 0
1> Number of entries: 1
1> Members:
1> b timeout 9 packets 4 bytes 3
$ rename b bb
2> ipset v7.17: Set cannot be renamed: it is in use by another system
= 1
$ rename l ll
$ swap bb c
2> ipset v7.17: The set with the given name does not exist
= 1
$ swap b c
$ list l2
1> Name: l2
1> Type: list:set
1> Revision: 3
1> Header: size 8 timeout 10 counters comment skbinfo
1> Size in memory: 176
1> References: 0
1> Number of entries: 1
1> Members:
1> b timeout 9 packets 4 bytes 3
$ swap c l2
2> ipset v7.17: The sets cannot be swapped: their type does not match
= 1
$ add l2 c,b
2> ipset v7.17: you must specify elements as setname,[before|after],setname
= 1
$ add l2 c,after,b
$ -A l2 c,after,bb
2> ipset v7.17: The set to which you referred with 'before' or 'after' does not exist.
= 1
$ add l2 c before
2> ipset v7.17: Missing mandatory argument of option `before'
2> Try `ipset help' for more information.
= 2
$ add l2 c foo bb
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ add l2 c before b after b
2> ipset v7.17: Syntax error: after already specified
= 1
$ add l2 c,before,b before b
2> ipset v7.17: Syntax error: before already specified
= 1
$ list l2 -o xml
1> <ipsets>
1> <ipset name="l2">
1> <type>list:set</type>
1> <revision>3</revision>
1> <header><size>8</size><timeout>10</timeout><counters/><comment/><skbinfo/>
1> <memsize>272</memsize>
1> <references>0</references>
1> <numentries>2</numentries>
1> </header>
1> <members>
1> <member><elem>b</elem><timeout>9</timeout><packets>4</packets><bytes>3</bytes></member>
1> <member><elem>c</elem><timeout>9</timeout><packets>0</packets><bytes>0</bytes></member>
1> </members>
1> </ipset>
1> </ipsets>
$ list -s l2
1> Name: l2
1> Type: list:set
1> Revision: 3
1> Header: size 8 timeout 10 counters comment skbinfo
1> Size in memory: 272
1> References: 0
1> Number of entries: 2
1> Members:
1> b timeout 9 packets 4 bytes 3
1> c timeout 9 packets 0 bytes 0
$ del l2 nosuch
2> ipset v7.17: Set to be added/deleted/tested as element does not exist.
= 1
$ del l2 c
$ del l2 c
2> ipset v7.17: Element cannot be deleted from the set: it's not added
= 1
$ -exist del l2 c
$ add ll b timeout 5
2> ipset v7.17: Timeout cannot be used: set was created without timeout support
= 1
$ add ll b comment x
2> ipset v7.17: Comment cannot be used: set was created without comment support
= 1
$ destroy ll
$ destroy l2
$ destroy
$ list
